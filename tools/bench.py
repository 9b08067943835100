"""Measure what people wait for: a move of an explorer, a page, and a build. Prints tables.

Every slider and every handle of the built site's explorers is moved in Chromium. Three times are
taken of each move: the handler's work (all that the script does before it gives the browser back)
in processor time, which a busy machine does not change, and on the clock; and from the move until
the next frame is painted.

Every page with an explorer is opened from a server on this machine, at two widths, each time in a
browser that has nothing in store: when its explorer can be moved, when the formulas of the first
two screens are set, and how far things jump meanwhile (the sum of its layout shifts, which bounds
CLS from above).

Builds are timed in a copy of the book: with nothing run before, unchanged, and with one chapter
edited.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from browser import open_chromium, served

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
MOVES = 200
TARGET_MS = 4.0
SIZES = [(1280, 900), (390, 844)]
LOADS = 3  # of a page; the median counts
PAGE_TARGETS = {"alive": 400, "set": 900, "shift": 0.05}  # milliseconds, and a share of the window

MEASURE = """async ([selector, moves]) => {
  const target = document.querySelector(selector);
  const [low, high] = [Number(target.min), Number(target.max)];
  const layer = target.closest("svg"), box = layer?.getBoundingClientRect();
  const pointer = (type, clientX) => new PointerEvent(type,
    { pointerId: 1, button: 0, pointerType: "mouse", bubbles: true, clientX, clientY: box.y });
  if (layer) {
    layer.setPointerCapture = () => {}; // this pointer is made by a script
    target.dispatchEvent(pointer("pointerdown", target.getBoundingClientRect().x));
  }
  const handler = [], painted = [];
  for (let i = 0; i < moves; i++) {
    const part = (i * 0.618) % 1;
    target.value = low + (high - low) * part;
    const start = performance.now();
    if (layer) layer.dispatchEvent(pointer("pointermove", box.x + box.width * part));
    else target.dispatchEvent(new Event("input"));
    handler.push(performance.now() - start);
    await new Promise((done) => requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = done;
      channel.port2.postMessage(0);
    }));
    painted.push(performance.now() - start);
  }
  layer?.dispatchEvent(pointer("pointerup", 0));
  return { handler, painted };
}"""

IDS = "all => all.map((e) => (e.id ||= crypto.randomUUID()))"

WATCH = """window.seen = { alive: null, set: null, shift: 0 };
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) if (!shift.hadRecentInput) seen.shift += shift.value;
}).observe({ type: "layout-shift", buffered: true });
document.addEventListener("vaebook:ready", () => { seen.alive ??= performance.now(); });
const look = () => {
  const near = [...document.querySelectorAll(".math")]
    .filter((formula) => formula.getBoundingClientRect().top < 2 * innerHeight);
  const done = near.every((formula) => formula.querySelector("mjx-container"));
  if (done && document.readyState !== "loading") seen.set = performance.now();
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);"""


def summary(times):
    """Return the median and the 95th percentile, in the unit of ``times``."""
    return np.percentile(times, [50, 95])


def explorers():
    """Return the name of each explorer of the built site, with its first page."""
    from vaebook.explorers import scripts

    found = {}
    for page in sorted(HTML.rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        for name in scripts.names():
            if f'data-explorer="{name}"' in text:
                found.setdefault(name, page)
    return found


def measure(browser, page, selector):
    """Move one slider or handle; return its times by kind, in milliseconds."""
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    times = page.evaluate(MEASURE, [selector, MOVES])
    moves = {"input", "pointermove"}
    work = [
        event.get("tdur", 0) / 1000
        for event in json.loads(browser.stop_tracing())["traceEvents"]
        if event["name"] == "EventDispatch" and event["args"]["data"]["type"] in moves
    ]
    return times | {"work": work}


def bench_sliders():
    """Yield one row for each explorer: its slowest slider or handle."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = open_chromium(playwright)
        for name, path in explorers().items():
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(path.as_uri())
            root = f'[data-explorer="{name}"]'
            page.locator(f"{root} form").first.wait_for()
            page.locator(root).first.scroll_into_view_if_needed()
            slowest, which = None, ""
            moving = page.locator(f"{root} :is(input[type=range], [data-handle])")
            for id_ in moving.evaluate_all(IDS):
                if not page.locator(f'[id="{id_}"]').count():
                    continue  # a move before has taken this handle off the picture
                times = measure(browser, page, f'[id="{id_}"]')
                if slowest is None or summary(times["work"])[1] > summary(slowest["work"])[1]:
                    slowest = times
                    moved = page.locator(f'[id="{id_}"]')
                    which = moved.evaluate("e => e.name ?? e.dataset.handle")
            yield f"{name}, {which}", slowest
        browser.close()


