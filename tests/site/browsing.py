"""Ways to open pages: whole and held open, or as the card of an explorer; all are held clean."""

import contextlib
import functools
import io
import re
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

import browser

DESKTOP = {"width": 1280, "height": 800}
TALL = {"width": 1280, "height": 900}
#: Lets the theme's list of chapters come and go at once: it would slide for a quarter of a second.
AT_ONCE = ".bd-sidebar-primary { transition: none !important; }"


class Files(browser.Files):
    """The files of a folder, and below ``cards/`` the same with one difference.

    There an article holds its explorers alone, and no formula is typeset: a browser has such a
    page in a fraction of the time.
    """

    def send_head(self):
        """Begin an answer; return the body as a file."""
        if not self.path.startswith("/cards/"):
            return super().send_head()
        self.path = self.path.removeprefix("/cards")
        path = Path(self.translate_path(self.path))
        if path.suffix == ".html":
            body = card(path)
        elif path.name == "mathjax.js":
            body = b""
        else:
            return super().send_head()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return io.BytesIO(body)


@functools.cache
def card(path):
    """Return a page with nothing but explorers in its article, and room below them."""
    head, start, rest = re.split(r"(<article[^>]*>)", path.read_text("utf-8"), maxsplit=1)
    article, end, foot = rest.partition("</article>")
    cells = [block(article, cell.start()) for cell in re.finditer(r'<div class="cell ', article)]
    shown = "".join(cell for cell in cells if "data-explorer=" in cell)
    room = f'<div style="height: 2000px"></div><style>{AT_ONCE}</style>'
    foot = re.sub(r"<nav [^>]*page-toc.*?</nav>", "", foot, flags=re.S)  # of sections that are gone
    return f"{head}{start}<section><h1>Card</h1>{shown}{room}</section>{end}{foot}".encode()


def block(html, start):
    """Return the div that begins at a place, to its end."""
    depth = 0
    for tag in re.compile(r"<(/?)div\b").finditer(html, start):
        depth += -1 if tag[1] else 1
        if depth == 0:
            return html[start : html.index(">", tag.end()) + 1]
    raise ValueError(f"a div without its end: {html[start : start + 80]}")


class Watch:
    """What a page loads, and in ``dirt`` all that makes it unclean.

    Clean: no error on the console, no uncaught exception, no request that leaves the origin of
    the page.
    """

    def __init__(self, page):
        self.dirt, self.loaded, self.origins = [], [], set()
        page.on("request", self.note_request)
        page.on("requestfinished", lambda request: self.loaded.append(urlsplit(request.url)))
        page.on("console", self.note_message)
        page.on("pageerror", lambda error: self.dirt.append(f"uncaught: {error}"))

    def begin(self):
        """Forget what was."""
        for notes in (self.dirt, self.loaded, self.origins):
            notes.clear()

    def note_request(self, sent):
        """Note where a request goes."""
        url = urlsplit(sent.url)
        if url.scheme not in {"data", "blob"}:
            self.origins.add((url.scheme, url.netloc))
        if len(self.origins) > 1:
            self.dirt.append(f"request that leaves the site: {sent.url}")

    def note_message(self, message):
        """Note an error on the console."""
        if message.type == "error":
            self.dirt.append(f"console: {message.text}")


class Shelf:
    """Pages by the settings of their context, used again: each new one costs a second and more."""

    def __init__(self, browser):
        self.browser, self.contexts, self.idle = browser, {}, defaultdict(list)

    @contextlib.contextmanager
    def lent(self, settings):
        """Lend a page, which is as in a new context but for what the browser has at hand."""
        key = repr(sorted(settings.items()))
        if key not in self.contexts:
            self.contexts[key] = self.browser.new_context(**settings)
        if not self.idle[key]:
            page = self.contexts[key].new_page()
            page.set_default_timeout(30_000)  # of a busy machine
            self.idle[key].append((page, Watch(page)))
        page, watch = self.idle[key].pop()
        watch.begin()
        yield page, watch
        page.unroute_all()
        page.mouse.up()
        page.mouse.move(0, 0)
        page.evaluate("() => { try { localStorage.clear(); } catch {} }")
        page.goto("about:blank")
        page.set_viewport_size(settings.get("viewport", {"width": 1280, "height": 720}))
        motion = settings.get("reduced_motion", "no-preference")
        page.emulate_media(media="null", color_scheme="light", reduced_motion=motion)
        self.idle[key].append((page, watch))

    def close(self):
        """Close all of them."""
        for context in self.contexts.values():
            context.close()


def open_page(page, address):
    """Open a page and wait until its formulas stand."""
    page.goto(address, wait_until="load")
    if page.locator(".math").count():
        page.wait_for_function("window.MathJax?.startup?.promise")
        page.evaluate("MathJax.startup.promise")
    assert page.locator("article h1, #search-results").count() == 1
    # MathJax shows what it cannot read as an error, and a command that it does not know in red.
    unread = page.locator('mjx-merror, mjx-container [style*="color: red"]')
    assert unread.evaluate_all("all => all.map((a) => a.closest('p, div, li').textContent)") == []


