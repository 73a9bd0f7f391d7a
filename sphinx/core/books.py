"""The kernel's own book: the audit trail, sealed like payments and entries."""

from sphinx.core.sealing import seals

seals(
    "audit",
    "Piste d'audit",
    "core.AuditEvent",
    "at actor_id kind subject_kind subject_number details",
)
