"""A browser, the built site over http and as files, and pages that must stay clean."""

import contextlib
import itertools
from pathlib import Path

import pytest
from browser import open_chromium, served
from browsing import DESKTOP, TALL, Files, Opened, Shelf, Shown, Watch
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


@pytest.fixture(scope="session")
def site(built):
    """Address of the built site, served on a free loopback port."""
    with served(built, Files) as address:
        yield address


@pytest.fixture(scope="session")
def file_site(built):
    """Address of the built site as files."""
    return built.as_uri() + "/"


@pytest.fixture(scope="session")
def shelf(browser):
    """Pages that are lent to one test after the other."""
    shelf = Shelf(browser)
    yield shelf
    shelf.close()


@pytest.fixture
def new_page(shelf):
    """Open pages, with the settings of Playwright's ``new_context``; all must stay clean."""
    dirt = []
    with contextlib.ExitStack() as lent:

        def take(**settings):
            page, watch = lent.enter_context(shelf.lent(settings))
            dirt.append(watch.dirt)
            return page

        yield take
        found = list(itertools.chain(*dirt))
    assert found == []


@pytest.fixture
def page(new_page):
    """A page, 1280 by 900, held clean; jumps are at once."""
    return new_page(viewport=TALL, reduced_motion="reduce")


@pytest.fixture
def first_visit(browser):
    """A page in a browser that knows nothing of the site yet, held clean."""
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    watch = Watch(page)
    yield page
    context.close()
    assert watch.dirt == []


@pytest.fixture(scope="session")
def kept_page(request, shelf, site):
    """The page of the book that ``each_page`` names, open for all tests that ask for it."""
    with shelf.lent({"viewport": DESKTOP, "reduced_motion": "reduce"}) as (page, watch):
        yield Opened(page, watch, request.param, site)


@pytest.fixture
def opened(kept_page):
    """The same, folded and at its top as when it was opened, and held clean."""
    if kept_page.spoilt:
        kept_page.renew()
    kept_page.fold()
    yield kept_page
    assert kept_page.watch.dirt == []


@pytest.fixture(scope="session")
def kept_explorer(request, shelf, site):
    """The explorer that ``every_explorer`` names, open for all tests that ask for it."""
    with shelf.lent({"viewport": TALL, "reduced_motion": "reduce"}) as (page, watch):
        yield Shown(page, watch, request.param, site)


@pytest.fixture
def shown(kept_explorer):
    """The same, as it starts, and held clean."""
    kept_explorer.begin()
    yield kept_explorer
    assert kept_explorer.watch.dirt == []
