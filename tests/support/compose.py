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
    for variable in re.findall(r"\$\{(\w*(?:PASSWORD|SECRET)\w*)(?::-|\})", text):
        found.append(f"{variable} may be left out or has a default")
    for name, service in services.items():
        command = service.get("command", [])
        if service.get("image") == "sphinx-manager" and command:
            found += _command_faults(name, command)
    if "USER sphinx" not in (ROOT / "Dockerfile").read_text():
        found.append("the image runs as root")
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
