"""Photographs the guide's screens: `make screenshots`. The demo is made anew, apart, each time.

The demo shop is photographed in each language, into docs/guide/images; SHOTS says what.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import requests
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
IMAGES = ROOT / "docs" / "guide" / "images"
WIDE, PHONE = (1280, 860), (390, 780)


class Shot(NamedTuple):
    """A screen: who looks, where, on what; `act` does what must be done on the page before."""

    name: str
    user: str
    url: str
    size: tuple[int, int] = WIDE
    act: Callable[[Page], Any] | None = None

    def of(self, rows: dict[str, Any]) -> "Shot":
        """The same with its address filled in."""
        return self._replace(url=self.url.format(**rows))


def _press(page: Page) -> None:
    page.locator(".sx form button[type=submit]").first.click()


def _to_chain(page: Page) -> None:
    page.locator(".sx-chain").first.evaluate("chain => chain.scrollIntoView()")


def _bring_products(page: Page) -> None:
    """A file with a new product, a changed one and one that is refused."""
    page.locator("input[type=file]").set_input_files(
        {"name": "articles.csv", "mimeType": "text/csv", "buffer": _products()}
    )
    page.locator("input[type=submit], form button[type=submit]").last.click()


# Addresses are filled in with what _rows() finds in the demo.
SHOTS = (
    Shot("home", "gerant", "/"),
    Shot("home-sales", "ventes", "/"),
    Shot("orders", "ventes", "/admin/sales/order/"),
    Shot("order", "ventes", "/admin/sales/order/{order}/change/"),
    Shot("chain", "gerant", "/admin/sales/order/{order}/change/", act=_to_chain),
    Shot("job", "gerant", "/travaux/{job}/"),
    Shot("worktop", "entrepot", "/livraisons/"),
    Shot("receive", "entrepot", "/achats/commandes/{sent}/recevoir/"),
    Shot("count-phone", "entrepot", "/stock/inventaires/{count}/", PHONE),
    Shot("proposals", "achats", "/admin/purchasing/purchaseorder/?status__exact=proposed"),
    Shot("product", "achats", "/achats/articles/{product}/"),
    Shot("invoice", "gerant", "/admin/invoicing/invoice/{invoice}/change/"),
    Shot("accountant", "comptable", "/comptabilite/export/"),
    Shot("feeds", "exploitant", "/admin/ftp_ingest/feed/"),
    Shot("probe", "exploitant", "/passerelle/flux/{feed}/essai/", act=_press),
    Shot("run", "exploitant", "/passerelle/passages/{run}/"),
    Shot("mend", "gerant", "/passerelle/quarantaine/{set_aside}/"),
    Shot("statistics", "gerant", "/statistiques/"),
    Shot("stock", "gerant", "/statistiques/stock/"),
    Shot("pivot", "gerant", "/statistiques/croiser/?rows=category&columns=kind&{year}"),
    Shot("import", "gerant", "/admin/inventory/product/import/", act=_bring_products),
    Shot("first-steps", "gerant", "/"),
)
NAMES = [shot.name for shot in SHOTS]


def _rows() -> dict[str, Any]:
    """The rows of the demo that are shown."""
    from ftp_ingest.models import Feed, FeedRun, QuarantinedRow
    from inventory.models import StockCount
    from invoicing.models import Invoice
    from purchasing.models import PurchaseOrder, PurchaseOrderLine
    from sales.models import Order
    from sphinx.core import clock
    from sphinx.core.models import Job

    today = clock.today()
    proposed = PurchaseOrderLine.objects.filter(purchase_order__status="proposed")
    return {
        "order": Order.objects.filter(status="invoiced").order_by("-pk")[0].pk,
        "job": Job.objects.get().pk,
        "sent": PurchaseOrder.objects.get(status="sent").pk,
        "count": StockCount.objects.get().pk,
        "product": proposed.order_by("-quantity")[0].product_id,
        "invoice": Invoice.objects.order_by("pk")[3].pk,
        "feed": Feed.objects.get().pk,
        "run": FeedRun.objects.order_by("pk")[0].pk,
        "set_aside": QuarantinedRow.objects.filter(status="open", kind="orders")[0].pk,
        "year": f"measure=goods&start={today.year}-01-01&end={today:%Y-%m-%d}",
    }


def _products() -> bytes:
    from inventory.models import Product

    known = Product.objects.order_by("sku")[0]
    return (
        "sku;label;tax_rate;unit_cost\n"
        f"{known.sku};{known.label} (grand modèle);20;9,90\n"
        "SPX-900;Bougie parfumée, figuier;20;6,30\n"
        "SPX-901;Bougie parfumée, cèdre;20;six\n"
    ).encode()


def prepare() -> None:
    """What the demo leaves to people: an order that is sent, a count begun, work done."""
    from django.contrib.auth.models import User

    from inventory.models import StockPosition
    from inventory.services import default_warehouse, open_count, record_counted
    from invoicing.models import Invoice
    from purchasing.models import PurchaseOrder
    from purchasing.services import accept_proposal, send_order
    from sphinx.core import clock
    from sphinx.core.jobs import run_job, start_job
    from sphinx.dashboard.cohorts import measure_cohorts
    from sphinx.dashboard.stock_health import measure_stock

    owner = User.objects.get(username="gerant")
    proposed = PurchaseOrder.objects.filter(status="proposed").order_by("pk")[0]
    accept_proposal(order_id=proposed.pk, at=clock.now(), actor=owner)
    send_order(order_id=proposed.pk, at=clock.now(), actor=owner)
    count = open_count(warehouse=default_warehouse(), at=clock.now(), is_blind=False, actor=owner)
    positions = StockPosition.objects.filter(on_hand__gt=1).order_by("pk")[:9]
    for missing, position in enumerate(positions, start=-7):
        record_counted(
            count_id=count.pk,
            product_id=position.product_id,
            quantity=position.on_hand - max(missing, 0),
            at=clock.now(),
            actor=owner,
        )
    ids = list(Invoice.objects.values_list("pk", flat=True))
    run_job(start_job("invoicing.pdfs", actor=owner, ids=ids).pk)
    measure_stock(on=clock.today())
    measure_cohorts()


def take() -> None:
    """Every screen in both languages: of the demo, then of a firm that begins."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        environment = _environment(data)
        _manage(["migrate", "-v", "0"], environment)
        _manage(["demo"], environment)
        os.environ.update(environment)
        import django

        django.setup()
        from sphinx.dashboard.first_steps import set_first_steps

        prepare()
        rows = _rows()
        lines = (data / "demo" / "connexions.txt").read_text().splitlines()
        passwords = {line.split()[-2]: line.split()[-1] for line in lines}
        with _served(environment) as site:
            for language in ("fr", "en"):
                with _chromium(language) as browser:
                    for shot in SHOTS:
                        set_first_steps(are_hidden=shot.name != "first-steps")
                        _shoot(browser, site, shot.of(rows), passwords[shot.user], language)


