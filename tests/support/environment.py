"""Loaded before Django reads its settings: tests never touch a real installation's data."""

import os
import tempfile

os.environ["SPHINX_DATA_DIR"] = tempfile.mkdtemp(prefix="sphinx-tests-")
os.environ["DEBUG"] = "1"
os.environ.pop("REDIS_URL", None)
os.environ.pop("SPHINX_FILE_BROKER", None)
