"""What all tests share: where the book lies, and the environment that is made for it."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from environment import adopt  # noqa: E402

adopt()  # before a test imports what reads the caller's settings
