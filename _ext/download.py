"""Each page's notebook to take along: ``_notebooks/<page>.ipynb`` in the site.

A browser does not save what a page opened as a file links to; there ``_static/book.js`` takes the
notebook from the script beside it.
"""

import json
import shutil
from pathlib import Path

FOLDER = "_notebooks"


def notebook(app, pagename):
    """Return the notebook of a page, or None if it has none."""
    path = Path(app.srcdir, pagename).with_suffix(".ipynb")
    return path if path.exists() else None


def add_button(app, pagename, templatename, context, doctree):
    """Offer the notebook first among the downloads; runs after the theme has made its buttons."""
    if doctree is None or not notebook(app, pagename):
        return
    downloads = next(
        group for group in context["header_buttons"] if group["label"] == "download-buttons"
    )
    button = {
        "type": "link",
        "url": context["pathto"](f"{FOLDER}/{pagename}.ipynb", 1),
        "tooltip": "Download the notebook of this page",
        "text": "Notebook (.ipynb)",
        "icon": "fas fa-code",
        "label": "download-notebook-button",
    }
    downloads["buttons"].insert(0, button)


def copy_notebooks(app, exception):
    """Put the notebooks into the site, each as it is and as a script that holds its text."""
    if exception or app.builder.format != "html":
        return
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
