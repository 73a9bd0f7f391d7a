"""The guide: whole in both languages, true to the program, reached from each screen."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.utils.translation import override

from accounting_export.formats import formats
from ftp_ingest.what_to_do import WHAT_TO_DO
from sphinx.guide.building import GuideNotBuilt, build, is_stale
from sphinx.guide.fillings import SOURCES, fill
from sphinx.guide.messages import messages
from sphinx.guide.where import PAGES, page_for
from tests.support.screenshots import NAMES
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.once

LANGUAGES = [code for code, _name in settings.LANGUAGES]
_IMAGE = re.compile(r"!\[[^\]]+\]\((?:\.\./)*images/([\w-]+)\.png\)")


class Links(HTMLParser):
    """A page's links, and the places in it that links can lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        self.places.add(given.get("id") or given.get("name") or "")
        self.targets += [given[name] for name in ("href", "src") if given.get(name)]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("guide") / "site"
    build(target)
    return target


@pytest.fixture
def site(built: Path, settings: Any) -> Client:
    settings.GUIDE_DIR = built
    return Client()


def pages_of(language: str) -> dict[str, str]:
    folder = SOURCES / language
    return {str(p.relative_to(folder)): p.read_text("utf-8") for p in folder.rglob("*.md")}


def test_every_page_is_there_in_both_languages_with_the_same_sections_and_pictures() -> None:
    french, english = pages_of("fr"), pages_of("en")
    assert french.keys() == english.keys()
    for name, text in french.items():
        other = english[name]
        assert re.findall(r"^(#+) ", text, re.M) == re.findall(r"^(#+) ", other, re.M), name
        assert re.findall(r"\{#(\w+)\}", text) == re.findall(r"\{#(\w+)\}", other), name
        assert _IMAGE.findall(text) == _IMAGE.findall(other), name


def test_every_screen_that_is_photographed_is_shown_and_every_picture_is_photographed() -> None:
    for language in LANGUAGES:
        shown = {name for text in pages_of(language).values() for name in _IMAGE.findall(text)}
        there = {path.stem for path in (SOURCES / "images" / language).glob("*.png")}
        assert shown == there == set(NAMES)


def test_every_page_is_in_the_menu() -> None:
    for language in LANGUAGES:
        menu = (SOURCES / language / "site.toml").read_text("utf-8")
        assert set(re.findall(r'"([\w/-]+\.md)"', menu)) == set(pages_of(language))


def test_no_link_of_the_built_guide_leads_nowhere(built: Path) -> None:
    read: dict[str, Links] = {}
    for path in built.rglob("*.html"):
        page = Links()
        page.feed(path.read_text("utf-8"))
        read[f"/aide/{path.relative_to(built)}"] = page
    for url, page in read.items():
        for target in page.targets:
            parts = urlsplit(urljoin(url, target))
            if parts.netloc or not parts.path.startswith("/aide/") or url.endswith("404.html"):
                continue
            found = parts.path + ("index.html" if parts.path.endswith("/") else "")
            assert (built / found.removeprefix("/aide/")).is_file(), (url, target)
            anchor = parts.fragment
            if anchor and anchor != "__skip" and found in read:
                assert anchor in read[found].places, (url, target)


def test_every_format_has_its_section_and_its_fields() -> None:
    for text in (pages_of(language)["accounting/formats.md"] for language in LANGUAGES):
        assert set(re.findall(r"<!-- fields (\w+) -->", text)) == {f.code for f in formats()}


def test_a_formats_fields_are_those_that_are_written() -> None:
    with override("fr"):
        assert "| Libellé | 7 | 35 | coupé |" in fill("<!-- fields sage100 -->")
        assert "| Montant | 85 | 20 | refusé |" in fill("<!-- fields sage_pnm -->")
        assert "`CompAuxNum` · `CompAuxLib`" in fill("<!-- fields fec -->")


def test_every_reason_for_the_quarantine_is_found_by_its_code(built: Path) -> None:
    for language in LANGUAGES:
        page = Links()
        page.feed((built / language / "errors" / "index.html").read_text("utf-8"))
        known = {message.code for message in messages()}
        assert {code for code in WHAT_TO_DO if code in known} <= page.places