#: Keep what is folded, and let formulas be broken anew, a moment after the width has changed, only
#: for who waits until then.
BEGIN = """(style) => {
  document.head.append(Object.assign(document.createElement("style"), { textContent: style }));
  window.folds = [...document.querySelectorAll("details")].map((one) => [one, one.open]);
  window.hold = true;
  const formulas = window.MathJax?.startup?.document;
  if (!formulas) return;
  const anew = formulas.rerenderPromise.bind(formulas);
  formulas.rerenderPromise = async (...from) => {
    if (!window.hold) await (window.rendered = anew(...from));
  };
}"""
#: Charts follow the width a frame or two later.
SETTLED = """async () => {
  const frames = document.querySelector("[data-explorer]") ? 4 : 2;
  for (let i = 0; i < frames; i++) await new Promise(requestAnimationFrame);
}"""
RENDERED = """async () => {
  if (!window.MathJax?.startup?.document) return;
  await new Promise((done) => setTimeout(done, 210));
  await window.rendered;
  window.hold = true;
}"""


class Opened:
    """A page of the book that stays open while tests look at it."""

    def __init__(self, page, watch, name, site):
        self.page, self.watch, self.name, self.address = page, watch, name, site + name
        self.spoilt = True

    def renew(self):
        """Open it, for the first time or after a test that has changed more than it can undo."""
        self.page.set_viewport_size(DESKTOP)
        self.page.emulate_media(color_scheme="light")
        open_page(self.page, self.address)
        self.page.evaluate(BEGIN, AT_ONCE)
        self.set_for, self.spoilt = 1280, False

    @property
    def slug(self):
        """The page's path in the book's sources, without its suffix."""
        return self.name.removesuffix(".html")

    def fit(self, width, height=800, theme="light"):
        """Give the window a size and a theme; formulas stay as they were set."""
        self.page.emulate_media(color_scheme=theme)
        self.page.set_viewport_size({"width": width, "height": height})
        there = f"innerWidth === {width} && document.documentElement.dataset.theme === '{theme}'"
        self.page.wait_for_function(there)
        self.page.evaluate(SETTLED)

    def show(self, width=1280, height=800, theme="light"):
        """The same, and wait until formulas are set for the width."""
        if self.set_for == width:
            self.fit(width, height, theme)
            return
        if self.page.viewport_size["width"] == width:  # which a page would not follow
            self.fit(width - 1, height)
        self.page.evaluate("window.hold = false")
        self.fit(width, height, theme)
        self.page.evaluate(RENDERED)
        self.set_for = width

    def unfold(self):
        """Open whatever is folded away in the article."""
        self.page.evaluate(
            "document.querySelectorAll('article details').forEach((one) => { one.open = true; })"
        )

    def fold(self):
        """Fold it again, and go to the top."""
        self.page.evaluate("""() => {
          for (const [one, open] of window.folds) one.open = open;
          document.activeElement?.blur();
          scrollTo(0, 0);
        }""")


def show(page, case, site):
    """Open the card of a case and return its live explorer; ``test_pages`` opens whole pages."""
    page.goto(f"{site}cards/{case.page}")
    root = page.locator(f'[data-explorer="{case.explorer.name}"]').first
    assert root.count(), f"{case.page} does not show {case}: give it a cell, run make book"
    root.locator("form").wait_for()
    return root


def drag(page, start, end, steps):
    """Press the mouse at one place and let it go at another, with so many moves on the way."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=steps)
    page.mouse.up()


def resize(page, width, height):
    """Give the window of a card a size, and wait until its charts have followed."""
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function(f"innerWidth === {width}")
    page.evaluate(SETTLED)


#: Keep what is folded on a card, and go back to that; a table is written when it is unfolded.
KEEP = """root => {
  window.folds = [...root.querySelectorAll("details")].map((one) => [one, one.open]);
}"""
BACK = """root => {
  for (const [one, open] of window.folds) one.open = open;
  root.querySelector("[name=reset]").click();
  root.querySelector(".vb-table").replaceChildren();
  document.activeElement?.blur();
  scrollTo(0, 0);
}"""


class Shown:
    """An explorer on a card that stays open; each test finds it as it starts.

    Undo remembers what tests before it did, and a reset is announced a moment later: a test of
    these opens a card of its own.
    """

    def __init__(self, page, watch, case, site):
        self.page, self.watch, self.case, self.site = page, watch, case, site
        self.root = None

    def begin(self):
        """Open the card, or take back what was done on it."""
        page = self.page
        page.mouse.up()
        page.mouse.move(0, 0)
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        if page.viewport_size != TALL:
            resize(page, **TALL)
        if self.root is None:
            root = show(page, self.case, self.site)
            root.evaluate(KEEP)
            self.root = root
        else:
            self.root.evaluate(BACK)
