"""Log-in: limits, passwords, second factors, sessions; what is written of them."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.models import Group, User
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from sphinx.core.models import AuditEvent
from sphinx.core.services import company
from sphinx.dashboard.roles import ensure_roles
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db
PASSWORD = "un-mot-de-passe-assez-long"


@pytest.fixture(autouse=True)
def _forget_tries() -> Any:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def lea() -> User:
    ensure_roles()
    user = User.objects.create_user("lea", "lea@exemple.test", PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="Ventes"))
    return user


def log_in(client: Client, password: str = PASSWORD, name: str = "lea") -> Any:
    return client.post("/compte/login/", {"login": name, "password": password})


def kinds() -> list[str]:
    events = AuditEvent.objects.filter(kind__startswith="account.").order_by("pk")
    return list(events.values_list("kind", flat=True))


def test_passwords_are_kept_as_argon2id(lea: User) -> None:
    assert lea.password.startswith("argon2$argon2id$")


@pytest.mark.parametrize("weak", ["court", "123456789012", "motdepasse", "lea@exemple.test"])
def test_weak_passwords_are_refused(lea: User, weak: str) -> None:
    client = Client()
    log_in(client)
    client.post(
        "/compte/password/change/",
        {"oldpassword": PASSWORD, "password1": weak, "password2": weak},
    )
    lea.refresh_from_db()
    assert lea.check_password(PASSWORD)


def test_five_wrong_passwords_lock_the_account_even_for_the_right_one(lea: User) -> None:
    client = Client()
    for _try in range(5):
        assert log_in(client, "faux").status_code == 200
    locked = log_in(client)
    assert "Trop de tentatives de connexion" in locked.content.decode()
    assert "_auth_user_id" not in client.session
    assert kinds() == ["account.login_failed"] * 5


def test_many_accounts_tried_from_one_address_are_stopped(lea: User) -> None:
    client = Client()
    for n in range(10):
        log_in(client, "faux", f"inconnu{n}")
    log_in(client)
    assert "_auth_user_id" not in client.session
    assert kinds() == []


def test_a_reset_says_the_same_of_known_and_unknown_addresses(lea: User) -> None:
    answers = [
        Client().post("/compte/password/reset/", {"email": email}, follow=True)
        for email in ("lea@exemple.test", "personne@exemple.test")
    ]
    told = [answer.content.decode().split("<main>")[1] for answer in answers]
    assert told[0] == told[1]
    assert answers[0].redirect_chain == answers[1].redirect_chain
    assert [m.to for m in mail.outbox][:1] == [["lea@exemple.test"]]


def test_a_wrong_name_and_a_wrong_password_say_the_same(lea: User) -> None:
    pages = [log_in(Client(), "faux", name).content.decode() for name in ("lea", "personne")]
    told = [page.split('class="errorlist')[1].split("</ul>")[0] for page in pages]
    assert told[0] == told[1]


def test_nobody_opens_an_account_of_their_own() -> None:
    page = Client().post(
        "/compte/signup/",
        {"username": "x", "email": "x@x.test", "password1": PASSWORD, "password2": PASSWORD},
    )
    assert page.status_code == 200
    assert not User.objects.exists()


def test_a_role_that_needs_a_second_factor_sets_it_up_first(lea: User) -> None:
    company().second_factor_roles.add(Group.objects.get(name="Ventes"))
    client = Client()
    client.force_login(lea)
    for path in ("/", "/admin/sales/order/", "/statistiques/"):
        assert client.get(path).headers["Location"] == "/compte/2fa/"
    assert client.get("/aide/").status_code == 302
    assert client.get("/compte/2fa/").status_code == 200


def test_a_role_that_needs_none_works_as_before(lea: User) -> None:
    company().second_factor_roles.add(Group.objects.get(name="Gérant"))
    client = Client()
    client.force_login(lea)
    assert client.get("/").status_code == 200


def test_with_a_second_factor_the_password_alone_opens_nothing(lea: User) -> None:
    company().second_factor_roles.add(Group.objects.get(name="Ventes"))
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(lea, secret)
    client = Client()
    answer = log_in(client)
    assert answer.headers["Location"].startswith("/compte/2fa/authenticate/")
    assert client.get("/").status_code == 302

    code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    client.post("/compte/2fa/authenticate/", {"code": code})
    assert client.get("/").status_code == 200
    assert "account.logged_in" in kinds()


def test_the_owner_requires_it_on_the_firms_page(lea: User) -> None:
    owner = signed_in("Gérant")
    shown = owner.get(f"/admin/core/company/{company().pk}/change/").content.decode()
    assert "Second facteur exigé des rôles" in shown


def test_people_see_and_end_their_other_sessions(lea: User) -> None:
    here, there = Client(HTTP_USER_AGENT="Ici"), Client(HTTP_USER_AGENT="Ailleurs")
    for client in (here, there):
        log_in(client)
        client.get("/")
    assert "Ailleurs" in here.get("/compte/sessions/").content.decode()
    here.post("/compte/sessions/")
    assert there.get("/").status_code == 302
    assert here.get("/").status_code == 200


def test_the_owner_ends_the_sessions_of_who_leaves(lea: User) -> None:
    client = Client()
    log_in(client)
    client.get("/")
    signed_in("Gérant").post(
        "/admin/auth/user/", {"action": "end_sessions", "_selected_action": [lea.pk]}
    )
    assert client.get("/").status_code == 302
    assert not UserSession.objects.filter(user=lea).exists()
    assert kinds()[-1] == "account.sessions_ended"


def test_a_new_password_ends_other_sessions(lea: User) -> None:
    here, there = Client(), Client()
    for client in (here, there):
        log_in(client)
    other = "une-autre-phrase-assez-longue"
    here.post(
        "/compte/password/change/",
        {"oldpassword": PASSWORD, "password1": other, "password2": other},
    )
    assert there.get("/").status_code == 302
    assert here.get("/").status_code == 200
    assert "account.password_changed" in kinds()


def test_a_second_factor_is_not_removed_without_the_password_again(lea: User) -> None:
    TOTP.activate(lea, "JBSWY3DPEHPK3PXP")
    client = Client()
    client.force_login(lea)
    answer = client.post("/compte/2fa/totp/deactivate/")
    assert answer.headers["Location"].startswith("/compte/reauthenticate/") or (
        answer.headers["Location"].startswith("/compte/2fa/reauthenticate/")
    )
    assert Authenticator.objects.filter(user=lea).exists()


def test_without_redis_the_log_in_says_what_is_the_matter(client: Client) -> None:
    """Tries are counted there: nobody is let in uncounted, and nobody sees a bare error."""
    away = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:9/0",
    }

    with override_settings(CACHES={"default": away}):
        answer = client.post("/compte/login/", {"login": "lea", "password": "x" * 20})

    assert answer.status_code == 503
    assert "réessayez" in answer.content.decode()


def test_an_owner_doesnt_end_a_super_users_sessions(lea: User) -> None:
    chief = User.objects.create_superuser("chef", "chef@exemple.test", PASSWORD)
    client = Client()
    log_in(client, name="chef")
    client.get("/")
    owner = signed_in("Gérant")
    answer = owner.post(
        "/admin/auth/user/",
        {"action": "end_sessions", "_selected_action": [chief.pk]},
        follow=True,
    )
    assert client.get("/").status_code == 200
    assert "super-utilisateur" in answer.content.decode()
    page = f"/admin/auth/user/{chief.pk}/password/"
    assert owner.post(page, {"password1": "x" * 20, "password2": "x" * 20}).status_code == 403


def test_a_super_user_ends_those_of_another(lea: User) -> None:
    chief = User.objects.create_superuser("chef", "chef@exemple.test", PASSWORD)
    client, other = Client(), Client()
    log_in(client, name="chef")
    client.get("/")
    other.force_login(User.objects.create_superuser("autre"))
    other.post("/admin/auth/user/", {"action": "end_sessions", "_selected_action": [chief.pk]})
    assert client.get("/").status_code == 302


# --- By name or by e-mail ------------------------------------------------------------------------

NAMES = ["lea", "LEA", "lea@exemple.test", "Lea@Exemple.test", "inconnue", "inconnue@exemple.test"]


@pytest.mark.parametrize("name", NAMES[:4])
def test_a_name_and_an_e_mail_open_the_same_account(lea: User, name: str) -> None:
    client = Client()
    log_in(client, name=name)
    assert client.session["_auth_user_id"] == str(lea.pk)


@pytest.mark.parametrize("name", NAMES)
def test_a_refused_log_in_costs_one_hash_and_as_many_statements_whoever_it_is(
    lea: User, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = []
    for how in ("encode", "verify"):
        real = getattr(Argon2PasswordHasher, how)

        def counted(*args: Any, _real: Any = real, **kwargs: Any) -> Any:
            hashed.append(1)
            return _real(*args, **kwargs)

        monkeypatch.setattr(Argon2PasswordHasher, how, counted)
    client = Client()
    log_in(client, "faux", "personne")
    hashed.clear()
    with CaptureQueriesContext(connection) as asked:
        log_in(client, "faux", name)
    # Whoever it is three look-ups and a line of the trail, which is a stranger's for a moment only.
    verbs = [query["sql"].split()[0] for query in asked if "SAVEPOINT" not in query["sql"]]
    assert verbs == ["SELECT", "SELECT", "SELECT", "INSERT"]
    assert len(hashed) == 1


def test_tries_by_name_and_by_e_mail_are_counted_together(lea: User) -> None:
    for name in ("lea", "lea@exemple.test", "LEA", "LEA@exemple.test", "lea"):
        log_in(Client(), "faux", name)
    for name in ("lea", "lea@exemple.test"):
        client = Client()
        assert "Trop de tentatives" in log_in(client, name=name).content.decode()
        assert "_auth_user_id" not in client.session


def test_an_e_mail_that_two_people_have_opens_nobodys_account(lea: User) -> None:
    User.objects.create_user("tom", "lea@exemple.test", PASSWORD)
    client = Client()
    log_in(client, name="lea@exemple.test")
    assert "_auth_user_id" not in client.session
    log_in(client, name="lea")
    assert "_auth_user_id" in client.session
