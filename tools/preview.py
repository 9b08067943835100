"""Show one page of the book in a browser, and renew it within seconds of each saved edit.

    .venv/bin/python tools/preview.py chapters/mixture-of-gaussians [PORT]

Sphinx and what it knows of the book stay in memory. Cells run only if the code of the page, or code
that it imports, has changed. All other pages are read once, for references and numbers; they show
what the execution cache has of them, and nothing runs.
"""

import contextlib
import os
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from book_pages import ROOT, code_cells, toc_pages
from environment import adopt
from execution_cache import open_cache
from execution_key import files_reached
from jupyter_book.config import get_final_config
from myst_nb.core.execute.cache import NotebookClientCache
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

OUT = ROOT / "_build" / "preview"
#: What is read at the start: a change of it begins anew.
FRAME = (
    "_ext", "tools", "_static", "_config.yml", "_toc.yml", "references.bib",
    "appendix/glossary.md", "vaebook/checks", "vaebook/explorers/js",
)  # fmt: skip
#: Reloads the page when the server has a newer one.
RELOAD = """{
  let shown;
  setInterval(async () => {
    const now = (await fetch(location.pathname, {method: "HEAD"})).headers.get("ETag");
    if (shown && now !== shown) location.reload();
    shown = now;
  }, 300);
}"""


class Handler(SimpleHTTPRequestHandler):
    """Serves the folder, says how new each file is to the microsecond, and nothing on screen."""

    def end_headers(self):
        path = Path(self.translate_path(self.path))
        if path.is_file():
            self.send_header("ETag", f'"{path.stat().st_mtime_ns}"')
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    """Says nothing of a browser that leaves before the page is there."""

    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class WarningsOf:
    """A stream that lets those lines through that name the page."""

    def __init__(self, page):
        self.page = page

    def write(self, text):
        if self.page in text:
            sys.stderr.write(text)


def times(paths):
    """Return when each file was changed; those in folders as well."""
    files = (file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]))
    files = (file for file in files if file.suffix != ".pyc" and file.is_file())
    return {file: file.stat().st_mtime_ns for file in files}


def run_only(source):
    """Let MyST-NB run this page alone, and take other pages from the cache or leave them."""
    start = NotebookClientCache.start_client

    def start_client(client):
        if client.path != source:
            try:
                with open_cache(ROOT) as cache:
                    cache.match_cache_notebook(client.notebook)
            except KeyError:
                return
        start(client)

    NotebookClientCache.start_client = start_client


def main(page, port=8000):
    """Build the page, serve it and watch, until Ctrl-C."""
    page = page.removesuffix(".md")
    if page not in toc_pages():
        sys.exit(f"preview: {page!r} is not in _toc.yml; a page is named as PAGE=chapters/<slug>")
    try:
        server = Server(("127.0.0.1", int(port)), partial(Handler, directory=OUT))
    except OSError as error:
        sys.exit(f"preview: port {port} cannot be had ({error.strerror}); give another, PORT=8001")
    source = ROOT / f"{page}.md"
    run_only(source)
    config, _ = get_final_config(
        user_yaml=ROOT / "_config.yml", sourcedir=ROOT, cli_config={"latex_individualpages": False}
    )
    config["nb_execution_raise_on_error"] = False  # the page shows what a cell raised
    with patch_docutils(None), docutils_namespace():
        app = Sphinx(
            ROOT, None, OUT, ROOT / "_build" / ".preview", "html", config,
            status=None, warning=WarningsOf(page),  # type: ignore[arg-type]
        )  # fmt: skip
        app.registry.add_js_file(None, body=RELOAD)
        frame = [ROOT / name for name in FRAME if ROOT / name != source]
        framed = times(frame)
        # Another preview may have read the page without running it.
        app.connect("env-get-outdated", lambda *_: [page])
        seen = renew(app, source)
        app.connect("env-before-read-docs", lambda _app, _env, names: only(names, page))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"Open http://127.0.0.1:{port}/{page}.html (Ctrl-C stops)", flush=True)
        while times(frame) == framed:
            time.sleep(0.2)
            if times(seen) != seen:
                seen = renew(app, source)
    os.execv(sys.executable, [sys.executable, *sys.argv])  # what frames the page has changed


def only(names, page):
    """Read no other page again."""
    names[:] = [name for name in names if name == page]


def renew(app, source):
    """Build the page and return what it was built from; what goes wrong is said on screen."""
    started = time.perf_counter()
    codes = [cell.code for cell in code_cells(source.read_text("utf-8"))]
    seen = times([source, *files_reached(codes)])
    try:
        app.build(filenames=[str(source)])
        print(f"Built in {time.perf_counter() - started:.1f} s", flush=True)
    except Exception as error:
        print(f"Not built: {error}", file=sys.stderr)
    return seen


if __name__ == "__main__":
    adopt()
    with contextlib.suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
