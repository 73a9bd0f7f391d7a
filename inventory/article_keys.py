"""What names an article of a shop that gives it no SKU."""

import hashlib

from sphinx.core.texts import clean, sku_key

# The SKU of a product made for such an article begins so; another one makes it a real article.
MADE_UP = "SANS-REF-"
# Capitals: no `sku_key` has any, so that the two kinds of key stand side by side in one table.
_OWN, _NAME = "ID:", "NAME:"
_LENGTH = 120
_DIGEST = 16


def article_key(own_key: str, name: str) -> str:
    """The shop's own key of the article where it gave one, else its name with the options.

    Case and spaces don't tell names apart, anything else does: two articles are easily made
    one, one is hardly made two again. Blank where there is neither.
    """
    if own := clean(own_key):
        return _fitted(_OWN + own)
    named = sku_key(name)
    return _fitted(_NAME + named) if named else ""


def _fitted(key: str) -> str:
    """At most as long as its column; what is cut off still counts, options come last."""
    if len(key) <= _LENGTH:
        return key
    digest = hashlib.blake2b(key.encode(), digest_size=_DIGEST).hexdigest()
    return f"{key[: _LENGTH - len(digest) - 1]}#{digest}"
