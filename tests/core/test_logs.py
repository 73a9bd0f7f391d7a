"""Nothing personal leaves by the log, whatever an error says."""

import copy
import io
import logging
import logging.config
from typing import Any

import pytest
import structlog
from django.conf import settings

from sphinx.core.logs import hide_people


@pytest.mark.parametrize(
    "text",
    [
        "Key (email)=(lea.martin+x@exemple.co.uk) already exists",
        "SMTPRecipientsRefused({'lea@exemple.fr': (550, b'')})",
        "appelez le 06 12 34 56 78",
        "+33612345678",
    ],
)
def test_addresses_and_numbers_are_blanked(text: str) -> None:
    told = hide_people(None, "", {"event": text, "more": {"in": [text]}})

    for word in ("lea", "exemple", "12 34", "612345678"):
        assert word not in str(told)


@pytest.mark.parametrize(
    "text", ["FA2026-000123", "12345678901234", "2026-03-01T10:00:00.123456Z", "0612345678.csv"]
)
def test_what_is_nobodys_stays(text: str) -> None:
    assert hide_people(None, "", {"event": text}) == {"event": text}


def test_a_long_text_keeps_nobody_busy() -> None:
    """A million letters and an @: work that grew with the square would not end today."""
    text = "a" * 1_000_000 + "@"

    assert hide_people(None, "", {"event": text}) == {"event": text}


def _logged(monkeypatch: pytest.MonkeyPatch, say: Any) -> str:
    """What the project's own handler writes."""
    stream = io.StringIO()
    formatter = logging.config.DictConfigurator(settings.LOGGING).configure_formatter(
        copy.deepcopy(settings.LOGGING["formatters"]["line"])
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.getLogger("tests.said")
    logger.propagate = False
    logger.addHandler(handler)
    logger.setLevel("INFO")
    try:
        say(logger)
    finally:
        logger.removeHandler(handler)
    return stream.getvalue()


def test_an_errors_words_are_blanked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(logger: logging.Logger) -> None:
        try:
            raise ValueError("lea@exemple.fr")
        except ValueError:
            logger.exception("it failed")

    said = _logged(monkeypatch, fail)

    assert "ValueError" in said
    assert "lea@" not in said


def test_a_line_logged_during_a_run_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def speak(logger: logging.Logger) -> None:
        with structlog.contextvars.bound_contextvars(run=12, feed="essai"):
            logger.info("feed visited")

    said = _logged(monkeypatch, speak)

    assert "run=12" in said
    assert "feed=essai" in said
