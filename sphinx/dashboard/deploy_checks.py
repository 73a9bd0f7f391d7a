"""What `check --deploy` says of roles."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from sphinx.core.identity import mapped_roles
from sphinx.dashboard.roles import ROLES


@register(deploy=True)
def mapped_roles_are_ours(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """`OIDC_ROLES` names roles that there are."""
    unknown = sorted({role for _group, role in mapped_roles()} - ROLES.keys())
    if not unknown or not settings.OIDC_ISSUER:
        return []
    return [
        Error(
            f"OIDC_ROLES nomme des rôles inconnus : {', '.join(unknown)}.",
            hint=f"Les rôles : {', '.join(ROLES)}.",
            id="sphinx.E004",
        )
    ]
