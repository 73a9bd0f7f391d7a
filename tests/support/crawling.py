"""Walks through the site as a person would, following links; reads what a person reads."""

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, resolve

# Links looked at: a site that makes up new ones for ever ends here.
_MOST = 4000
_READ = ("title", "aria-label", "placeholder", "alt")
_UNREAD = ("script", "style", "template", "svg", "code")
# Icons are drawn from words that nobody reads.
_ICON = re.compile(r"material-symbols")
# Words that French doesn't have.
_ENGLISH = re.compile(
    r"\b(the|and|of|with|your|you|this|that|these|from|has|have|been|are|is|was|were|will|not|"
    r"search|select|selected|save|saved|delete|deleted|remove|add|added|view|edit|changed|"
    r"results?|reset|close|next|previous|home|sign|please|yes|no|none|all|any|by|apply|choose|"
    r"rows?|number|value|values|field|fields|upload|download|import|export|history|filters?|"
    r"settings|welcome|log|logout|login|password|username|today|yesterday|past|showing|clear|"
    r"default|unknown|empty|object|objects|cancel|submit|confirm|back|return|user|users|group|"
    r"groups|name|loading|error|errors|warning|success)\b",
    re.IGNORECASE,
)
# The same letters, other words.
_FRENCH_TOO = {"import", "export", "no", "close"}
# Cities and islands of the time zones, and the name that French gives to "single sign-on".
_NAMES = re.compile(r"\w+/[\w ]+|\(Single Sign-On\)")


class Post(NamedTuple):
    """What a button sends, and where to; no name where it sends none."""

    url: str
    name: str = ""
    value: str = ""


class Page(NamedTuple):
    """A page that was opened: how it answered, what can be read, where it leads, what it does."""

    url: str
    status: int
    texts: list[str]
    links: list[str]
    # Where its forms post, and what each button says there: (address, name, value).
    posts: list[Post]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.links: list[str] = []
        self.posts: list[Post] = []
        self._form: str | None = None
        self._unread = 0
        self._open: list[bool] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "form":
            posts = (given.get("method") or "").lower() == "post"
            self._form = (given.get("action") or "") if posts else None
            self.posts += [Post(self._form)] if self._form is not None else []
        to = given.get("formaction") or self._form
        if tag == "button" and to is not None:
            self.posts.append(Post(to, given.get("name") or "", given.get("value") or ""))
        if tag in ("br", "img", "input", "meta", "link", "hr", "source"):
            self._read(given)
            return
        is_unread = (
            tag in _UNREAD
            or bool(_ICON.search(given.get("class") or ""))
            or given.get("lang") == "en"
        )
        self._open.append(is_unread)
        self._unread += is_unread
        self._read(given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if self._open:
            self._unread -= self._open.pop()

    def handle_data(self, data: str) -> None:
        if not self._unread and data.strip():
            self.texts.append(" ".join(data.split()))

    def _read(self, given: dict[str, str | None]) -> None:
        if self._unread:
            return
        self.texts += [given[name] or "" for name in _READ if given.get(name)]
        if given.get("type") in ("submit", "button") and given.get("value"):
            self.texts.append(given["value"] or "")


def crawl(client: Client, of_a_kind: int = 2) -> Iterator[Page]:
    """Open what can be reached by links, so many pages of a kind; files aren't read."""
    waiting, seen, kinds = ["/"], {"/"}, Counter[str]()
    while waiting and len(seen) < _MOST:
        url = waiting.pop(0)
        kind = _kind(url)
        if kind is None or kinds[kind] >= of_a_kind:
            continue
        kinds[kind] += 1
        answer = client.get(url, follow=True)
        is_page = answer.headers.get("Content-Type", "").startswith("text/html")
        reader = _Reader()
        if is_page and not answer.streaming:
            reader.feed(answer.content.decode())
        posts = [
            post._replace(url=found) for post in reader.posts if (found := _own(url, post.url))
        ]
        yield Page(url, answer.status_code, reader.texts, reader.links, posts)
        for link in reader.links:
            found = _own(url, link)
            if found and found not in seen:
                seen.add(found)
                waiting.append(found)


def _own(url: str, link: str) -> str | None:
    parts = urlsplit(urljoin(f"http://testserver{url}", link))
    if parts.netloc != "testserver" or parts.scheme != "http":
        return None
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _kind(url: str) -> str | None:
    """What page it is, without what it is of; None of what isn't to be opened."""
    parts = urlsplit(url)
    try:
        found = resolve(parts.path)
    except Resolver404:
        return f"missing {parts.path}"
    if found.url_name in ("logout", "account_logout", "set_language"):
        return None
    return found.view_name + ("?" if parts.query else "")


def english_in(texts: list[str]) -> set[str]:
    """Texts that hold a word which isn't French."""
    return {
        text
        for text in texts
        if any(word.lower() not in _FRENCH_TOO for word in _ENGLISH.findall(_NAMES.sub("", text)))
    }
