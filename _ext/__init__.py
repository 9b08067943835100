"""What the book's build needs beyond Jupyter Book; ``_config.yml`` loads it.

Each part does one job and registers what it does in its own ``setup``.
"""

from . import checks, choices, deeper, execution, figures, homework, moves, pages, tags

PARTS = (checks, choices, deeper, execution, figures, homework, moves, pages, tags)


def setup(app):
    """Register every part with Sphinx."""
    for part in PARTS:
        part.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