def _environment(data: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("REDIS_URL", "DATABASE_URL")}
    return {
        **kept,
        "DEBUG": "1",
        "DATABASE_URL": f"sqlite:///{data / 'demo.sqlite3'}",
        "SPHINX_DATA_DIR": str(data),
        "DJANGO_SETTINGS_MODULE": "sphinx.settings",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
    }


def _manage(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )


@contextmanager
def _served(environment: dict[str, str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    site = f"http://127.0.0.1:{port}"
    try:
        for _try in range(120):
            time.sleep(0.5)
            try:
                requests.get(f"{site}/healthz", timeout=2)
                break
            except OSError:
                continue
        yield site
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def _chromium(language: str) -> Iterator[Browser]:
    with sync_playwright() as player:
        browser = player.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", f"--lang={language}"],
        )
        yield browser
        browser.close()


def _shoot(browser: Browser, site: str, shot: Shot, password: str, language: str) -> None:
    width, height = shot.size
    context = browser.new_context(
        viewport={"width": width, "height": height}, reduced_motion="reduce", locale=language
    )
    context.add_cookies([{"name": "django_language", "value": language, "url": site}])
    page = context.new_page()
    page.goto(f"{site}/compte/login/")
    page.locator("[name=login]").fill(shot.user)
    page.locator("[name=password]").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/")
    page.goto(f"{site}{shot.url}")
    if shot.act:
        shot.act(page)
    page.wait_for_load_state("networkidle")
    path = IMAGES / language / f"{shot.name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)
    context.close()
    # Screens have few colours: a palette makes the file a third of the size.
    Image.open(path).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(
        path, optimize=True
    )


if __name__ == "__main__":
    take()
