import os
import subprocess
import sys

import pytest

GOOD_KEY = "k3vJ9x-Qw7pLm2Zt8Rb4Ny6Hd1Fs5Gc0Ua"


def run_check(**environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if k not in ("DEBUG", "SECRET_KEY")}
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("key", ["", "secret", "change-me-change-me-change-me-change-me"])
def test_production_refuses_a_missing_or_sample_key(key: str) -> None:
    result = run_check(DEBUG="0", **({"SECRET_KEY": key} if key else {}))

    assert result.returncode == 2
    assert "SECRET_KEY" in result.stderr
    assert "Traceback" not in result.stderr


def test_production_starts_with_a_random_key() -> None:
    assert run_check(DEBUG="0", SECRET_KEY=GOOD_KEY).returncode == 0
