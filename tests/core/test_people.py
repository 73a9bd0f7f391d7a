"""People and roles: who may give what to whom."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from sphinx.dashboard.roles import ensure_roles
from tests.test_stock_pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Client:
    return signed_in("Gérant")


def role(name: str) -> Group:
    return Group.objects.get(name=name)


def save(client: Client, user: User, **changes: object) -> int:
    values = {"username": user.username, "is_active": "on", **changes}
    return client.post(f"/admin/auth/user/{user.pk}/change/", values).status_code


def test_the_owner_gives_roles_by_ticking_them(owner: Client) -> None:
    lea = User.objects.create_user("lea", password="x" * 20, is_staff=True)
    assert save(owner, lea, groups=[role("Ventes").pk, role("Achats").pk]) == 302
    assert {g.name for g in lea.groups.all()} == {"Ventes", "Achats"}


def test_somebody_new_may_log_in_to_the_back_office(owner: Client) -> None:
    password = "un-mot-de-passe-assez-long"
    owner.post(
        "/admin/auth/user/add/",
        {
            "username": "lea",
            "usable_password": "true",
            "password1": password,
            "password2": password,
        },
    )
    assert User.objects.get(username="lea").is_staff


def test_the_owner_makes_nobody_a_super_user_nor_gives_single_rights(owner: Client) -> None:
    lea = User.objects.create_user("lea", password="x" * 20, is_staff=True)
    save(owner, lea, is_superuser="on", user_permissions=["1"])
    lea.refresh_from_db()
    assert not lea.is_superuser
    assert not lea.user_permissions.exists()


def test_the_owner_changes_no_super_user_nor_their_password(owner: Client) -> None:
    root = User.objects.create_superuser("root", password="x" * 20)
    assert save(owner, root, email="moi@exemple.test") == 403
    assert owner.get(f"/admin/auth/user/{root.pk}/password/").status_code == 403


def test_nobody_is_deleted(owner: Client) -> None:
    lea = User.objects.create_user("lea", password="x" * 20, is_staff=True)
    assert owner.post(f"/admin/auth/user/{lea.pk}/delete/", {"post": "yes"}).status_code == 403


def test_roles_are_read_not_changed(owner: Client) -> None:
    ensure_roles()
    url = f"/admin/auth/group/{role('Ventes').pk}/change/"
    shown = owner.get(url).content.decode()
    assert "client : modifier" in shown
    assert owner.post(url, {"name": "Autre"}).status_code == 403
    assert owner.get("/admin/auth/group/add/").status_code == 403


def test_other_roles_see_no_people() -> None:
    for name in ("Ventes", "Entrepôt", "Achats", "Comptable", "Exploitant"):
        assert signed_in(name).get("/admin/auth/user/").status_code == 403
