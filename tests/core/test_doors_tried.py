"""Ways round the log-in that were tried: a planted session, a factor left out, one used twice."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from allauth.account.forms import EmailAwarePasswordResetTokenGenerator
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.test import Client

from sphinx.core.middleware import SecondFactorMiddleware
from sphinx.core.services import company
from tests.core.test_accounts import PASSWORD, lea, log_in  # noqa: F401 (fixture)
from tests.support.fuzzing import Place, places

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXP"
COOKIE = settings.SESSION_COOKIE_NAME
# What strangers see too; /compte/ holds the log-in itself, its own pages are tried below.
OPEN_TO_ALL = (
    "/compte/",
    "/aide/",
    "/admin/logout/",
    "/langue/",
    "/healthz",
    "/readyz",
    "/metrics",
)
OTHER = "une-autre-phrase-assez-longue"


@pytest.fixture(autouse=True)
def _forget_tries() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def key_of(client: Client) -> str:
    return client.cookies[COOKIE].value


def opened_by(key: str) -> int:
    """What the first page answers to whoever holds that session's key."""
    client = Client()
    client.cookies[COOKIE] = key
    return int(client.get("/").status_code)


def code() -> str:
    return str(format_hotp_value(hotp_value(SECRET, next(yield_hotp_counters_from_time()))))


# --- Session fixation ----------------------------------------------------------------------------


@pytest.mark.parametrize("is_kept_here", [True, False], ids=["of a stranger's", "made up"])
def test_a_planted_session_isnt_the_one_that_opens(lea: User, is_kept_here: bool) -> None:  # noqa: F811
    planted = SessionStore()
    planted["x"] = "1"
    planted.create()
    key = planted.session_key if is_kept_here else "a" * 32
    client = Client()
    client.cookies[COOKIE] = key

    log_in(client)

    assert key_of(client) != key
    assert client.get("/").status_code == 200
    assert opened_by(key) == 302


def test_logging_out_ends_the_session_itself(lea: User) -> None:  # noqa: F811
    client = Client()
    log_in(client)
    key = key_of(client)
    assert opened_by(key) == 200

    client.post("/compte/logout/")

    assert opened_by(key) == 302


def test_a_new_password_gives_ones_own_session_a_new_key(lea: User) -> None:  # noqa: F811
    client = Client()
    log_in(client)
    key = key_of(client)

    client.post(
        "/compte/password/change/",
        {"oldpassword": PASSWORD, "password1": OTHER, "password2": OTHER},
    )

    assert key_of(client) != key
    assert (client.get("/").status_code, opened_by(key)) == (200, 302)


def test_a_second_factor_gives_the_session_a_new_key(lea: User) -> None:  # noqa: F811
    TOTP.activate(lea, SECRET)
    client = Client()
    log_in(client)
    half = key_of(client)

    client.post("/compte/2fa/authenticate/", {"code": code()})

    assert key_of(client) != half
    assert (client.get("/").status_code, opened_by(half)) == (200, 302)


def test_a_role_taken_away_is_gone_from_sessions_that_are_open(lea: User) -> None:  # noqa: F811
    client = Client()
    log_in(client)
    assert client.get("/admin/sales/order/").status_code == 200

    lea.groups.clear()
    assert client.get("/admin/sales/order/").status_code == 403
    lea.is_active = False
    lea.save()
    assert client.get("/").status_code == 302


# --- The second factor ---------------------------------------------------------------------------


def everywhere() -> list[Place]:
    """Every address but those with which one sets a factor up, leaves, or watches the site."""
    return [p for p in places() if not p.url().startswith(SecondFactorMiddleware.OPEN)]


