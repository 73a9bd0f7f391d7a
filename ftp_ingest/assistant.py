"""The mapping assistant's page: an unknown file, guesses, what comes of them, saved."""

import json
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from ftp_ingest import services
from ftp_ingest.cause_lines import Action, lines_of_report
from ftp_ingest.dialects.mapped import CONSTANTS, FORMAT, REQUIRED
from ftp_ingest.dialects.states import meaning_of
from ftp_ingest.dialects.vocabulary import VOCABULARY
from ftp_ingest.errors import UNKNOWN_STATUS
from ftp_ingest.labels import FIELD_LABELS, STATUS_LABELS, in_words
from ftp_ingest.models import ReceivedFile, ShopDialect
from ftp_ingest.reading.guessing import Guess, guess_columns, guess_kind, items_in_one_cell
from ftp_ingest.reading.recognition import Sample, read_sample
from ftp_ingest.services.adopting import in_assistants_words
from ftp_ingest.services.archive import archive_path, keep_copy
from ftp_ingest.services.previews import Preview
from ftp_ingest.uploads import keep_upload
from sphinx.core import clock, workbooks
from sphinx.core.errors import InputError, SphinxError
from sphinx.core.models import Shop
from sphinx.core.pages import back_office_page
from sphinx.core.typed import key_of

# So much of a file is tried out on the page.
HEAD_BYTES = 512 * 1024
MAX_STATUSES = 30


class StartForm(forms.Form):
    """Which shop's file."""

    shop = forms.ModelChoiceField(
        label=gettext_lazy("Boutique"),
        queryset=Shop.objects.filter(is_active=True),
        widget=UnfoldAdminSelectWidget,
    )
    file = forms.FileField(
        label=gettext_lazy("Fichier (CSV ou Excel)"), widget=UnfoldAdminFileFieldWidget
    )


class Line(NamedTuple):
    """One field on the page."""

    field: str
    label: str
    is_required: bool
    is_one_of_several: bool
    chosen: int
    guess: Guess
    constant: str
    takes_constant: bool


@login_required
@permission_required("ftp_ingest.change_feed", raise_exception=True)
def start(request: HttpRequest) -> HttpResponse:
    """Take a file and a shop, or a small file with a mapping made elsewhere."""
    form = StartForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with tempfile.TemporaryDirectory() as folder:
            path = keep_upload(Path(folder) / "file", form.cleaned_data["file"])
            shop = form.cleaned_data["shop"]
            if path.suffix.lower() == ".json":
                return _take(request, shop, path)
            archived = keep_copy(path)
        request.session[_session_key(archived.sha256)] = form.cleaned_data["file"].name[:255]
        return redirect("ftp_ingest:assistant", shop.code, archived.sha256)
    saved = ShopDialect.objects.select_related("shop", "created_by")
    return back_office_page(
        request,
        "ftp_ingest/assistant_start.html",
        title=_("Assistant : un fichier que personne ne connaît"),
        form=form,
        saved=saved[:50],
    )


def _take(request: HttpRequest, shop: Shop, path: Path) -> HttpResponse:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise InputError(_("Ce n'est pas une correspondance enregistrée par Sphinx."))
        saved = services.save_mapping(shop=shop, data=data, at=clock.now(), actor=request.user)
    except (ValueError, InputError) as error:
        messages.error(request, str(error))
    else:
        _read_waiting(request, saved)
    return redirect("ftp_ingest:assistant_start")


def _session_key(sha256: str) -> str:
    """Where the name of a file given to the assistant is remembered."""
    return f"assistant:{sha256}"


def _name_of(request: HttpRequest, shop: Shop, sha256: str) -> str:
    received = ReceivedFile.objects.filter(shop=shop, sha256=sha256).first()
    return received.name if received else request.session.get(_session_key(sha256), "export.csv")


