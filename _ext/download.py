"""Each page's notebook to take along: ``_notebooks/<page>.ipynb`` in the site.

A browser does not save what a page opened as a file links to; there ``_static/book.js`` takes the
notebook from the script beside it. While the book has no address to install the package from, its
wheel lies beside the notebooks, if ``tools/build_wheel.py`` has written it.
"""

import json
import shutil
from pathlib import Path

import vaebook

from .pages import notebook, repository

FOLDER = "_notebooks"
WHEEL = f"vaebook-{vaebook.__version__}-py3-none-any.whl"


def wheel(app):
    """Return the package's wheel, or None where a notebook installs it from an address."""
    path = Path(app.srcdir, "dist", WHEEL)
    return path if path.exists() and not repository(app)[0] else None


def add_button(app, pagename, templatename, context, doctree):
    """Offer the notebook first among the downloads; runs after the theme has made its buttons."""
    if doctree is None or not notebook(app, pagename):
        return
    downloads = next(
        group for group in context["header_buttons"] if group["label"] == "download-buttons"
    )
    offers = [("notebook", f"{pagename}.ipynb", "Notebook (.ipynb)", "the notebook of this page")]
    if wheel(app):
        offers.append(
            ("package", WHEEL, "Package (.whl)", "the package that the notebook installs")
        )
    downloads["buttons"][:0] = [
        {
            "type": "link",
            "url": context["pathto"](f"{FOLDER}/{file}", 1),
            "tooltip": f"Download {what}",
            "text": text,
            "icon": "fas fa-code" if name == "notebook" else "fas fa-box",
            "label": f"download-{name}-button",
        }
        for name, file, text, what in offers
    ]


def copy_notebooks(app, exception):
    """Put the notebooks into the site, each as it is and as a script that holds its text."""
    if exception or app.builder.format != "html":
        return
    if package := wheel(app):
        Path(app.outdir, FOLDER).mkdir(exist_ok=True)
        shutil.copy(package, Path(app.outdir, FOLDER))
    for page in app.env.found_docs:
        if source := notebook(app, page):
            target = Path(app.outdir, FOLDER, f"{page}.ipynb")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            text = json.dumps(source.read_text("utf-8"))
            target.with_suffix(".js").write_text(f"var vaebookNotebook = {text};\n", "utf-8")


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", add_button, priority=960)
    app.connect("build-finished", copy_notebooks)
