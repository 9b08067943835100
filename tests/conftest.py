"""What all tests share: where the book lies, and the ledger's count at the end of a run."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))


def pytest_terminal_summary(terminalreporter):
    """Say how many of the note's equations the book covers by now."""
    from test_ledger import ledger_rows

    rows = ledger_rows()
    written = sum(row.label is not None for row in rows)
    terminalreporter.write_line(f"Ledger: {written} of {len(rows)} equations of the note written.")
