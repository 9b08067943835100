"""Build the book in ``_build/html``, strictly, and check what was built.

    .venv/bin/python tools/build_book.py

Every warning is an error. Unchanged pages come from the execution cache, which is keyed on their
cells and on the code that these import. Where nothing at all has changed, nothing is built. After
the build each executed notebook and each page is read again:

- every figure of a code cell is there, as SVG (where a cell did not run, the build failed);
- every page of the table of contents is there;
- every link inside the book leads to a page and an anchor that exist;
- no page loads anything from another host.
"""

import hashlib
import shutil
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
from book_pages import ROOT, code_cells, toc_pages
from build_wheel import build_wheel
from environment import adopt, alone
from execution_cache import open_cache

SITE = ROOT / "_build" / "html"
#: What the book was last built from, written when all was well.
BUILT = ROOT / "_build" / "built-from.txt"
#: All that a page or its frame can depend on.
SOURCES = [
    "*.*", "appendix/*", "chapters/*", "deeper/*", "homework/*", "tools/*", "vaebook/**/*",
    "_ext/*", "_static/**/*", "_vendor/**/*",
]  # fmt: skip
EXECUTED = ROOT / "_build" / "jupyter_execute"
#: Attributes by which a page loads something (a link to elsewhere is no load).
LOADS = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src")}


def fingerprint():
    """Return a digest of every file that the book is built from, and of the Python that builds."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted({path for pattern in SOURCES for path in ROOT.glob(pattern)}):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def build():
    """Run Jupyter Book from a clean site, with its progress on screen; return its exit status."""
    for folder in [SITE, EXECUTED, ROOT / "_build" / ".doctrees"]:
        shutil.rmtree(folder, ignore_errors=True)
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(ROOT)]
    strict = ["-n", "-W", "--keep-going", "--all"]
    return subprocess.run([*command, *strict], cwd=ROOT, check=False).returncode


def cells_of(page):
    """Return the code cells of a page's source."""
    return code_cells((ROOT / f"{page}.md").read_text("utf-8"))


def executed(page):
    """Return the executed notebook of a page; FileNotFoundError or KeyError if there is none.

    The execution cache has every run. The notebook that MyST-NB leaves beside the site has its
    cells, but their outputs only if it ran in this very build.
    """
    read = nbformat.read((EXECUTED / page).with_suffix(".ipynb"), as_version=4)
    with open_cache(ROOT) as cache:
        _, notebook = cache.merge_match_into_notebook(read)
    return notebook


def missing_figures(page):
    """Return the code cells of one page whose figure is not there, one sentence each."""
    if not cells_of(page):
        return []
    faults = []
    for number, cell in enumerate(c for c in executed(page).cells if c.cell_type == "code"):
        pictures = [o for o in cell["outputs"] if "image/svg+xml" in o.get("data", {})]
        if "figure" in cell["metadata"].get("mystnb", {}) and not pictures:
            first_line = "".join(cell["source"]).strip().partition("\n")[0]
            faults.append(f"{page}: code cell {number} ({first_line!r}) drew no SVG figure")
    return faults


class PageReader(HTMLParser):
    """Collect the anchors of a page, its links and what it loads."""

    def __init__(self):
        super().__init__()
        self.anchors, self.links, self.loads = set(), [], []

    def handle_starttag(self, tag, attrs):
        """Note the ids and the addresses of one element."""
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value)
            if value and tag == "a" and name == "href":
                self.links.append(value)
            if value and (tag, name) in LOADS:
                self.loads.append(value)


def read_page(path):
    """Return the ``PageReader`` of one built page."""
    reader = PageReader()
    reader.feed(path.read_text("utf-8"))
    return reader


def broken_links(site):
    """Return every link or load of the site that leads nowhere or to another host."""
    paths = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
    pages = {path.resolve(): read_page(path) for path in paths}
    faults = []
    for path, page in pages.items():
        name = path.relative_to(site.resolve())
        for address in page.links + page.loads:
            url = urlsplit(address)
            if url.scheme or url.netloc:
                if address in page.loads and url.scheme != "data":
                    faults.append(f"{name}: loads {address} from another host")
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            if not target.exists():
                faults.append(f"{name}: {address} leads to no file")
            elif target in pages and unquote(url.fragment) not in pages[target].anchors | {""}:
                faults.append(f"{name}: {address} leads to no anchor")
    return faults


def check():
    """Return every fault of the built book, one sentence each."""
    faults = []
    for page in toc_pages():
        if not (SITE / page).with_suffix(".html").exists():
            faults.append(f"{page}: is in _toc.yml, but no page was built")
        faults += missing_figures(page)
    return faults + broken_links(SITE)


def main():
    """Build, check and say what to open; the exit status is 0 only if all is well."""
    started, opened = time.perf_counter(), f"Open {(SITE / 'index.html').as_uri()}"
    sources = fingerprint()
    if (SITE / "index.html").exists() and BUILT.exists() and BUILT.read_text("utf-8") == sources:
        print(f"The book is built, and nothing has changed since.\n{opened}")
        return
    BUILT.unlink(missing_ok=True)
    build_wheel()
    print(f"[1/2] Running the chapters and building {len(toc_pages())} pages ...", flush=True)
    if build() != 0:
        sys.exit("make book: the build failed; the first warning or error above says where.")
    print("[2/2] Checking cells, pages and links ...", flush=True)
    faults = check()
    if faults:
        print(*faults, sep="\n", file=sys.stderr)
        sys.exit(f"make book: {len(faults)} faults in the built book.")
    BUILT.write_text(sources, "utf-8")
    seconds = time.perf_counter() - started
    cells = sum(len(cells_of(page)) for page in toc_pages())
    size = sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file()) / 1e6
    print(
        f"\nBook built: {len(toc_pages())} pages, {cells} code cells run, {size:.1f} MB, "
        f"{seconds:.0f} s.\n{opened}\n"
        "or run 'make serve' and open http://127.0.0.1:8000/"
    )


if __name__ == "__main__":
    adopt()
    with alone():
        main()