def _read_waiting(
    request: HttpRequest, saved: ShopDialect, sha256: str = "", name: str = ""
) -> None:
    """Read what waited for a mapping, and say what came in."""
    said = _("%s est en vigueur : les prochains fichiers seront lus ainsi.") % saved
    report = services.read_waiting(dialect_id=saved.pk, sha256=sha256, name=name)
    if report is None:
        said += " " + _("Ce qui attendait est lu en ce moment : voyez les passages.")
    elif report.has_news:
        orders, customers = report.counts.orders, report.counts.customers
        refused = orders["quarantined"] + customers["quarantined"]
        said += " " + _(
            "Fichiers lus : %(files)s. Commandes entrées : %(orders)s. Clients : %(customers)s. "
            "Refusés, en quarantaine : %(refused)s."
        ) % {
            "files": sum(file.status == "applied" for file in report.files),
            "orders": sum(orders.values()) - orders["quarantined"],
            "customers": sum(customers.values()) - customers["quarantined"],
            "refused": refused,
        }
    messages.success(request, said)


@login_required
@permission_required("ftp_ingest.change_feed", raise_exception=True)
def assistant(request: HttpRequest, shop_code: str, sha256: str) -> HttpResponse:
    """Say what each column holds; see what comes of it; save it."""
    shop = get_object_or_404(Shop, code=shop_code)
    # A file of that shop, or one that the reader has just brought.
    is_own = _session_key(sha256) in request.session
    if not is_own and not ReceivedFile.objects.filter(shop=shop, sha256=sha256).exists():
        raise Http404
    path = archive_path(sha256)
    if not path.exists():
        raise Http404
    try:
        sample = read_sample(path)
    except InputError as error:
        messages.error(request, error.message)
        return redirect("ftp_ingest:assistant_start")
    kind = request.POST.get("kind") or guess_kind(sample.header, sample.rows)
    kind = kind if kind in VOCABULARY else "orders"
    guesses = guess_columns(sample.header, sample.rows, kind)
    given = request.POST if request.POST.get("shown_kind") == kind else None
    shown = None
    if given is None:
        if unreadable := _unreadable(sample, kind, {g.field for g in guesses if g.place >= 0}):
            messages.error(request, unreadable)
    else:
        data = _definition(given, sample, kind)
        try:
            if unreadable := _unreadable(sample, kind, set(data["columns"])):
                raise InputError(unreadable)
            shown, saved = _try_or_save(request, shop, path, data)
        except SphinxError as error:
            messages.error(request, in_words(error.message))
        else:
            if saved is not None:
                _read_waiting(request, saved, sha256, _name_of(request, shop, sha256))
                return redirect("ftp_ingest:assistant_start")
    return back_office_page(
        request,
        "ftp_ingest/assistant.html",
        title=_("Assistant : dire ce que contient chaque colonne"),
        shop=shop,
        kind=kind,
        columns=list(enumerate(sample.header.names)),
        rows=sample.rows[:5],
        lines=[_line(guess, kind, given) for guess in guesses],
        statuses=_statuses(sample, guesses, given) if kind == "orders" else [],
        status_choices=list(STATUS_LABELS.items()),
        day_first=given.get("day_first", "") if given is not None else "",
        preview=shown,
        report=shown.report.as_json() if shown else None,
        **_causes(shown, shop, request.user),
    )


def _causes(shown: Preview | None, shop: Shop, user: Any) -> dict[str, Any]:
    """Why the trial refused what it did; what its states mean is said on the page itself."""
    if shown is None:
        return {}
    faults = shown.report.counts.faults
    in_page_words = [
        (
            name,
            fault._replace(
                message=in_assistants_words(fault), column=in_words(fault.column), cause=""
            ),
        )
        for name, fault in faults
    ]
    shown.report.counts.faults = in_page_words
    causes, more = lines_of_report(shown.report, shop, user)
    here = Action(_("Dire plus bas ce que veut dire cet état"), "#etats")
    return {
        "causes": [c._replace(action=here) if c.code == UNKNOWN_STATUS else c for c in causes],
        "more_causes": more,
    }


def _try_or_save(
    request: HttpRequest, shop: Shop, path: Path, data: dict[str, Any]
) -> tuple[Preview | None, ShopDialect | None]:
    """What comes of the file's head; or, asked to save, the mapping in force."""
    with tempfile.TemporaryDirectory() as folder:
        head = _head(path, Path(folder))
        if "save" not in request.POST:
            return services.try_mapping(shop=shop, data=data, head=head), None
        try:
            saved = services.adopt_mapping(
                shop=shop, data=data, head=head, at=clock.now(), actor=request.user
            )
        except InputError as error:
            if error.code != "mapping.reads_nothing":
                raise
            messages.error(request, error.message)
            return services.try_mapping(shop=shop, data=data, head=head), None
    return None, saved


