"""Words with numbers in them, as the page writes them: ``js/kit/numbers.js`` is the double."""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def write(value: float, digits: int = 2) -> str:
    """Return a number as people read it: 0.1234 -> "0.12"; 4.2e-7 -> "4.20 × 10⁻⁷"."""
    size = abs(value)
    if 1e-12 <= size < 0.5 * 10**-digits or size >= 1e6:
        mantissa, power = f"{value:.2e}".split("e")
        written = f"{mantissa} × 10{str(int(power)).translate(_RAISED)}"
    else:
        # As JavaScript: of the digits that a reader sees, 5 goes up.
        shown = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
        written = f"{shown:z,f}"
    return written.replace("-", "−")


def fill(template: str, blanks: Mapping[str, Any]) -> str:
    """Fill ``{name}`` with that blank, a number with two digits; ``{name:3}`` is one with three."""

    def word(found):
        value = blanks[found[1]]
        return value if isinstance(value, str) else write(value, int(found[2] or 2))

    return re.sub(r"\{(\w+)(?::(\d))?\}", word, template)
