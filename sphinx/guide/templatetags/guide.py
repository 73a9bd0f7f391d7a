"""Links into the guide."""

from typing import Any

from django import template

from sphinx.guide import where

register = template.Library()


@register.simple_tag
def guide(page: str, anchor: str = "") -> str:
    """A page's address in the reader's language, at `anchor` when one is given."""
    return where.guide_url(f"{page}#{anchor}" if anchor else page)


@register.simple_tag(takes_context=True)
def guide_here(context: Any) -> str:
    """The address of the page for the screen that is shown; the first page outside a request."""
    request = context.get("request")
    return where.guide_url_here(request) if request else where.guide_url()