def bench_pages():
    """Yield each page with an explorer, a window's width, and what its loading takes."""
    from playwright.sync_api import sync_playwright

    pages = [
        page for page in sorted(HTML.rglob("*.html")) if "data-explorer=" in page.read_text("utf-8")
    ]
    with sync_playwright() as playwright, served(HTML) as site:
        browser = open_chromium(playwright)
        for path in pages:
            name = path.relative_to(HTML).as_posix()
            for width, height in SIZES:
                loads = []
                for _ in range(LOADS):
                    page = browser.new_page(viewport={"width": width, "height": height})
                    page.add_init_script(WATCH)
                    page.goto(f"{site}{name}", wait_until="load")
                    page.wait_for_function("seen.alive !== null && seen.set !== null")
                    page.evaluate("window.MathJax?.startup?.promise")
                    page.wait_for_timeout(300)
                    loads.append(page.evaluate("seen"))
                    page.close()
                yield (
                    name,
                    width,
                    {key: np.median([load[key] for load in loads]) for key in PAGE_TARGETS},
                )
        browser.close()


def bench_builds():
    """Return the seconds of a cold build, an unchanged one, and one with one chapter edited."""
    times = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "book"
        ignored = shutil.ignore_patterns(".git", ".venv", "_build", ".*_cache", "__pycache__")
        shutil.copytree(ROOT, copy, ignore=ignored)
        environment = {**os.environ, "PYTHONPATH": str(copy)}

        def build(name):
            start = time.perf_counter()
            command = [sys.executable, "tools/build_book.py"]
            subprocess.run(command, cwd=copy, env=environment, check=True, capture_output=True)
            times[name] = time.perf_counter() - start

        build("cold: every chapter runs")
        build("unchanged")
        chapter = copy / "chapters" / "mixture-of-gaussians.md"
        cell = "```{code-cell} ipython3\nassert True\n```\n\n## Summary"
        text = chapter.read_text("utf-8").replace("## Summary", cell, 1)
        chapter.write_text(text, "utf-8")
        build("one chapter edited: it runs")
    return times


def main():
    """Print the tables; fail if the target of the moves is missed."""
    if not (HTML / "index.html").exists():
        sys.exit("The site is not built: run 'make book' first.")
    print(f"{'the slowest move, in ms':<28}{'work':>14}{'on the clock':>16}{'until painted':>16}")
    print(f"{'':<28}{'p50    p95':>14}{'p50    p95':>16}{'p50    p95':>16}")
    missed = []
    for name, times in bench_sliders():
        row = [summary(times[kind]) for kind in ("work", "handler", "painted")]
        cells = "  ".join(f"{p50:>7.2f}{p95:>7.2f}" for p50, p95 in row)
        print(f"{name:<28}{cells}", flush=True)
        if row[0][1] > TARGET_MS:
            missed.append(name)
    verdict = f"missed by {', '.join(missed)}" if missed else "met"
    print(f"Target: work p95 <= {TARGET_MS:g} ms: {verdict}.\n")
    print(f"{'a page, and its width':<52}{'alive, ms':>10}{'set, ms':>10}{'shift':>8}")
    for name, width, load in bench_pages():
        over = [key for key, most in PAGE_TARGETS.items() if load[key] > most]
        missed += over
        cells = f"{load['alive']:>10.0f}{load['set']:>10.0f}{load['shift']:>8.3f}"
        print(f"{name:<46}{width:>6}{cells}  {', '.join(over)}", flush=True)
    print(f"Targets: {PAGE_TARGETS}.\n")
    for name, seconds in bench_builds().items():
        print(f"build, {name:<28}{seconds:>6.1f} s", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