ASKING = [{}, {"HTTP_ACCEPT": "application/json"}, {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest"}]


@pytest.mark.once
@pytest.mark.parametrize(
    ("method", "asking"), [*[("GET", how) for how in ASKING], ("POST", {}), ("PUT", {})]
)
def test_a_factor_that_is_due_comes_before_every_address(
    lea: User,  # noqa: F811
    method: str,
    asking: dict[str, str],
) -> None:
    company().second_factor_roles.add(Group.objects.get(name="Ventes"))
    lea.is_superuser = True
    lea.save()
    client = Client(raise_request_exception=False)
    log_in(client)

    tried = everywhere()
    passed = [
        place.name
        for place in tried
        if client.generic(method, place.url(), **asking).headers.get("Location") != "/compte/2fa/"
    ]

    assert len(tried) > 300
    assert passed == []


@pytest.mark.once
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_password_alone_opens_no_address(lea: User, method: str) -> None:  # noqa: F811
    """Half-way in is out, on the account's own pages too."""
    TOTP.activate(lea, SECRET)
    lea.is_superuser = True
    lea.save()
    client = Client(raise_request_exception=False)
    log_in(client)

    opened = []
    for place in places():
        answer = client.generic(method, place.url())
        leads = answer.headers.get("Location", "")
        is_shut = answer.status_code in (403, 404, 405) or "/login/" in leads
        if not (is_shut or place.url().startswith(OPEN_TO_ALL)):
            opened.append(place.name)
        assert "_auth_user_id" not in client.session, place.name
    assert opened == []


def test_the_password_alone_changes_nothing_of_the_account(lea: User) -> None:  # noqa: F811
    TOTP.activate(lea, SECRET)
    client = Client()
    log_in(client)

    for path, data in (
        ("password/change/", {"oldpassword": PASSWORD, "password1": OTHER, "password2": OTHER}),
        ("email/", {"action_add": "", "email": "voleur@exemple.test"}),
        ("2fa/totp/deactivate/", {}),
        ("2fa/recovery-codes/generate/", {}),
        ("reauthenticate/", {"password": PASSWORD}),
        ("sessions/", {}),
    ):
        client.post(f"/compte/{path}", data)

    lea.refresh_from_db()
    assert lea.check_password(PASSWORD)
    assert lea.email == "lea@exemple.test"
    assert list(Authenticator.objects.values_list("type", flat=True)) == ["totp"]
    assert client.get("/").status_code == 302


def test_a_factor_put_off_is_due_again_at_once(lea: User) -> None:  # noqa: F811
    company().second_factor_roles.add(Group.objects.get(name="Ventes"))
    TOTP.activate(lea, SECRET)
    client = Client()
    log_in(client)
    client.post("/compte/2fa/authenticate/", {"code": code()})
    assert client.get("/").status_code == 200

    client.post("/compte/reauthenticate/", {"password": PASSWORD})
    client.post("/compte/2fa/totp/deactivate/")

    assert not Authenticator.objects.exists()
    assert client.get("/").headers["Location"] == "/compte/2fa/"


def test_a_browser_that_is_remembered_is_asked_again(lea: User) -> None:  # noqa: F811
    TOTP.activate(lea, SECRET)
    client = Client()
    client.post("/compte/login/", {"login": "lea", "password": PASSWORD, "remember": "on"})
    client.post("/compte/2fa/authenticate/", {"code": code()})
    assert client.session.get_expiry_age() <= 12 * 3600
    client.post("/compte/logout/")

    again = client.post("/compte/login/", {"login": "lea", "password": PASSWORD, "remember": "on"})

    assert again.headers["Location"].startswith("/compte/2fa/authenticate/")
    assert client.get("/").status_code == 302


def test_no_code_opens_twice(lea: User) -> None:  # noqa: F811
    TOTP.activate(lea, SECRET)
    recovery = RecoveryCodes.activate(lea).generate_codes()[0]

    for once in (code(), recovery):
        first, second = Client(), Client()
        for client in (first, second):
            log_in(client)
            client.post("/compte/2fa/authenticate/", {"code": once})
        assert [first.get("/").status_code, second.get("/").status_code] == [200, 302]


def test_codes_are_not_guessed(lea: User) -> None:  # noqa: F811
    TOTP.activate(lea, SECRET)
    client = Client()
    log_in(client)
    for _try in range(5):
        client.post("/compte/2fa/authenticate/", {"code": "000000"})

    client.post("/compte/2fa/authenticate/", {"code": code()})
    assert client.get("/").status_code == 302
    # Nor from elsewhere.
    other = Client(REMOTE_ADDR="203.0.113.9")
    log_in(other)
    other.post("/compte/2fa/authenticate/", {"code": code()})
    assert other.get("/").status_code == 302


def test_a_password_that_is_reset_leaves_the_factor(lea: User) -> None:  # noqa: F811
    from django.core import mail

    TOTP.activate(lea, SECRET)
    client = Client()
    client.post("/compte/password/reset/", {"email": lea.email})
    link = next(w for w in str(mail.outbox[0].body).split() if "/password/reset/key/" in w)
    path = "/" + link.split("/", 3)[3]
    form = client.get(path, follow=True).request["PATH_INFO"]
    client.post(form, {"password1": OTHER, "password2": OTHER})

    lea.refresh_from_db()
    assert lea.check_password(OTHER)
    assert client.get("/").status_code == 302
    assert log_in(client, OTHER).headers["Location"].startswith("/compte/2fa/authenticate/")
    # The link is worth nothing any more.
    client.post(form, {"password1": PASSWORD, "password2": PASSWORD})
    lea.refresh_from_db()
    assert lea.check_password(OTHER)


@pytest.mark.parametrize("gap", [timedelta(hours=-2), timedelta(), timedelta(hours=2)])
def test_a_used_link_is_dead_whatever_the_clock_says(
    lea: User,  # noqa: F811
    gap: timedelta,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A clock set back or forward neither wakes a link up nor keeps one alive."""
    tokens = EmailAwarePasswordResetTokenGenerator()
    token = tokens.make_token(lea)
    lea.set_password(OTHER)
    lea.save()

    then = tokens._now() + gap
    monkeypatch.setattr(tokens, "_now", lambda: then)

    assert not tokens.check_token(lea, token)


def test_a_link_ends_with_its_time(
    lea: User,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tokens = EmailAwarePasswordResetTokenGenerator()
    token = tokens.make_token(lea)
    assert tokens.check_token(lea, token)

    late = tokens._now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT + 60)
    monkeypatch.setattr(tokens, "_now", lambda: late)

    assert not tokens.check_token(lea, token)
