"""The preview: a saved sentence is on the page without a new start, and nothing else runs."""

import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from conftest import ROOT
from test_gate import copy_book

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PAGE = "appendix/teaching"


def read(address):
    """Return what the server answers, or nothing while there is none."""
    try:
        with urllib.request.urlopen(address) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def wait_for(words, address, process):
    """Wait until the page says something."""
    while words not in read(address):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.2)


def test_a_saved_sentence_is_on_the_page_and_no_other_page_runs(tmp_path):
    copy = tmp_path / "book"
    copy_book(ROOT, copy)
    cache = copy / "_build" / ".jupyter_cache" / "executed"
    runs = len(list(cache.glob("*")))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "tools/preview.py", PAGE, str(port)],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        address = f"http://127.0.0.1:{port}/{PAGE}.html"
        wait_for("</html>", address, process)
        with open(copy / f"{PAGE}.md", "a", encoding="utf-8") as file:
            file.write("\nA planted sentence.\n")
        wait_for("A planted sentence.", address, process)
        assert len(list(cache.glob("*"))) == runs
    finally:
        process.kill()
        process.communicate()
