"""The same explorer as a widget in a real JupyterLab: page and kernel stay in step."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from playwright.sync_api import TimeoutError

from vaebook import explorers

CELLS = [
    "from vaebook import explorers\nw = explorers.Elbo()\nw",
    "print('mean is', w.mean, 'and', w.values['std'])",
    "w.mean = 1.25",
    "w",
]


@pytest.fixture
def lab(tmp_path):
    """Address of a JupyterLab of its own, with one notebook; gone at the end of the test."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    root = tmp_path / "notebooks"
    root.mkdir()
    nbformat.write(notebook, root / "explorer.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": root,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "IdentityProvider.token": "explorer",
        "LabApp.news_url": "",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
    }
    homes = {
        name: str(tmp_path / name.lower())
        for name in [
            "HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR",
            "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR",
        ]
    }  # fmt: skip
    log = tmp_path / "lab.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *(f"--{k}={v}" for k, v in settings.items())],
            env=os.environ | homes | {"OMP_NUM_THREADS": "1"},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        base = f"http://127.0.0.1:{port}"
        for _ in range(300):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{base}/api?token=explorer", timeout=5).close()
                break
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)
        else:
            pytest.fail(f"JupyterLab did not start: {log.read_text()}")
        yield f"{base}/doc/tree/explorer.ipynb?token=explorer&reset"
    finally:
        # The kernel belongs to the server's session and goes with it.
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(20)


def test_explorer_in_jupyterlab(lab, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    page = context.new_page()
    page.set_default_timeout(60_000)
    elsewhere, scripts_sent = [], []
    page.on(
        "request",
        lambda sent: (
            None
            if sent.url.startswith(("http://127.0.0.1:", "data:", "blob:"))
            else elsewhere.append(sent.url)
        ),
    )

    def note(frame):
        frame = frame if isinstance(frame, bytes) else frame.encode()
        if b"export default vaebook.widget" in frame:
            scripts_sent.append(len(frame))

    page.on("websocket", lambda socket: socket.on("framereceived", note))
    page.goto(lab)
    # Asked to run before its kernel is there, JupyterLab wants to know which, or forgets the run.
    which = page.get_by_role("dialog").filter(has_text="Select Kernel")
    page.add_locator_handler(which, lambda: which.locator(".jp-mod-accept").click())

    def run(number):
        cell = page.locator(".jp-CodeCell").nth(number)
        cell.locator(".jp-InputArea-prompt").evaluate("e => { e.textContent = 'asked' }")
        for _ in range(20):
            cell.locator(".cm-content").click()
            page.keyboard.press("Shift+Enter")
            with contextlib.suppress(TimeoutError):
                cell.get_by_text(re.compile(r"^\[[*\d]+\]:$")).first.wait_for(timeout=3000)
                return
        pytest.fail(f"JupyterLab did not run cell {number}.")

    def output(number):
        return page.locator(".jp-CodeCell").nth(number).locator(".jp-OutputArea-output")

    def printed(text):
        run(1)
        output(1).get_by_text(text, exact=True).wait_for()

    # Shown, and moved with keys: Python sees the value.
    run(0)
    first = page.locator('[data-explorer="elbo"]').first
    mean = first.locator('input[name="mean"]')
    for key in ["ArrowRight", "ArrowUp", "ArrowRight", "Shift+ArrowRight"]:
        mean.press(key)
    assert mean.evaluate("e => [e.valueAsNumber, e === document.activeElement]") == [0.51, True]
    printed("mean is 0.51 and 0.5")

    # Moved in Python: the page follows, in numbers too.
    run(2)
    moved = "e => e.querySelector('input[name=mean]').valueAsNumber === 1.25"
    page.wait_for_function(moved, arg=first.element_handle())
    shown = float(first.locator('[data-readout="elbo"]').get_attribute("data-number"))
    assert shown == pytest.approx(explorers.Elbo(mean=1.25).readouts()["elbo"], abs=1e-9)

    # Shown twice: both are one object, and its script was sent once.
    run(3)
    second = page.locator('[data-explorer="elbo"]').nth(1)
    second.locator('input[name="std"]').press("End")
    for one in (first, second):
        assert one.locator('input[name="std"]').evaluate("e => e.valueAsNumber") == 1.5
    printed("mean is 1.25 and 1.5")
    second.locator('button[name="reset"]').press("Enter")
    assert mean.evaluate("e => e.valueAsNumber") == 0.2
    printed("mean is 0.2 and 0.5")
    assert len(scripts_sent) == 1

    # JupyterLab's own theme decides between light and dark.
    paper = "e => getComputedStyle(e.querySelector('form')).backgroundColor"
    light = first.evaluate(paper)
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    assert (light, first.evaluate(paper)) == ("rgb(255, 255, 255)", "rgb(20, 24, 30)")
    assert elsewhere == []
    context.close()
