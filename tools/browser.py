"""What opens the built pages: Chromium (the machine's own, else Playwright's), and a server."""

import contextlib
import functools
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

NAMES = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
# No sandbox (it may run as root), and nothing that speaks to the network by itself.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def open_chromium(playwright):
    """Start Chromium by Playwright; FileNotFoundError if there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    path = found or playwright.chromium.executable_path
    if not Path(path).exists():
        raise FileNotFoundError("No Chromium found: run 'make browser', which installs one.")
    return playwright.chromium.launch(executable_path=path, args=FLAGS)


class Files(SimpleHTTPRequestHandler):
    """The files of a folder, many over one connection, without a log."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing."""


@contextlib.contextmanager
def served(folder, files=Files):
    """Serve a folder on a free loopback port; yield its address."""
    handler = functools.partial(files, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
