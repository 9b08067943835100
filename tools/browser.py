"""Chromium for whatever opens the built pages: the machine's own, else Playwright's download."""

import shutil
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
