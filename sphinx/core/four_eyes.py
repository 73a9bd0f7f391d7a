"""Four eyes: what one person asks for and another must agree to, where the firm wants it.

Each app registers what it submits in its approvals.py:

    @submitted("invoicing.refund", _("Rendre de l'argent"), "invoicing.add_payment", REFUNDS)
    def refund(*, actor: Any, invoice_id: int, amount: str) -> None: ...

The function runs when somebody else agrees, in the transaction that notes it; what it refuses is
told to who agrees, and the request waits on. Params are plain values.

The service that does it asks too (`ask_for_two`): a page that forgets to submit is refused.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from sphinx.core import clock
from sphinx.core.errors import BusinessRuleError, ConflictError
from sphinx.core.jobs import Deed, deed
from sphinx.core.models import Approval
from sphinx.core.services import company, record

# Settings of the firm that ask for it.
REFUNDS = "second_for_refunds"
BANK_DETAILS = "second_for_bank_details"


@dataclass(frozen=True)
class Matter:
    """A kind of thing that is submitted: who may ask and agree, and what does it."""

    code: str
    label: Any
    permission: str
    setting: str
    run: Callable[..., Any]


_matters: dict[str, Matter] = {}
# The setting whose second person has agreed to what is being done.
_agreed: ContextVar[str] = ContextVar("agreed", default="")


@contextmanager
def _agreed_to(matter: Matter) -> Iterator[None]:
    token = _agreed.set(matter.setting)
    try:
        yield
    finally:
        _agreed.reset(token)


def ask_for_two(setting: str, actor: Any) -> None:
    """Called by a service before it does what a second person may have to agree to.

    Sweeps and commands have no actor: what a shop has given back is gone, and a command is the
    operator's.

    Raises:
        BusinessRuleError: the firm wants a second person, and none has agreed.
    """
    if actor is None or _agreed.get() == setting or not getattr(company(), setting):
        return
    raise BusinessRuleError(
        _("Une autre personne doit l'accepter : demandez-le sur la page de la facture."),
        code="core.four_eyes",
    )


def submitted(
    code: str, label: Any, permission: str, setting: str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register what is done once a second person has agreed."""

    def register(run: Callable[..., Any]) -> Callable[..., Any]:
        _matters[code] = Matter(code, label, permission, setting, run)
        return run

    return register


def submit(code: str, *, about: Any, actor: Any, **params: Any) -> Any:
    """Do it at once and return what came of it; or, where the firm wants a second person, ask.

    Asked twice, it is one request. Raises what the deed itself refuses when done at once.
    """
    matter = _matters[code]
    if not getattr(company(), matter.setting):
        return matter.run(actor=actor, **params)
    return _ask(matter, str(about), params, actor)


def asked_or(made: Any, done: Any) -> Any:
    """What to tell who submitted something: that it is done, or that another must agree."""
    if isinstance(made, Approval):
        return _("Demandé : une autre personne doit l'accepter (Réglages › Demandes à valider).")
    return done


@transaction.atomic
def _ask(matter: Matter, about: str, params: dict[str, Any], actor: Any) -> Approval:
    made, is_new = Approval.objects.get_or_create(
        matter=matter.code,
        params=params,
        status=Approval.Status.WAITING,
        defaults={"about": about[:200], "asked_by": actor, "asked_at": clock.now()},
    )
    if is_new:
        record("approval.asked", [made], actor=actor, **params)
    return made


@transaction.atomic
def agree(approval_id: int, *, actor: Any) -> None:
    """Do what was asked for.

    Raises:
        BusinessRuleError: the same person asked, or this one may not do it.
        ConflictError: it was decided meanwhile.
        SphinxError: what the deed itself refuses; the request waits on.
    """
    asked = _decided(approval_id, Approval.Status.AGREED, actor)
    matter = _matters[asked.matter]
    with _agreed_to(matter):
        matter.run(actor=actor, **asked.params)
    record("approval.agreed", [asked], actor=actor)


@transaction.atomic
def decline(approval_id: int, *, actor: Any) -> None:
    """Leave it undone; who asked may take their own request back.

    Raises:
        BusinessRuleError: this one may not decide it.
        ConflictError: it was decided meanwhile.
    """
    asked = _decided(approval_id, Approval.Status.DECLINED, actor)
    record("approval.declined", [asked], actor=actor)


def _decided(approval_id: int, status: str, actor: Any) -> Approval:
    asked = Approval.objects.select_for_update().get(pk=approval_id)
    if asked.status != Approval.Status.WAITING:
        raise ConflictError(_("« %s » est déjà décidé.") % asked.about)
    if not actor.has_perm(_matters[asked.matter].permission):
        raise BusinessRuleError(_("« %s » n'est pas de votre rôle.") % asked.about)
    if status == Approval.Status.AGREED and asked.asked_by_id == actor.pk:
        raise BusinessRuleError(
            _("« %s » : vous l'avez demandé, une autre personne doit l'accepter.") % asked.about,
            code="core.four_eyes",
        )
    asked.status, asked.decided_by, asked.decided_at = status, actor, clock.now()
    asked.save(update_fields=["status", "decided_by", "decided_at"])
    return asked


def requests_seen_by(user: Any) -> QuerySet[Approval]:
    """The requests that somebody may make or decide."""
    mine = [code for code, matter in _matters.items() if user.has_perm(matter.permission)]
    return Approval.objects.filter(matter__in=mine)


def label_of_matter(code: str) -> str:
    """What it is called on the screen."""
    return str(_matters[code].label) if code in _matters else code


AGREE = deed(
    Deed(
        "core.agree",
        gettext_lazy("Accepter des demandes"),
        "core.change_approval",
        Approval,
        lambda pk, actor: agree(pk, actor=actor),
        ngettext_lazy("%(count)s demande acceptée.", "%(count)s demandes acceptées.", "count"),
    )
)
DECLINE = deed(
    Deed(
        "core.decline",
        gettext_lazy("Refuser des demandes"),
        "core.change_approval",
        Approval,
        lambda pk, actor: decline(pk, actor=actor),
        ngettext_lazy("%(count)s demande refusée.", "%(count)s demandes refusées.", "count"),
    )
)
