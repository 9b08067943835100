"""A matplotlib SVG as part of a page: ids of its own, colours of the page's theme, alt text."""

import html
import re

from vaebook.figures import COLOURS

_IDS = re.compile(r'(\bid="|url\(#|href="#)([^")]+)')
_PLACES = re.compile(r'\b(?:d|x|y)="[^"]*"')
_MILLIONTHS = re.compile(r"(\.\d\d)\d+")
_NUMBERS = r"[\d.-]+ [\d.-]+\s*"
_POLYLINES = re.compile(rf'\bd="((?:M {_NUMBERS}(?:L {_NUMBERS})*(?:z\s*)?)+)"')


def inline_svg(svg_text: str, *, alt: str, prefix: str) -> str:
    """Return the ``<svg>`` element of a figure, ready to stand inside an HTML page.

    Parameters
    ----------
    svg_text : str
        What ``Figure.savefig(..., format="svg")`` wrote.
    alt : str
        The picture in words; becomes its accessible name.
    prefix : str
        Put before every id, so that two pictures of one page do not share clip paths.

    Returns
    -------
    str
        One ``<svg role="img">`` element. Each colour of ``figures.COLOURS`` is replaced by the
        CSS variable of its role, so the same picture reads on light and on dark paper.
    """
    svg = svg_text[svg_text.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.S)
    # Inside a page this rule would reach every element of it; the root's style says the same.
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.S)
    svg = _IDS.sub(rf"\g<1>{prefix}-\g<2>", svg)
    svg = _POLYLINES.sub(_as_steps, svg)
    # A hundredth of a point is finer than any screen; matplotlib writes millionths.
    svg = _PLACES.sub(lambda place: _MILLIONTHS.sub(r"\1", place[0]), svg)
    svg = re.sub(r"(: )(#[0-9a-f]{6})\b", _themed, svg)
    width, height = re.findall(r'width="([\d.]+)pt" height="([\d.]+)pt"', svg)[0]
    label = html.escape(alt, quote=True)
    opening = (
        f'<svg class="vb-figure" role="img" aria-label="{label}" '
        f'style="max-width: {float(width) * 4 / 3:.0f}px; stroke-linejoin: round" '
        f'viewBox="0 0 {width} {height}" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return re.sub(r"<svg[^>]*>", lambda _: opening, svg, count=1).strip()


def _as_steps(match):
    """Write lines as steps of whole tenths of a point: the small numbers take half the bytes."""
    path, here = "", (0, 0)
    for command, x, y in re.findall(r"([MLz])(?: ([\d.-]+) ([\d.-]+))?", match[1]):
        if command == "z":
            path += "z"
            continue
        place = round(float(x) * 10), round(float(y) * 10)
        if command == "M":
            path += f"M{place[0] / 10:g} {place[1] / 10:g}"
        else:
            path += f"l{(place[0] - here[0]) / 10:g} {(place[1] - here[1]) / 10:g}"
        here = place
    return f'd="{path}"'


def _themed(match):
    """Replace one of the book's colours by its CSS variable; leave every other colour alone."""
    role = _ROLE_OF.get(match[2])
    return match[1] + (f"var(--vb-{role}, {match[2]})" if role else match[2])


# The first role wins where two share a colour (data is drawn in ink).
_ROLE_OF = {colour: role for role, colour in reversed(COLOURS.items())}
