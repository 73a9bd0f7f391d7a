"""The cells that hold lists: `key:value` parted by `|`, or JSON.

line_item_1: name:Thé|product_id:12|sku:T-1|quantity:2|total:33.33|sub_total:40.00|tax:6.67|…
A name may hold `:` and `|`, so a cell is cut at known keys only.
"""

import json
import re
from html import unescape

_KEYS = (
    "id name title product_id sku quantity total sub_total subtotal subtotal_tax tax total_tax "
    "tax_data tax_class taxable refunded refunded_qty variation_id _variation_id meta items "
    "method_id method_title taxes rate_id code label compound tax_rate_compound rate_percent "
    "amount reason date description"
).split()
_KEY = re.compile(rf"(?:^|(?<!\\)\|)({'|'.join(_KEYS)}|meta:[^:|]+):")
# SkyVerge parts its items by ";" and each begins with its id.
_NEXT_ITEM = re.compile(r"(?<!\\);(?=id:\d*\|)")
_ESCAPED = re.compile(r"\\([:|;\\])")

Item = dict[str, str]


def item_of(text: str) -> Item:
    """One item's values by key; of a key written twice the first."""
    found: Item = {}
    marks = list(_KEY.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    for mark, end in zip(marks, ends, strict=False):
        value = _ESCAPED.sub(r"\1", text[mark.end() : end])
        found.setdefault(mark[1], unescape(value).strip())
    return found


def items_of(text: str, separators: str = ";") -> list[Item]:
    """The items of a cell, in either way of writing."""
    text = text.strip()
    if text.startswith(("[", "{")):
        return _from_json(text)
    parts = _NEXT_ITEM.split(text) if _NEXT_ITEM.search(text) else re.split(separators, text)
    return [item for part in parts if part.strip() and (item := item_of(part.strip()))]


def _from_json(text: str) -> list[Item]:
    try:
        read = json.loads(text)
    except ValueError:
        return []
    entries = read if isinstance(read, list) else [read]
    return [
        {key: unescape(str(value)) for key, value in entry.items() if not isinstance(value, dict)}
        for entry in entries
        if isinstance(entry, dict)
    ]
