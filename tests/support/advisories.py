"""Known holes of what the product is made of: any found fails, what can't be asked is told."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = ("requirements.txt", "requirements-demo.txt")


def read(answer: str) -> tuple[list[str], int]:
    """What pip-audit found, a sentence each, and of how many packages it knows nothing."""
    found, unknown = [], 0
    for package in json.loads(answer)["dependencies"]:
        unknown += "skip_reason" in package
        for hole in package.get("vulns", ()):
            better = ", ".join(hole["fix_versions"]) or "no mended version yet"
            found.append(f"{package['name']} {package['version']}: {hole['id']} ({better})")
    return found, unknown


def main() -> int:
    tool = str(Path(sys.executable).with_name("pip-audit"))
    files = [word for name in FILES for word in ("-r", str(ROOT / name))]
    how = ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner=off"]
    ran = subprocess.run([tool, *files, *how], capture_output=True, text=True, check=False)
    if not ran.stdout.strip():
        print("advisories could not be asked for; look again where they can", file=sys.stderr)
        return 0
    found, unknown = read(ran.stdout)
    if unknown:
        print(f"no advisory source knew {unknown} packages", file=sys.stderr)
    print("\n".join(found), end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
