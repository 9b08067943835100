"""A browser, the built site over http and as files, and pages that must stay clean."""

import functools
import http.server
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser import open_chromium
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"


@pytest.fixture(scope="session")
def browser():
    """Chromium, as all tests share it."""
    with sync_playwright() as playwright:
        try:
            chromium = open_chromium(playwright)
        except FileNotFoundError as error:
            pytest.fail(str(error), pytrace=False)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def built():
    """The folder of the built site."""
    if not (HTML / "index.html").exists():
        pytest.fail("The site is not built: run 'make book' first.", pytrace=False)
    return HTML


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Say nothing: a test's output is its own."""


@pytest.fixture(scope="session")
def site(built):
    """Address of the built site, served on a free loopback port."""
    handler = functools.partial(_Quiet, directory=str(built))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def file_site(built):
    """Address of the built site as files."""
    return built.as_uri() + "/"


@pytest.fixture
def new_page(browser):
    """Open pages in fresh contexts; at the end of the test each must have been clean.

    Clean: no error on the console, no uncaught exception, no request that leaves the origin of
    the page. Keywords are those of Playwright's ``new_context``.
    """
    contexts, dirt = [], []

    def open_page(**settings):
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)  # of a busy machine
        origins = set()

        def note_request(sent):
            parts = urlsplit(sent.url)
            if parts.scheme not in {"data", "blob"}:
                origins.add((parts.scheme, parts.netloc))
            if len(origins) > 1:
                dirt.append(f"request that leaves the site: {sent.url}")

        def note_message(message):
            if message.type == "error":
                dirt.append(f"console: {message.text}")

        page.on("request", note_request)
        page.on("console", note_message)
        page.on("pageerror", lambda error: dirt.append(f"uncaught: {error}"))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert dirt == []


@pytest.fixture
def page(new_page):
    """A fresh page, 1280 by 900, held clean; jumps are at once."""
    return new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
