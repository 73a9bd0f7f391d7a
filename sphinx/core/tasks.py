"""Tasks of the kernel: long work that people asked for, exchange rates."""

from typing import Any

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from sphinx.core import clock
from sphinx.core.dead_letters import purge_letters
from sphinx.core.exchange import refresh_rates
from sphinx.core.jobs import lost_jobs, purge_job_files, queue_of, run_job
from sphinx.core.sealing import seal_books


@shared_task(label=_("Faire un travail long"))
def do_job(*, job_id: int, **_extra: Any) -> None:
    """Do one piece of long work."""
    run_job(job_id)


@shared_task(label=_("Reprendre les travaux perdus"))
def do_lost_jobs(**_extra: Any) -> None:
    """Do what a lost message or a dead worker left."""
    for job in lost_jobs():
        do_job.apply_async(kwargs={"job_id": job.pk}, queue=queue_of(job))


@shared_task(label=_("Retirer les vieux fichiers des travaux"))
def purge_files(**_extra: Any) -> None:
    """Remove files that nobody fetched within a month."""
    purge_job_files()


@shared_task(label=_("Oublier les tâches en échec closes"))
def purge_closed_letters(**_extra: Any) -> None:
    """Forget letters that were closed long ago."""
    purge_letters()


@shared_task(label=_("Relever les cours de la BCE"))
def refresh_exchange_rates(**_extra: Any) -> None:
    """Take the ECB's latest rates, where the firm wants them."""
    refresh_rates(today=clock.today())


@shared_task(label=_("Sceller les livres"))
def seal_new_rows(**_extra: Any) -> None:
    """Seal the payments, entries, moves… that were written since the last time."""
    seal_books()
