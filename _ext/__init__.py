"""What the book's build needs beyond Jupyter Book; ``_config.yml`` loads it.

Each part does one job and registers what it does in its own ``setup``.
"""

import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))  # which read pages as well
PARTS = (
    "checks", "choices", "code", "deeper", "download", "execution", "figures", "homework", "moves",
    "pages", "places", "reference", "tags",
)  # fmt: skip


def setup(app):
    """Register every part with Sphinx."""
    for part in PARTS:
        import_module(f"_ext.{part}").setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
