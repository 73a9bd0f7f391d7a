"""`manage.py setup`: a firm is told by a document or by words, once or twice."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from inventory.models import Warehouse
from invoicing.models import PlatformSettings
from sphinx.core.models import AuditEvent, Company, Shop

pytestmark = pytest.mark.django_db
FIRM = {
    "company": {
        "name": "Maison Claire", "siren": "123456782", "vat_number": "FR11123456782",
        "address1": "1 rue des Lilas", "postcode": "44000", "city": "Nantes", "uses_oss": True,
    },
    "owner": {"username": "claire", "email": "claire@exemple.test", "password": "lilas-et-glycine"},
    "shop": {"code": "web", "name": "Boutique en ligne"},
    "warehouse": {"code": "nantes", "name": "Nantes"},
    "platform": {"platform_id": "1234", "starts_on": "2026-09-01", "is_active": True},
}  # fmt: skip


def setup(capsys: Any, *words: str) -> dict[str, Any]:
    capsys.readouterr()
    call_command("setup", *words, "--json")
    return dict(json.loads(capsys.readouterr().out))


def refused(capsys: Any, *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        call_command("setup", *words)
    assert ended.value.code == 2
    return str(capsys.readouterr().err)


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "firm.json").write_text(json.dumps(FIRM))
    return str(tmp_path / "firm.json")


def test_a_new_installation_says_what_is_missing(capsys: Any) -> None:
    result = setup(capsys)
    assert {"company.name", "company.siren", "owner", "shop"} <= set(result["missing"])
    assert (result["owner"], result["changed"]) == (None, [])


def test_a_document_sets_everything_and_the_same_again_nothing(capsys: Any, file: str) -> None:
    result = setup(capsys, "--from", file)
    assert result["missing"] == []
    assert (result["company"]["name"], result["owner"]) == ("Maison Claire", "claire")
    assert [shop["code"] for shop in result["shops"]] == ["web"]
    owner = User.objects.get(username="claire")
    assert owner.check_password("lilas-et-glycine")
    assert owner.has_perm("core.change_company")
    assert PlatformSettings.objects.get().is_active
    assert Warehouse.objects.filter(code="nantes").exists()

    events = AuditEvent.objects.filter(kind="firm.set_up").count()
    assert setup(capsys, "--from", file)["changed"] == []
    assert AuditEvent.objects.filter(kind="firm.set_up").count() == events == 1
    assert "lilas" not in str(list(AuditEvent.objects.values_list("details", flat=True)))


def test_words_say_the_same_and_come_after_the_document(capsys: Any, file: str) -> None:
    result = setup(capsys, "--from", file, "--set", "company.city=Rezé", "--set", "shop.code=bis")
    assert result["company"]["city"] == "Rezé"
    assert setup(capsys, "--set", "company.uses_oss=false")["changed"] == ["company.uses_oss"]
    assert not Company.objects.get().uses_oss


def test_a_document_comes_by_standard_input(capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"shop": {"code": "a"}})))
    assert setup(capsys, "--from", "-")["shops"][0]["code"] == "a"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("company.nom=x", "n'est pas un réglage"),
        ("firm.name=x", "n'est pas un réglage"),
        ("company.siren=123", "siren"),
        ("shop.code=é é", "code"),
        ("owner.username=x", "owner.password"),
        ("platform.is_active=true", "date de départ"),
        ("sans-egal", "ne se lit pas"),
    ],
)
def test_what_cant_be_is_refused_whole(capsys: Any, words: str, said: str) -> None:
    assert said in refused(capsys, "--set", "company.city=Rezé", "--set", words)
    assert not Company.objects.filter(city="Rezé").exists()
    assert not Shop.objects.exists()


def test_who_is_there_keeps_the_password_that_he_chose(capsys: Any, file: str) -> None:
    setup(capsys, "--from", file)
    owner = User.objects.get(username="claire")
    owner.set_password("un-autre-mot-de-passe")
    owner.save()
    setup(capsys, "--from", file)
    assert User.objects.get(username="claire").check_password("un-autre-mot-de-passe")
