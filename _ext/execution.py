"""How the cells of the pages run: without comms, from a cache keyed on the package."""

import hashlib
import os
from pathlib import Path

from jupyter_cache.cache import db
from myst_nb.sphinx_ import NbMetadataCollector
from nbclient import NotebookClient
from sphinx.util.logging import getLogger
from sqlalchemy import URL, create_engine

from tools.environment import adopt

LOGGER = getLogger(__name__)
PACKAGE = Path(__file__).parent.parent / "vaebook"


def package_hash():
    """Return a short hash of all that a chapter's cells can read from the package."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in {".py", ".mplstyle", ".json", ".npz"}:
            digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0")
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def mend_cache():
    """Let the cache lie in a folder of any name: in an address %20 is a space and ? an end."""
    db.create_engine = lambda address: create_engine(
        URL.create("sqlite", database=address.removeprefix("sqlite:///"))
    )


def prepare(app, config):
    """Set the environment of the run and the place of its cache, before MyST-NB reads them."""
    adopt()
    mend_cache()
    os.environ["VAEBOOK_STATIC"] = "1"  # explorers write HTML and open no comm
    cache = Path(app.outdir).parent / ".jupyter_cache" / package_hash()
    config.nb_execution_cache_path = str(cache)
    # nbclient mirrors Output widgets over the socket on which it waits for the cell's end, and can
    # so miss that end and sleep until the time limit. No page shows such a widget's state.
    NotebookClient.on_comm_open_jupyter_widget = lambda client, message: None


def require_execution(app, env):
    """Warn, and so fail a strict build, of every page with code cells that were not executed."""
    for docname in sorted(env.found_docs):
        path = env.doc2path(docname)
        has_cells = "{code-cell}" in Path(path).read_text("utf-8")
        if has_cells and not NbMetadataCollector.get_exec_data(env, docname):
            LOGGER.warning("has code cells, but was not executed", location=path)


def setup(app):
    """Register with Sphinx."""
    app.connect("config-inited", prepare, priority=100)
    app.connect("env-check-consistency", require_execution)