def test_messages_are_read_from_the_sources_with_their_codes() -> None:
    found = {(m.code, m.text) for m in messages()}
    assert ("file.empty", "Ce fichier est vide.") in found
    assert len(found) > 200


def test_messages_are_listed_in_the_language_of_the_page_with_what_to_do() -> None:
    with override("en"):
        listed = fill("<!-- messages ftp_ingest -->")
    assert "This file is empty." in listed
    assert '<a id="file.unknown_header"></a>' in listed
    assert "%(" not in listed


@pytest.mark.parametrize("page", sorted(set(PAGES.values())))
def test_every_screens_page_is_there(built: Path, page: str) -> None:
    path, _hash, anchor = page.partition("#")
    for language in LANGUAGES:
        html = (built / language / path / "index.html").read_text("utf-8")
        assert not anchor or f'id="{anchor}"' in html


@pytest.mark.parametrize(
    ("view", "page"),
    [
        ("dashboard:home", ""),
        ("ftp_ingest:assistant_start", "shops/#assistant"),
        ("admin:ftp_ingest_feed_change", "shops/"),
        ("admin:ftp_ingest_feedrun_changelist", "roles/operator/"),
        ("sales:worktop", "roles/warehouse/"),
        ("healthz", ""),
    ],
)
def test_the_longest_name_tells_the_page(view: str, page: str) -> None:
    assert page_for(view) == page


@pytest.mark.django_db
def test_a_screen_leads_to_its_page_in_the_readers_language() -> None:
    client = signed_in("Exploitant")
    assert 'href="/aide/fr/shops/"' in client.get("/admin/ftp_ingest/feed/").content.decode()
    client.cookies["django_language"] = "en"
    shown = client.get("/passerelle/deposer/").content.decode()
    assert 'href="/aide/en/shops/"' in shown


def test_the_guide_runs_its_own_scripts_and_no_other(site: Client) -> None:
    response = site.get("/aide/fr/")
    policy = response.headers["Content-Security-Policy"]
    scripts = re.search(r"script-src ([^;]+)", policy)
    assert scripts
    assert scripts[1].count("'sha256-") >= 2
    assert "unsafe" not in scripts[1]


def test_nothing_outside_the_guide_is_served(site: Client) -> None:
    for path in ("../../manage.py", "%2e%2e/%2e%2e/x.html", "/etc/passwd", "missing/"):
        assert site.get(f"/aide/fr/{path}").status_code in (400, 404)
    assert site.get("/aide/de/").status_code == 404
    assert site.post("/aide/fr/").status_code == 405


def test_the_guide_opens_in_the_readers_language(site: Client) -> None:
    assert site.get("/aide/").headers["Location"] == "/aide/fr/"
    site.cookies["django_language"] = "en"
    assert site.get("/aide/").headers["Location"] == "/aide/en/"
    assert "The first day" in site.get("/aide/en/first-day/").content.decode()


def test_a_guide_that_is_not_built_says_how(settings: Any, tmp_path: Path) -> None:
    settings.GUIDE_DIR = tmp_path / "none"
    assert "make guide" in Client().get("/aide/fr/").content.decode()


def test_the_guide_is_stale_until_it_is_built(built: Path, tmp_path: Path) -> None:
    assert is_stale(tmp_path / "none")
    assert not is_stale(built)


def test_a_page_that_the_generator_refuses_leaves_the_old_guide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "site"
    (target / "fr").mkdir(parents=True)
    (target / "fr" / "index.html").write_text("before")
    broken = tmp_path / "sources"
    (broken / "shared").mkdir(parents=True)
    (broken / "shared" / "guide.css").touch()
    for language in LANGUAGES:
        (broken / language).mkdir(parents=True)
        (broken / "images" / language).mkdir(parents=True)
        (broken / language / "site.toml").write_text("[project\n")
    monkeypatch.setattr("sphinx.guide.building.SOURCES", broken)
    with pytest.raises(GuideNotBuilt):
        build(target)
    assert (target / "fr" / "index.html").read_text() == "before"
