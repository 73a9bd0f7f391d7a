"""Secrets of servers: sealed with the newest key, read with any, and sealed anew when keys turn."""

import json
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command

from ftp_ingest.models import Feed
from sphinx.core.credentials import reseal_all, reveal, seal, set_credentials
from sphinx.core.errors import ServerRejected
from sphinx.core.models import Shop

pytestmark = pytest.mark.django_db
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def feed(settings: Any) -> Feed:
    settings.CREDENTIAL_KEYS = [OLD]
    shop = Shop.objects.create(code="b", name="B")
    row = Feed.objects.create(code="f", shop=shop, protocol="sftp", host="h", directory=".")
    set_credentials(row, password="secret")
    return row


def test_a_secret_is_never_kept_in_clear_nor_sealed_twice_alike(feed: Feed) -> None:
    assert "secret" not in feed.password_encrypted
    assert seal("secret") != seal("secret")


def test_a_new_key_reads_what_the_old_one_sealed_until_the_old_one_goes(
    feed: Feed, settings: Any
) -> None:
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    assert reveal(feed.password_encrypted) == "secret"
    settings.CREDENTIAL_KEYS = [NEW]
    with pytest.raises(ServerRejected, match="ressaisissez-le"):
        reveal(feed.password_encrypted)


def test_once_keys_have_turned_the_old_one_can_go(feed: Feed, settings: Any) -> None:
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    assert reseal_all() == (1, [])
    settings.CREDENTIAL_KEYS = [NEW]
    feed.refresh_from_db()
    assert reveal(feed.password_encrypted) == "secret"
    assert reseal_all() == (1, [])


def test_what_cant_be_read_any_more_is_named_and_left_as_it_is(feed: Feed, settings: Any) -> None:
    settings.CREDENTIAL_KEYS = [NEW]
    said = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("rotate_keys", "--json", stdout=said)
    assert ended.value.code == 1
    assert json.loads(said.getvalue()) == {"resealed": 0, "unreadable": ["flux f"]}
    before = feed.password_encrypted
    feed.refresh_from_db()
    assert feed.password_encrypted == before


def test_the_first_key_of_all_reads_what_was_sealed_without_any(feed: Feed, settings: Any) -> None:
    settings.CREDENTIAL_KEYS = []
    set_credentials(feed, password="secret")
    settings.CREDENTIAL_KEYS = [NEW]
    assert reveal(feed.password_encrypted) == "secret"
    assert reseal_all() == (1, [])
    settings.SECRET_KEY = "another key, of a machine that was lost"
    feed.refresh_from_db()
    assert reveal(feed.password_encrypted) == "secret"


def test_a_changed_secret_key_reads_with_the_one_before_until_secrets_are_sealed_anew(
    feed: Feed, settings: Any
) -> None:
    settings.CREDENTIAL_KEYS = []
    set_credentials(feed, password="secret")
    before, settings.SECRET_KEY = settings.SECRET_KEY, "the new one, drawn for the purpose"
    with pytest.raises(ServerRejected, match="ressaisissez-le"):
        reveal(feed.password_encrypted)
    settings.SECRET_KEY_FALLBACKS = [before]
    assert reseal_all() == (1, [])
    settings.SECRET_KEY_FALLBACKS = []
    feed.refresh_from_db()
    assert reveal(feed.password_encrypted) == "secret"