def _unreadable(sample: Sample, kind: str, chosen: set[str]) -> str:
    """Why no choice of columns would do; blank where one may."""
    if kind != "orders" or "quantity" in chosen:
        return ""
    column = items_in_one_cell(sample.header, sample.rows)
    return (
        column
        and _(
            "Colonne « %s » : tous les articles sont dans une cellule : demandez à la boutique un "
            "export à une ligne par article."
        )
        % column
    )


def _head(path: Path, folder: Path) -> Path:
    """The first part of the file, cut at the end of a line; a workbook whole."""
    target = folder / "extrait.csv"
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if head.startswith(workbooks.MAGIC):
        # A workbook can't be cut.
        return path
    if len(head) == HEAD_BYTES:
        head = head[: head.rfind(b"\n") + 1] or head
    target.write_bytes(head)
    return target


def _line(guess: Guess, kind: str, given: Any) -> Line:
    chosen = guess.place
    if given is not None:
        place = key_of(given.get(f"column_{guess.field}"))
        chosen = -1 if place is None else place
    return Line(
        guess.field,
        str(FIELD_LABELS[guess.field]),
        any(group == (guess.field,) for group in REQUIRED[kind]),
        any(guess.field in group and len(group) > 1 for group in REQUIRED[kind]),
        chosen,
        guess,
        given.get(f"constant_{guess.field}", "") if given is not None else "",
        guess.field in CONSTANTS,
    )


def _statuses(sample: Sample, guesses: list[Guess], given: Any) -> list[tuple[str, str]]:
    """The words that the file has for an order's state, with what they were said to mean."""
    place = next(g.place for g in guesses if g.field == "status")
    if given is not None and (said := key_of(given.get("column_status"))) is not None:
        place = said
    if place < 0:
        return []
    words = dict.fromkeys(row[place].strip() for row in sample.rows if place < len(row))
    return [
        (word, (given or {}).get(f"status_{word}", _meaning(word)))
        for word in list(words)[:MAX_STATUSES]
        if word
    ]


def _meaning(word: str) -> str:
    """What a word that everybody uses means, in the choices of the page; blank for others."""
    meaning = meaning_of(word)
    return "cancelled" if meaning == "failed" else meaning


def _definition(given: Any, sample: Sample, kind: str) -> dict[str, Any]:
    names = sample.header.names
    columns, constants = {}, {}
    for field in VOCABULARY[kind]:
        place = key_of(given.get(f"column_{field}"))
        if place is not None and place < len(names):
            columns[field] = names[place]
        elif given.get(f"constant_{field}", "").strip():
            constants[field] = given[f"constant_{field}"].strip()
    statuses = {
        key.removeprefix("status_"): value
        for key, value in given.items()
        if key.startswith("status_") and value
    }
    order = {"day": True, "month": False}.get(given.get("day_first", ""))
    return {
        "kind": kind,
        "columns": columns,
        "constants": constants,
        "statuses": statuses,
        "day_first": order,
    }


@require_POST
@login_required
@permission_required("ftp_ingest.change_feed", raise_exception=True)
def bring_back(request: HttpRequest, dialect_id: int) -> HttpResponse:
    """Put an earlier version in force again."""
    kept = get_object_or_404(ShopDialect, pk=dialect_id)
    try:
        saved = services.bring_back(dialect_id=kept.pk, at=clock.now(), actor=request.user)
    except InputError as error:
        messages.error(request, error.message)
    else:
        _read_waiting(request, saved)
    return redirect("ftp_ingest:assistant_start")


@login_required
@permission_required("ftp_ingest.change_feed", raise_exception=True)
def export_mapping(request: HttpRequest, dialect_id: int) -> HttpResponse:
    """A saved mapping as a small file."""
    kept = get_object_or_404(ShopDialect, pk=dialect_id)
    answer = JsonResponse(kept.definition, json_dumps_params={"ensure_ascii": False, "indent": 2})
    name = f"sphinx-{kept.shop.code}-{kept.kind}-v{kept.version}.json"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
