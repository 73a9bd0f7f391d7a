"""E-mails leave by a server, or are held with a reason; never on standard output in production."""

import os
import subprocess
import sys

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import send_mail
from django.test import Client, override_settings

from sphinx.core.mailing import MailNotSet
from sphinx.core.models import AuditEvent
from tests.core.test_settings import GOOD_KEY

NOWHERE = override_settings(EMAIL_BACKEND="sphinx.core.mailing.NoServer", MAIL_IS_SET=False)


# What tests set for themselves; tests in a browser the last.
OF_TESTS = ("DEBUG", "EMAIL_URL", "DJANGO_ALLOW_ASYNC_UNSAFE")


def production(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if name not in OF_TESTS}
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        env={**clean, "DEBUG": "0", "SECRET_KEY": GOOD_KEY, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize("url", ["", "consolemail://"])
def test_production_without_a_server_prints_no_mail(url: str) -> None:
    ran = production("sendtestemail", "lea@exemple.test", **({"EMAIL_URL": url} if url else {}))
    assert ran.returncode != 0
    assert "lea@exemple.test" not in ran.stdout
    assert "EMAIL_URL" in ran.stderr


@pytest.mark.once
def test_the_check_before_going_live_says_what_mail_lacks() -> None:
    said = production("check", "--deploy").stderr
    assert "sphinx.W001" in said
    assert "sphinx.W002" in said
    set_up = {"EMAIL_URL": "smtp://h:25", "DEFAULT_FROM_EMAIL": "a@exemple.test"}
    said = production("check", "--deploy", **set_up).stderr
    assert "sphinx.W00" not in said


@NOWHERE
def test_who_asked_for_silence_is_not_disturbed() -> None:
    assert send_mail("s", "t", "a@b.c", ["d@e.f"], fail_silently=True) == 0
    with pytest.raises(MailNotSet):
        send_mail("s", "t", "a@b.c", ["d@e.f"])


@NOWHERE
@pytest.mark.django_db
@pytest.mark.parametrize("address", ["lea@exemple.test", "nobody@exemple.test"])
def test_a_forgotten_password_says_the_same_to_all_where_no_mail_leaves(
    client: Client, address: str
) -> None:
    User.objects.create_user("lea", "lea@exemple.test", "un-mot-de-passe-long")
    answer = client.post("/compte/password/reset/", {"email": address})
    assert answer.status_code == 503
    assert "rien n&#x27;est parti" in answer.content.decode()


@pytest.fixture
def owner(client: Client) -> User:
    user = User.objects.create_superuser("lea", "lea@exemple.test", "un-mot-de-passe-long")
    client.force_login(user)
    return user


@pytest.mark.django_db
def test_the_operator_sends_a_test(client: Client, owner: User) -> None:
    assert client.get("/reglages/e-mails/").status_code == 200
    answer = client.post("/reglages/e-mails/essai/", follow=True)
    assert "parti à lea@exemple.test" in answer.content.decode()
    assert [message.to for message in mail.outbox] == [["lea@exemple.test"]]
    assert AuditEvent.objects.filter(kind="mail.tested").count() == 1


@NOWHERE
@pytest.mark.django_db
def test_the_operator_is_told_why_none_left(client: Client, owner: User) -> None:
    assert "EMAIL_URL" in client.get("/reglages/e-mails/").content.decode()
    answer = client.post("/reglages/e-mails/essai/", follow=True)
    assert "rien n&#x27;est parti" in answer.content.decode()
    assert not AuditEvent.objects.filter(kind="mail.tested").exists()


@pytest.mark.django_db
@override_settings(
    EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
    EMAIL_HOST="127.0.0.1",
    EMAIL_PORT=9,
)
def test_a_server_that_doesnt_answer_is_told(client: Client, owner: User) -> None:
    answer = client.post("/reglages/e-mails/essai/", follow=True)
    assert "refuse ou ne répond pas" in answer.content.decode()
