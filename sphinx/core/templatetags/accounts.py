"""What the log-in page offers."""

from django import template
from django.conf import settings

from sphinx.core.accounts import has_provider

register = template.Library()


@register.simple_tag
def identity_provider() -> str:
    """The name of the firm's identity provider, blank where there is none."""
    return str(settings.OIDC_NAME) if has_provider() else ""
