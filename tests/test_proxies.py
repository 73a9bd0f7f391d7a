"""The proxies of deploy/proxy, run as they are shipped: only names, ports and keys are ours."""

import getpass
import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.conf import settings

from tests.support.machines import free_port

PROXIES = settings.BASE_DIR / "deploy" / "proxy"
NAME = "gestion.exemple.fr"
# Above what nginx lets through by itself (1 MB).
BIG = 5 * 1024 * 1024
nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
caddy = shutil.which("caddy")


class _Site(BaseHTTPRequestHandler):
    """Answers with what reached it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.dumps(
            {
                "size": len(self.rfile.read(length)),
                "host": self.headers["Host"],
                "for": self.headers.get_all("X-Forwarded-For"),
                "proto": self.headers.get_all("X-Forwarded-Proto"),
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing on the tests' output."""


@pytest.fixture
def site() -> Iterator[int]:
    """The port of what stands behind the proxy."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


class Proxy:
    """A proxy on two ports of this machine, asked by its name."""

    def __init__(self, http: int, https: int) -> None:
        self.http, self.https = http, https

    def asked(self, scheme: str, *words: str) -> subprocess.CompletedProcess[str]:
        port = self.https if scheme == "https" else self.http
        return subprocess.run(
            [
                *("curl", "--silent", "--show-error", "--insecure", "--max-time", "20"),
                *("--resolve", f"{NAME}:{port}:127.0.0.1", *words, f"{scheme}://{NAME}:{port}/"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )

    def wait(self, process: "subprocess.Popen[bytes]") -> None:
        until = time.monotonic() + 20
        while self.asked("https", "-X", "POST").returncode != 0:
            assert process.poll() is None, "the proxy has stopped"
            assert time.monotonic() < until, "the proxy doesn't answer"
            time.sleep(0.1)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[list[str], Proxy], None]]:
    running: list[subprocess.Popen[bytes]] = []

    def _start(command: list[str], proxy: Proxy) -> None:
        process = subprocess.Popen(
            command,
            env={"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
            stderr=(tmp_path / "log").open("wb"),
        )
        running.append(process)
        proxy.wait(process)

    yield _start
    for process in running:
        process.terminate()
        process.wait(20)


@pytest.fixture
def by_nginx(tmp_path: Path, site: int, start: Callable[[list[str], Proxy], None]) -> Proxy:
    if nginx is None:
        pytest.skip("nginx isn't here")
    proxy = Proxy(free_port(), free_port())
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", f"/CN={NAME}", "-keyout", "privkey.pem", "-out", "fullchain.pem"),
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    text = (PROXIES / "nginx.conf").read_text()
    text = text.replace(f"/etc/letsencrypt/live/{NAME}", str(tmp_path))
    text = text.replace("listen 80;", f"listen 127.0.0.1:{proxy.http};")
    text = text.replace("listen 443 ", f"listen 127.0.0.1:{proxy.https} ")
    (tmp_path / "site.conf").write_text(text.replace("127.0.0.1:8000", f"127.0.0.1:{site}"))
    places = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"user {getpass.getuser()};\npid {tmp_path}/pid;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{places}include {tmp_path}/site.conf;\n}}\n"
    )
    command = [nginx, "-c", f"{tmp_path}/nginx.conf", "-g", "daemon off; error_log stderr;"]
    start(command, proxy)
    return proxy


@pytest.fixture
def by_caddy(tmp_path: Path, site: int, start: Callable[[list[str], Proxy], None]) -> Proxy:
    if caddy is None:
        pytest.skip("Caddy isn't here")
    proxy = Proxy(free_port(), free_port())
    ours = f"admin off\nlocal_certs\nskip_install_trust\nhttp_port {proxy.http}\n"
    text = (PROXIES / "Caddyfile").read_text().replace("127.0.0.1:8000", f"127.0.0.1:{site}")
    (tmp_path / "Caddyfile").write_text(f"{{\n{ours}https_port {proxy.https}\n}}\n{text}")
    start([caddy, "run", "--config", str(tmp_path / "Caddyfile")], proxy)
    return proxy


@pytest.fixture(params=["by_nginx", "by_caddy"])
def proxy(request: pytest.FixtureRequest) -> Proxy:
    found: Proxy = request.getfixturevalue(request.param)
    return found


def test_the_site_is_told_that_it_is_asked_safely(proxy: Proxy) -> None:
    told = json.loads(proxy.asked("https", "-X", "POST").stdout)

    assert (told["proto"], told["for"]) == (["https"], ["127.0.0.1"])
    assert told["host"].split(":")[0] == NAME


def test_what_a_visitor_says_of_himself_is_written_over(proxy: Proxy) -> None:
    lies = ("-H", "X-Forwarded-For: 10.0.0.1", "-H", "X-Forwarded-Proto: http")

    told = json.loads(proxy.asked("https", "-X", "POST", *lies).stdout)

    assert (told["proto"], told["for"]) == (["https"], ["127.0.0.1"])


def test_who_asks_unsafely_is_sent_to_https(proxy: Proxy) -> None:
    answer = proxy.asked("http", "--include").stdout

    assert re.match(r"HTTP/1.1 30[18]", answer)
    assert f"location: https://{NAME}" in answer.lower()


def test_a_big_file_comes_through(proxy: Proxy, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_bytes(b"x" * BIG)

    told = json.loads(proxy.asked("https", "--data-binary", f"@{file}").stdout)

    assert told["size"] == BIG
