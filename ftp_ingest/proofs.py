"""What the gateway can prove."""

import hashlib

from ftp_ingest.models import ReceivedFile
from ftp_ingest.services.archive import archive_path
from sphinx.core.proofs import Proof, proves


@proves("archive")
def archive_is_whole(proof: Proof) -> None:
    """Every received file is in the archive, byte for byte."""
    for file in ReceivedFile.objects.filter(purged_at=None).order_by("pk"):
        proof.checked += 1
        path = archive_path(file.sha256)
        if not path.exists():
            proof.faults.append(f"{file.name} : {path} manque")
            continue
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != file.sha256:
                proof.faults.append(f"{file.name} : {path} a changé")
