"""Known holes of what the product is made of: any found fails, what can't be asked is a warning.

There is no source of advisories here: pip-audit asks the package registry, and a registry (or a
mirror of one) that tells none leaves the question open. So this check passing without a warning
says that nothing is known; with one it says nothing of the packages that it counts.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = ("requirements.txt", "requirements-demo.txt")


def read(answer: str) -> tuple[list[str], int, int]:
    """What pip-audit found, a sentence each; of how many packages it knows nothing, of how many."""
    found, unknown = [], 0
    packages = json.loads(answer)["dependencies"]
    for package in packages:
        unknown += "skip_reason" in package
        for hole in package.get("vulns", ()):
            better = ", ".join(hole["fix_versions"]) or "no mended version yet"
            found.append(f"{package['name']} {package['version']}: {hole['id']} ({better})")
    return found, unknown, len(packages)


def warning(answer: str) -> str:
    """What was left unasked, in words; blank when everything was answered."""
    if not answer.strip():
        return "WARNING: advisories NOT CHECKED: nobody could be asked; look where somebody can"
    _found, unknown, count = read(answer)
    if not unknown:
        return ""
    return f"WARNING: advisories NOT CHECKED for {unknown} of {count} packages: no source knew them"


def main() -> int:
    tool = str(Path(sys.executable).with_name("pip-audit"))
    files = [word for name in FILES for word in ("-r", str(ROOT / name))]
    how = ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner=off"]
    ran = subprocess.run([tool, *files, *how], capture_output=True, text=True, check=False)
    if told := warning(ran.stdout):
        print(told, file=sys.stderr)
    found = read(ran.stdout)[0] if ran.stdout.strip() else []
    print("\n".join(found), end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
