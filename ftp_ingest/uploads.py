"""Files that somebody brings in the browser."""

from pathlib import Path

from django.core.files.uploadedfile import UploadedFile


def keep_upload(folder: Path, file: UploadedFile) -> Path:
    """The upload under its own name, which is text only: no path of the visitor's."""
    folder.mkdir()
    path = folder / (Path(file.name or "").name or "fichier.csv")
    with path.open("wb") as stream:
        for block in file.chunks():
            stream.write(block)
    return path
