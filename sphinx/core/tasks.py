"""Tasks of the kernel: long work that people asked for."""

from typing import Any

from celery import shared_task

from sphinx.core.jobs import lost_jobs, purge_job_files, run_job


@shared_task
def do_job(*, job_id: int, **_: Any) -> None:
    """Do one piece of long work."""
    run_job(job_id)


@shared_task
def do_lost_jobs(**_: Any) -> None:
    """Do what a lost message or a dead worker left."""
    for job_id in lost_jobs():
        do_job.delay(job_id=job_id)


@shared_task
def purge_files(**_: Any) -> None:
    """Remove files that nobody fetched within a month."""
    purge_job_files()
