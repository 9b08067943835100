"""How the cells of the pages run: without comms, from a cache that knows what code they reached."""

import os
from pathlib import Path

import execution_cache
from book_pages import code_cells
from environment import adopt
from execution_key import execution_key, files_reached
from myst_nb.sphinx_ import NbMetadataCollector
from nbclient import NotebookClient
from sphinx.util.logging import getLogger

LOGGER = getLogger(__name__)
KERNEL = "display_name: Python 3"


def prepare(app, config):
    """Set the environment of the run and the place of its cache, before MyST-NB reads them."""
    adopt()
    os.environ["VAEBOOK_STATIC"] = "1"  # explorers write HTML and open no comm
    config.nb_execution_cache_path = str(execution_cache.place(Path(app.outdir).parent.parent))
    # nbclient mirrors Output widgets over the socket on which it waits for the cell's end, and can
    # so miss that end and sleep until the time limit. No page shows such a widget's state.
    NotebookClient.on_comm_open_jupyter_widget = _ignore  # type: ignore[method-assign]


def _ignore(client, message):
    """Let a comm be opened and keep no account of it."""


def add_key(app, docname, source):
    """Write the key of a page's cells into its header: the cache compares cells and header.

    A run under another key is so never taken for this one.
    """
    codes = [cell.code for cell in code_cells(source[0])]
    if not codes:
        return
    if KERNEL not in source[0]:
        LOGGER.warning("has code cells, but no line %r in its header", KERNEL, location=docname)
    source[0] = source[0].replace(KERNEL, f"{KERNEL} ({execution_key(codes)})", 1)
    for path in files_reached(codes):
        app.env.note_dependency(str(path))


def require_execution(app, env):
    """Warn, and so fail a strict build, of every page with code cells that were not executed."""
    for docname in sorted(env.found_docs):
        path = env.doc2path(docname)
        has_cells = bool(code_cells(Path(path).read_text("utf-8")))
        if has_cells and not NbMetadataCollector.get_exec_data(env, docname):
            LOGGER.warning("has code cells, but was not executed", location=path)


def setup(app):
    """Register with Sphinx."""
    app.connect("config-inited", prepare, priority=100)
    app.connect("source-read", add_key)
    app.connect("env-check-consistency", require_execution)
