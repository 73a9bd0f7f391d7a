"""docker-compose.yml, checked without an engine: it parses, nothing has a default password,
every service is watched, and every command of ours exists."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
ONE_OFF = {"migrate"}


def faults() -> list[str]:
    """What is wrong, a sentence each."""
    text = (ROOT / "docker-compose.yml").read_text()
    services: dict[str, dict[str, Any]] = yaml.safe_load(text)["services"]
    found = [
        f"{name} has no health check"
        for name, service in services.items()
        if name not in ONE_OFF and "healthcheck" not in service
    ]
    # A trial's word may be blank: production is begun without it.
    production = yaml.safe_dump({n: s for n, s in services.items() if "profiles" not in s})
    for variable in re.findall(r"\$\{(\w*(?:PASSWORD|SECRET)\w*)(?::-|\})", production):
        found.append(f"{variable} may be left out or has a default")
    if re.search(r"PASSWORD\w*:-[^}]", text):
        found.append("a password has a default")
    for name, service in services.items():
        found += _open_doors(name, service)
        command = service.get("command", [])
        if service.get("image") == "sphinx-manager" and command:
            found += _command_faults(name, command)
    if "USER sphinx" not in (ROOT / "Dockerfile").read_text():
        found.append("the image runs as root")
    return found


def _open_doors(name: str, service: dict[str, Any]) -> list[str]:
    """What nothing bounds; of ours, what it could write or do besides."""
    found = [f"{name}: no {bound}" for bound in ("mem_limit", "logging") if bound not in service]
    if service.get("image") == "sphinx-manager" and not (
        service.get("read_only") and service.get("cap_drop") == ["ALL"]
    ):
        found.append(f"{name} can write its image, or has capabilities")
    return found


def _command_faults(name: str, command: list[str]) -> list[str]:
    """The command starts here too, as far as its help."""
    program = command[0]
    words = [sys.executable, "-m", program] if program != "python" else [sys.executable]
    words += [w for w in command[1:4] if not w.startswith("--")]
    result = subprocess.run([*words, "--help"], cwd=ROOT, capture_output=True, check=False)
    return [] if result.returncode == 0 else [f"{name}: {' '.join(command)} does not start"]


if __name__ == "__main__":
    wrong = faults()
    print("\n".join(wrong))
    sys.exit(bool(wrong))
