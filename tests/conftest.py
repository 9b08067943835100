"""What all tests share: where the book lies, and what a run says at its end."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from environment import adopt  # noqa: E402

adopt()  # before a test imports what reads the caller's settings


def pytest_terminal_summary(terminalreporter):
    """Say how many of the note's equations the book covers by now, and what tests have to say."""
    from test_ledger import ledger_rows

    rows = ledger_rows()
    written = sum(row.label is not None for row in rows)
    terminalreporter.write_line(f"Ledger: {written} of {len(rows)} equations of the note written.")
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == "summary":
                terminalreporter.write_line(text)
