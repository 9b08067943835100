"""What all tests share: where the book lies, and what a run says at its end."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from environment import adopt  # noqa: E402

adopt()  # before a test imports what reads the caller's settings


def pytest_terminal_summary(terminalreporter):
    """Print what tests have to say."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == "summary":
                terminalreporter.write_line(text)
