import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sphinx.demo import installation


class Command(BaseCommand):
    help = "Le site sur http://127.0.0.1:8000/, avec un worker et l'ordonnanceur."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "sphinx.settings"}
        if not settings.REDIS_URL:
            environment["SPHINX_FILE_BROKER"] = "1"
        port = options["port"]
        with ExitStack() as stack:
            self._serve_demo_shop(stack)
            processes = {
                "le site (gunicorn)": subprocess.Popen(_web(port), env=environment),
                "le worker (celery)": subprocess.Popen(_worker(), env=environment),
            }
            self._welcome(port)
            _wait(processes)

    def _serve_demo_shop(self, stack: ExitStack) -> None:
        """The demo feed needs its server: it lives as long as the site."""
        if not installation.shop_folder().exists():
            return
        installation.install(stack.enter_context(installation.demo_server()))

    def _welcome(self, port: int) -> None:
        self.stdout.write(f"\nSphinx : http://127.0.0.1:{port}/   (Ctrl+C pour arrêter)\n")
        if installation.logins_file().exists():
            self.stdout.write("Connexions de démonstration (rôle, identifiant, mot de passe) :\n")
            self.stdout.write(installation.logins_file().read_text())
        elif not User.objects.exists():
            self.stdout.write(
                "Aucun compte : lancez « make demo », ou manage.py createsuperuser.\n"
            )
        self.stdout.flush()


def _web(port: int) -> list[str]:
    return [
        sys.executable, "-m", "gunicorn", "sphinx.wsgi",
        "--bind", f"127.0.0.1:{port}", "--workers", "2", "--log-level", "warning",
    ]  # fmt: skip


def _worker() -> list[str]:
    return [
        sys.executable, "-m", "celery", "-A", "sphinx", "worker",
        "--beat", "--pool", "solo", "--loglevel", "warning",
    ]  # fmt: skip


def _wait(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    """Until the user stops; or until one process ends by itself: then all end, with an error."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        while True:
            for name, process in processes.items():
                if process.poll() is not None:
                    raise CommandError(
                        f"{name} s'est arrêté (code {process.returncode}), le reste aussi : "
                        "voyez les lignes au-dessus, puis relancez « make serve »."
                    )
            time.sleep(0.5)
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.wait(timeout=20)
