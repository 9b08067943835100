"""The cache of what was executed, pages and notebooks alike, with two mends of jupyter-cache."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partialmethod
from pathlib import Path

import jupyter_cache
from jupyter_cache.cache import db
from jupyter_cache.cache.main import JupyterCacheBase
from sqlalchemy import URL, create_engine

#: Runs that are kept, for branches to come back to: three or so of every page and notebook.
RUNS = 200

# It may lie in a folder of any name: in an address %20 is a space and ? an end.
db.create_engine = lambda address: create_engine(
    URL.create("sqlite", database=address.removeprefix("sqlite:///"))
)
# Captions, alt texts and tags come from the page as it is, not from the one that was run.
JupyterCacheBase.merge_match_into_notebook = partialmethod(
    JupyterCacheBase.merge_match_into_notebook, cell_meta=()
)


def place(root: Path) -> Path:
    """Return where the cache of a book lies."""
    return root / "_build" / ".jupyter_cache"


@contextmanager
def open_cache(root: Path) -> Iterator[JupyterCacheBase]:
    """Open the cache of a book; its database is closed at the end, which Python 3.13 asks for."""
    cache = jupyter_cache.get_cache(place(root))
    cache.change_cache_limit(RUNS)
    try:
        yield cache
    finally:
        cache.db.dispose()
