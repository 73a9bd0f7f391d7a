"""Log-in by the firm's identity provider, against a real one on loopback."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
import requests
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount, SocialToken
from cryptography.hazmat.primitives import serialization
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client

from sphinx.core.identity import Identity, admit, role_pairs
from sphinx.core.models import AuditEvent
from sphinx.core.services import company
from sphinx.dashboard.roles import ensure_roles
from tests.core.test_accounts import PASSWORD, kinds, lea, log_in  # noqa: F401 (fixture)
from tests.core.test_mail import production
from tests.support.identity import CLIENT, KEY, OTHER_KEY, SECRET, Provider, provider
from tests.support.threads import together

pytestmark = pytest.mark.django_db
START, BACK, LOG_IN = "/compte/oidc/", "/compte/oidc/retour/", "/compte/login/"
PAUL = {
    "sub": "paul-1",
    "email": "paul@exemple.test",
    "email_verified": True,
    "preferred_username": "paul",
    "given_name": "Paul",
    "family_name": "Durand",
    "groups": ["/ventes", "/cantine"],
}


@pytest.fixture
def firm(settings: Any) -> Iterator[Provider]:
    """A provider that has Paul logged in, and the settings that name it."""
    cache.clear()
    ensure_roles()
    with provider() as it:
        it.person = dict(PAUL)
        settings.OIDC_ISSUER = it.address
        settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT, SECRET
        settings.OIDC_NAME = "Annuaire"
        settings.OIDC_ROLES = "/ventes=Ventes; /stock=Entrepôt"
        yield it
    cache.clear()


def way_back(client: Client, query: str = "") -> str:
    """Goes to the provider as a browser would; the address it sends the browser back to."""
    there = client.get(f"{START}{query}").headers["Location"]
    back = requests.get(there, allow_redirects=False, timeout=5).headers["Location"]
    parts = urlsplit(back)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"http://testserver{BACK}"
    return f"{parts.path}?{parts.query}"


def comes_in(client: Client, query: str = "") -> Any:
    return client.get(way_back(client, query))


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def refused(client: Client, answer: Any) -> str:
    """What the log-in page says to who was refused."""
    assert answer.status_code == 302
    assert answer.headers["Location"] == LOG_IN
    assert not is_in(client)
    return str(client.get(LOG_IN).content.decode().split("<main>")[1])


def roles(user: User) -> set[str]:
    return {group.name for group in user.groups.all()}


def last(kind: str) -> AuditEvent:
    return AuditEvent.objects.filter(kind=kind).latest("pk")


# --- Off and on ----------------------------------------------------------------------------------


def test_nothing_of_it_is_there_unless_the_environment_says_so(client: Client) -> None:
    assert START not in client.get(LOG_IN).content.decode()
    assert [client.get(url).status_code for url in (START, BACK)] == [404, 404]


def test_the_log_in_page_shows_one_button(firm: Provider, client: Client) -> None:
    page = client.get(f"{LOG_IN}?next=/statistiques/").content.decode()
    assert page.count("Se connecter avec Annuaire") == 1
    assert f'href="{START}?next=%2Fstatistiques%2F"' in page


def test_no_page_links_accounts_or_signs_people_up(firm: Provider, client: Client) -> None:
    pages = ["3rdparty/", "3rdparty/signup/", "social/signup/", "oidc/x/login/"]
    assert {client.get(f"/compte/{page}").status_code for page in pages} == {404}


# --- In ------------------------------------------------------------------------------------------


def test_a_mapped_group_opens_an_account_with_its_role(firm: Provider, client: Client) -> None:
    assert comes_in(client).headers["Location"] == "/"
    paul = User.objects.get(username="paul")
    assert client.session["_auth_user_id"] == str(paul.pk)
    assert roles(paul) == {"Ventes"}
    assert (paul.is_staff, paul.is_superuser, paul.has_usable_password()) == (True, False, False)
    assert (paul.email, paul.get_full_name()) == ("paul@exemple.test", "Paul Durand")
    assert client.get("/admin/sales/order/").status_code == 200
    assert kinds() == [
        *["account.provider_created", "account.provider_roles", "account.provider_linked"],
        "account.logged_in",
    ]
    assert last("account.logged_in").details == {"by": "Annuaire"}
    assert last("account.provider_roles").details == {"given": ["Ventes"], "taken": []}


def test_a_state_a_nonce_and_a_challenge_of_its_own_go_each_time(firm: Provider) -> None:
    asked = [parse_qs(urlsplit(Client().get(START).headers["Location"]).query) for _ in range(2)]
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
    assert asked[0]["code_challenge_method"] == ["S256"]


def test_the_address_puts_nothing_into_what_is_asked_of_the_provider(
    firm: Provider, client: Client
) -> None:
    odd = urlencode({"scope": "all", "process": "connect", "auth_params": "redirect_uri=http://x"})
    there = parse_qs(urlsplit(client.get(f"{START}?{odd}").headers["Location"]).query)
    assert there["redirect_uri"] == [f"http://testserver{BACK}"]
    assert set(there["scope"][0].split()) == {"openid", "profile", "email"}


def test_nothing_but_the_link_is_kept(firm: Provider, client: Client) -> None:
    comes_in(client)
    link = SocialAccount.objects.get()
    assert (link.uid, link.extra_data) == ("paul-1", {})
    assert not SocialToken.objects.exists()


def test_the_second_time_the_same_account_opens_whatever_the_e_mail(firm: Provider) -> None:
    comes_in(Client())
    firm.person |= {"email": "p.durand@exemple.test", "preferred_username": "pdurand"}
    client = Client()
    comes_in(client)
    assert is_in(client)
    assert User.objects.count() == 1


def test_an_account_that_is_there_opens_by_its_verified_e_mail(
    firm: Provider,
    lea: User,  # noqa: F811
) -> None:
    firm.person |= {"sub": "lea-1", "email": "Lea@Exemple.test"}
    client = Client()
    comes_in(client)
    assert client.session["_auth_user_id"] == str(lea.pk)
    assert User.objects.count() == 1
    other = Client()
    log_in(other)
    assert is_in(other)


def test_without_a_mapping_roles_are_left_alone(
    firm: Provider,
    lea: User,  # noqa: F811
    settings: Any,
) -> None:
    settings.OIDC_ROLES = ""
    firm.person |= {"sub": "lea-1", "email": "lea@exemple.test", "groups": []}
    client = Client()
    comes_in(client)
    assert is_in(client)
    assert roles(lea) == {"Ventes"}


def test_a_name_that_somebody_has_is_not_given_again(firm: Provider, lea: User) -> None:  # noqa: F811
    firm.person |= {"preferred_username": "LEA"}
    client = Client()
    comes_in(client)
    assert User.objects.get(pk=client.session["_auth_user_id"]).username == "LEA2"


def test_the_page_that_was_asked_for_opens(firm: Provider, client: Client) -> None:
    assert comes_in(client, "?next=/admin/sales/order/").headers["Location"] == (
        "/admin/sales/order/"
    )


@pytest.mark.parametrize("where", ["https://ailleurs.test/", "//ailleurs.test", "javascript:x"])
def test_no_address_leads_off_our_site(firm: Provider, client: Client, where: str) -> None:
    assert comes_in(client, f"?{urlencode({'next': where})}").headers["Location"] == "/"


def test_who_is_in_already_stays(firm: Provider, lea: User) -> None:  # noqa: F811
    client = Client()
    client.force_login(lea)
    assert client.get(START).headers["Location"] == "/"
    assert firm.asked == []


# --- Roles ---------------------------------------------------------------------------------------


def test_roles_follow_the_groups_at_each_log_in(firm: Provider) -> None:
    comes_in(Client())
    firm.person["groups"] = ["/stock"]
    comes_in(Client())
    assert roles(User.objects.get()) == {"Entrepôt"}
    assert last("account.provider_roles").details == {"given": ["Entrepôt"], "taken": ["Ventes"]}


def test_a_role_that_the_mapping_does_not_name_is_left_alone(firm: Provider) -> None:
    comes_in(Client())
    paul = User.objects.get()
    paul.groups.add(Group.objects.get(name="Achats"))
    firm.person["groups"] = []
    client = Client()
    comes_in(client)
    assert roles(paul) == {"Achats"}
    assert is_in(client)


def test_who_has_no_role_left_does_not_get_in(firm: Provider, client: Client) -> None:
    comes_in(Client())
    firm.person["groups"] = ["/cantine"]
    for _time in range(2):
        assert "demandez un rôle" in refused(client, comes_in(client))
    assert roles(User.objects.get()) == set()
    assert last("account.provider_refused").details == {"reason": "no_role"}


def test_groups_that_do_not_fit_into_the_token_take_no_role(firm: Provider, client: Client) -> None:
    comes_in(Client())
    firm.person |= {"groups": None, "_claim_names": {"groups": "src1"}}
    assert "trop nombreux" in refused(client, comes_in(client))
    assert roles(User.objects.get()) == {"Ventes"}


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["/stock"]}}),
        ("https://x.test/groups", {"https://x.test/groups": ["/stock"]}),
        ("roles", {"roles": "/stock"}),
    ],
)
def test_groups_are_where_the_setting_says(
    firm: Provider, client: Client, settings: Any, claim: str, said: dict[str, Any]
) -> None:
    settings.OIDC_GROUPS_CLAIM = claim
    firm.person |= said
    comes_in(client)
    assert roles(User.objects.get()) == {"Entrepôt"}


@pytest.mark.parametrize("odd", [None, 7, {"a": 1}, [["/ventes"], 3]])
def test_odd_groups_are_none(firm: Provider, client: Client, odd: Any) -> None:
    firm.person["groups"] = odd
    refused(client, comes_in(client))


def test_no_claim_makes_a_super_user(firm: Provider, client: Client, settings: Any) -> None:
    settings.OIDC_ROLES = "/ventes=Ventes; /ventes=is_superuser"
    firm.person |= {"is_superuser": True, "is_staff": True}
    comes_in(client)
    assert not User.objects.get().is_superuser
    assert roles(User.objects.get()) == {"Ventes"}


def test_a_group_may_be_named_as_in_ldap() -> None:
    assert role_pairs("CN=Ventes,OU=Nice=Ventes;;b = Cabinet comptable") == [
        ("CN=Ventes,OU=Nice", "Ventes"),
        ("b", "Cabinet comptable"),
    ]
    with pytest.raises(ValueError, match="Ventes"):
        role_pairs("Ventes")


# --- Refused people ------------------------------------------------------------------------------


def test_a_stranger_is_refused(firm: Provider, client: Client) -> None:
    firm.person["groups"] = ["/cantine"]
    assert "demandez un rôle" in refused(client, comes_in(client))
    assert not User.objects.exists()
    assert last("account.provider_refused").details == {"reason": "stranger"}


@pytest.mark.parametrize("says", [False, None, "false", "1"])
def test_an_e_mail_that_is_not_verified_opens_nothing(
    firm: Provider,
    lea: User,  # noqa: F811
    says: Any,
) -> None:
    firm.person |= {"email": "lea@exemple.test", "email_verified": says}
    client = Client()
    assert "n&#x27;a pas vérifié" in refused(client, comes_in(client))
    assert User.objects.count() == 1


def test_a_provider_that_is_trusted_for_addresses_needs_not_say_so(
    firm: Provider,
    lea: User,  # noqa: F811
    settings: Any,
) -> None:
    settings.OIDC_TRUST_EMAIL = True
    firm.person |= {"email": "lea@exemple.test", "email_verified": None}
    client = Client()
    comes_in(client)
    assert client.session["_auth_user_id"] == str(lea.pk)


def test_an_address_that_nobody_vouches_for_is_not_kept(firm: Provider, client: Client) -> None:
    firm.person["email_verified"] = False
    comes_in(client)
    assert User.objects.get().email == ""


@pytest.mark.parametrize("was_in", [True, False])
def test_an_account_that_is_switched_off_stays_shut(firm: Provider, was_in: bool) -> None:
    if was_in:
        comes_in(Client())
    else:
        User.objects.create_user("paul", "paul@exemple.test", PASSWORD)
    User.objects.update(is_active=False)
    client = Client()
    assert "désactivé" in refused(client, comes_in(client))
    assert User.objects.count() == 1


def test_an_e_mail_that_two_accounts_have_opens_neither(
    firm: Provider,
    lea: User,  # noqa: F811
) -> None:
    User.objects.create_user("tom", "lea@exemple.test", PASSWORD)
    firm.person["email"] = "lea@exemple.test"
    client = Client()
    assert "Plusieurs comptes" in refused(client, comes_in(client))


def test_nobody_gives_themselves_a_colleagues_address(
    firm: Provider,
    lea: User,  # noqa: F811
) -> None:
    """Else the colleague's first log-in would give that account the colleague's roles."""
    client = Client()
    log_in(client)
    for data in ({"email": PAUL["email"], "action_add": ""}, {"email": PAUL["email"]}):
        assert client.post("/compte/email/", data).status_code == 404
    comes_in(Client())
    assert roles(lea) == {"Ventes"}
    assert User.objects.count() == 2


def test_a_super_users_account_does_not_open_so(firm: Provider, client: Client) -> None:
    User.objects.create_superuser("chef", "paul@exemple.test", PASSWORD)
    assert "super-utilisateur" in refused(client, comes_in(client))
    assert not SocialAccount.objects.exists()


# --- Refused tokens ------------------------------------------------------------------------------


def _with_other_key(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, OTHER_KEY, algorithm="RS256", headers={"kid": "one"})


def _with_key_that_encrypts(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, OTHER_KEY, algorithm="RS256", headers={"kid": "two"})


def _with_unknown_key(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "three"})


def _unsigned(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, None, algorithm="none", headers={"kid": "one"})


def _by_public_key_as_secret(claims: dict[str, Any]) -> str:
    """The old trick: HMAC with what everybody knows."""
    known = KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    parts = [
        urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "kid": "one"}, claims)
    ]
    seal = urlsafe_b64encode(hmac.digest(known, b".".join(parts), "sha256")).rstrip(b"=")
    return b".".join([*parts, seal]).decode()


def _changed(claims: dict[str, Any]) -> str:
    head, _body, seal = jwt.encode(claims, KEY, "RS256", {"kid": "one"}).split(".")
    body = urlsafe_b64encode(json.dumps(claims | {"sub": "x"}).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{seal}"


@pytest.mark.parametrize(
    "sign",
    [
        *[_with_other_key, _with_key_that_encrypts, _with_unknown_key, _unsigned],
        *[_by_public_key_as_secret, _changed, lambda _claims: "pas.un.jeton", lambda _claims: ""],
    ],
)
def test_a_token_that_the_provider_did_not_sign_is_refused(
    firm: Provider, client: Client, sign: Any
) -> None:
    firm.sign = sign
    assert "n&#x27;a pas abouti" in refused(client, comes_in(client))
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "un-autre"},
        {"aud": None},
        {"aud": [CLIENT, "un-autre"], "azp": "un-autre"},
        {"iss": "https://ailleurs.test"},
        {"exp": int(time.time()) - 120},
        {"exp": None},
        {"iat": int(time.time()) + 3600},
        {"nonce": "un-autre"},
        {"nonce": ""},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 300},
        {"sub": "a\0b"},
    ],
)
def test_a_token_for_another_or_another_time_is_refused(
    firm: Provider, client: Client, claims: dict[str, Any]
) -> None:
    firm.claims = claims
    assert "n&#x27;a pas abouti" in refused(client, comes_in(client))
    assert not User.objects.exists()


@pytest.mark.parametrize("state", ["", "x", None])
def test_another_state_is_refused(firm: Provider, client: Client, state: str | None) -> None:
    back = way_back(client)
    code = parse_qs(urlsplit(back).query)["code"][0]
    given = {"code": code} if state is None else {"code": code, "state": state}
    refused(client, client.get(f"{BACK}?{urlencode(given)}"))
    assert "/token" not in firm.asked


def test_what_came_back_opens_no_other_browser(firm: Provider, client: Client) -> None:
    back = way_back(client)
    thief = Client()
    refused(thief, thief.get(back))


def test_what_came_back_opens_once(firm: Provider, client: Client) -> None:
    back = way_back(client)
    client.get(back)
    client.post("/compte/logout/")
    refused(client, client.get(back))


def test_a_code_that_was_used_is_refused_with_a_new_state_too(
    firm: Provider, client: Client
) -> None:
    used = parse_qs(urlsplit(way_back(client)).query)["code"]
    firm.codes.clear()
    state = parse_qs(urlsplit(way_back(client)).query)["state"]
    refused(client, client.get(f"{BACK}?{urlencode({'code': used[0], 'state': state[0]})}"))
    assert firm.refusals == ["code"]


def test_who_gives_up_at_the_provider_comes_back_to_the_log_in(
    firm: Provider, client: Client
) -> None:
    state = parse_qs(urlsplit(way_back(client)).query)["state"][0]
    given = {"error": "access_denied", "state": state}
    refused(client, client.get(f"{BACK}?{urlencode(given)}"))


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://ailleurs.test"},
        {"jwks_uri": "http://ailleurs.test/keys"},
        {"token_endpoint": None},
        {"padding": "x" * 2**21},
    ],
)
def test_a_provider_that_says_odd_things_of_itself_is_not_asked(
    firm: Provider, client: Client, said: dict[str, Any]
) -> None:
    firm.discovery = said
    assert "ne répond pas" in refused(client, client.get(START))


def test_a_provider_in_the_clear_is_not_asked(
    firm: Provider, client: Client, settings: Any
) -> None:
    settings.OIDC_ISSUER = "http://ailleurs.test"
    assert "ne répond pas" in refused(client, client.get(START))


def test_a_provider_that_is_away_is_said_so(firm: Provider, client: Client, settings: Any) -> None:
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    assert "ne répond pas" in refused(client, client.get(START))


def test_many_tries_from_one_address_are_stopped(firm: Provider) -> None:
    assert [Client().get(START).status_code for _ in range(31)][-1] == 429


# --- Second factor, and passwords ----------------------------------------------------------------


def test_our_second_factor_is_asked_for_as_ever(firm: Provider, lea: User) -> None:  # noqa: F811
    TOTP.activate(lea, "JBSWY3DPEHPK3PXP")
    firm.person |= {"email": "lea@exemple.test", "amr": ["pwd", "mfa"]}
    client = Client()
    assert comes_in(client).headers["Location"].startswith("/compte/2fa/authenticate/")
    assert not is_in(client)


def test_who_must_set_one_up_does(firm: Provider, client: Client) -> None:
    company().second_factor_roles.add(Group.objects.get(name="Ventes"))
    comes_in(client)
    assert client.get("/").headers["Location"] == "/compte/2fa/"
    assert client.get("/compte/2fa/totp/activate/").status_code == 200


@pytest.mark.parametrize("said", [{"amr": ["pwd", "mfa"]}, {"acr": "mfa"}])
def test_one_that_the_provider_did_counts_where_the_setting_says_so(
    firm: Provider,
    lea: User,  # noqa: F811
    settings: Any,
    said: dict[str, Any],
) -> None:
    settings.OIDC_SECOND_FACTOR = ["mfa"]
    company().second_factor_roles.add(Group.objects.get(name="Ventes"))
    firm.person |= {"email": "lea@exemple.test", **said}
    client = Client()
    comes_in(client)
    assert client.get("/").status_code == 200
    TOTP.activate(lea, "JBSWY3DPEHPK3PXP")
    client = Client()
    comes_in(client)
    assert client.get("/").status_code == 200
    by_password = Client()
    log_in(by_password)
    assert not is_in(by_password)


@pytest.mark.parametrize("said", [{"amr": ["pwd"]}, {"amr": "mfa"}, {"acr": "1"}, {}])
def test_one_that_the_provider_did_not_do_is_asked_for(
    firm: Provider, client: Client, settings: Any, said: dict[str, Any]
) -> None:
    settings.OIDC_SECOND_FACTOR = ["mfa"]
    company().second_factor_roles.add(Group.objects.get(name="Ventes"))
    firm.person |= said
    comes_in(client)
    assert client.get("/").headers["Location"] == "/compte/2fa/"


def test_passwords_may_be_closed_to_all_but_super_users(
    firm: Provider,
    lea: User,  # noqa: F811
    settings: Any,
) -> None:
    settings.OIDC_ONLY = True
    User.objects.create_superuser("chef", "chef@exemple.test", PASSWORD)
    closed, chief = Client(), Client()
    log_in(closed)
    log_in(chief, name="chef")
    assert (is_in(closed), is_in(chief)) == (False, True)
    firm.person["email"] = "lea@exemple.test"
    comes_in(closed)
    assert is_in(closed)


def test_a_setting_without_a_provider_shuts_nobody_out(lea: User, settings: Any) -> None:  # noqa: F811
    settings.OIDC_ONLY = True
    client = Client()
    log_in(client)
    assert is_in(client)


# --- Before going live ---------------------------------------------------------------------------


@pytest.mark.once
def test_the_check_before_going_live_says_what_is_wrong() -> None:
    assert "sphinx.E00" not in production("check", "--deploy").stderr
    wrong = {"OIDC_ISSUER": "http://ailleurs.test", "OIDC_ROLES": "a=Vente"}
    said = production("check", "--deploy", **wrong)
    assert said.returncode != 0
    for told in ("sphinx.E001", "OIDC_CLIENT_ID", "sphinx.E002", "sphinx.E004"):
        assert told in said.stderr
    right = {
        "OIDC_ISSUER": "https://ailleurs.test",
        "OIDC_CLIENT_ID": "a",
        "OIDC_CLIENT_SECRET": "b",
        "OIDC_ROLES": "a=Ventes",
    }
    said = production("check", "--deploy", **right)
    assert said.returncode == 0
    assert "OIDC" not in said.stderr
    said = production("check", "--deploy", **right | {"OIDC_ROLES": "Ventes"})
    assert "sphinx.E003" in said.stderr


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_who_comes_four_times_at_once_has_one_account(settings: Any) -> None:
    ensure_roles()
    settings.OIDC_ROLES = "/ventes=Ventes"
    who = Identity("oidc", "42", "paul@exemple.test", True, "paul", groups=frozenset(["/ventes"]))

    raised = together([lambda: admit(who)] * 4)

    assert raised == []
    assert roles(User.objects.get(username__startswith="paul")) == {"Ventes"}
    assert SocialAccount.objects.count() == 1
