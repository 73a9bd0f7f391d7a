"""A bare Debian in a folder, entered by chroot: what an operator types is typed there."""

import os
import shutil
import subprocess
from pathlib import Path

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What this machine needs to reach its package sources, it needs there as well.
_LENT = (
    "etc/resolv.conf",
    "etc/pip.conf",
    "etc/apt/apt.conf.d",
    "etc/ssl/certs/ca-certificates.crt",
    "usr/local/share/ca-certificates",
)


class Debian:
    """A system of Debian's smallest packages; nothing starts by itself in it."""

    def __init__(self, root: Path, suite: str) -> None:
        self.root, self.suite = root, suite
        self._mounted: list[Path] = []

    def build(self) -> None:
        subprocess.run(
            ["debootstrap", "--variant=minbase", self.suite, str(self.root)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        # A folder of mkdtemp's lets nobody else in; a system's users go through its root.
        self.root.chmod(0o755)
        for name in _LENT:
            ours, theirs = Path("/") / name, self.root / name
            theirs.parent.mkdir(parents=True, exist_ok=True)
            if ours.is_dir():
                shutil.copytree(ours, theirs, dirs_exist_ok=True)
            elif ours.exists():
                shutil.copy(ours, theirs)
        self.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", mode=0o755)
        self._mount("proc", "-t", "proc", "proc")
        # With what is mounted below it: workers share memory by /dev/shm.
        self._mount("dev", "--rbind", "--make-rslave", "/dev")

    def _mount(self, place: str, *words: str) -> None:
        target = self.root / place
        subprocess.run(["mount", *words, str(target)], check=True)
        self._mounted.append(target)

    def remove(self) -> None:
        """Stop what runs there and take the folder away."""
        for process in Path("/proc").glob("[0-9]*"):
            try:
                inside = os.readlink(process / "root") == str(self.root)
            except OSError:
                continue
            if inside:
                os.kill(int(process.name), 9)
        for place in reversed(self._mounted):
            subprocess.run(["umount", "--recursive", "--lazy", str(place)], check=True)
        shutil.rmtree(self.root)

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def command(self, script: str) -> list[str]:
        """What runs a script there: as root, from its folder, with nothing of our surroundings."""
        lent = [f"{name}={value}" for name, value in os.environ.items() if name.startswith("PIP_")]
        return [
            *("chroot", str(self.root), "/usr/bin/env", "-i", "-C", "/root", f"PATH={_PATH}"),
            *("HOME=/root", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", *lent),
            *("bash", "-euo", "pipefail", "-c", script),
        ]

    def run(self, script: str, answers: str = "") -> str:
        """What a script prints; `answers` are typed when it asks.

        Raises:
            AssertionError: it failed; its last lines are told.
        """
        done = subprocess.run(
            self.command(script),
            input=answers,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        told = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        assert done.returncode == 0, f"{script}\n{told}"
        return done.stdout
