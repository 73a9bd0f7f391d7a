"""Writes of the gateway: files in, orders and customers applied, the rest set aside."""

from ftp_ingest.services.adopting import (
    adopt_mapping,
    read_waiting,
    read_waiting_now,
    try_mapping,
)
from ftp_ingest.services.answering import answer_states, answer_untaxed
from ftp_ingest.services.archive import purge_archive
from ftp_ingest.services.feeds import (
    due_feeds,
    pull_due_feeds,
    pull_feed,
    pull_feed_now,
    take_over_stale_runs,
)
from ftp_ingest.services.ingest import FileReport, IngestReport, ingest_paths
from ftp_ingest.services.mappings import bring_back, save_mapping
from ftp_ingest.services.mending import (
    correct_row,
    decide_product,
    decide_rates,
    order_goods,
    replay_row,
)
from ftp_ingest.services.probing import Step, accept_host_key, probe
from ftp_ingest.services.quarantine import dismiss_row
from ftp_ingest.services.replaying import (
    replay_answered,
    replay_without_currency,
    replay_without_rate,
)
from ftp_ingest.services.telling import begin_telling, tell_shipments
from ftp_ingest.services.undoing import undo_run
from ftp_ingest.services.watching import watch

__all__ = [
    "FileReport",
    "IngestReport",
    "Step",
    "accept_host_key",
    "adopt_mapping",
    "answer_states",
    "answer_untaxed",
    "begin_telling",
    "bring_back",
    "correct_row",
    "decide_product",
    "decide_rates",
    "dismiss_row",
    "due_feeds",
    "ingest_paths",
    "order_goods",
    "probe",
    "pull_due_feeds",
    "pull_feed",
    "pull_feed_now",
    "purge_archive",
    "read_waiting",
    "read_waiting_now",
    "replay_answered",
    "replay_row",
    "replay_without_currency",
    "replay_without_rate",
    "save_mapping",
    "take_over_stale_runs",
    "tell_shipments",
    "try_mapping",
    "undo_run",
    "watch",
]
