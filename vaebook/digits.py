"""Digits drawn by code from matplotlib's own fonts, each with the factors that made it.

A glyph is stored as its signed distance field, so that a lean, a stretch, a bend and a change of
stroke are arithmetic on coordinates and distances, for a whole block of images at once.
"""

import functools
import json
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

VERSION = 1  # raise it with every change of a pixel, so that no digits kept before are used
SIZE = 28  # pixels per side
FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono", "DejaVuSerif", "DejaVuSerif-Italic",
    "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "cmr10", "cmss10", "cmtt10", "cmti10",
)  # fmt: skip
_SHIPPED = "cmti10"  # lies beside this file: Matplotlib has it only from 3.11 on
_GRID = 72  # points per side of a glyph's distance field ...
_REACH = 0.75  # ... which covers [-0.75, 0.75]; the glyph's height is 1
_KNOTS = 5  # elastic displacements per side


class DigitFactors(NamedTuple):
    """What varies between drawn digits, beside the digit itself; one row for each image.

    ``font`` (N,) indexes ``FONTS``; ``slant`` (N,) is the tangent of the lean to the right;
    ``shift`` (N, 2) right and up, ``thickness`` (N,) added to each side of a stroke, and
    ``elastic`` (N, 2, 5, 5), control points of the displacement right and up, are in pixels;
    ``scale`` (N, 2) multiplies the width and the height of 20 pixels.
    """

    font: NDArray
    slant: NDArray
    shift: NDArray
    scale: NDArray
    thickness: NDArray
    elastic: NDArray

    def rows(self, index: slice | NDArray) -> "DigitFactors":
        """Return the factors of some images, for example ``rows(slice(10))``."""
        return DigitFactors(*(factor[index] for factor in self))


def sample_factors(n: int, *, rng: np.random.Generator) -> tuple[NDArray, DigitFactors]:
    """Draw n digits and the factors of their images, all uniform and independent.

    Parameters
    ----------
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    labels : ndarray of uint8, (n,)
    factors : DigitFactors of float32 arrays, and of uint8 for the font

    Source: chapter "variational-autoencoder".
    """

    def uniform(low, high, *shape):  # in steps that round alike on every machine
        return np.float32(low) + np.float32(high - low) * rng.random((n, *shape), np.float32)

    labels = rng.integers(10, size=n).astype(np.uint8)
    return labels, DigitFactors(
        font=rng.integers(len(FONTS), size=n).astype(np.uint8),
        slant=uniform(-0.15, 0.5),
        shift=uniform(-2, 2, 2),
        scale=np.stack([uniform(0.8, 1.1), uniform(0.8, 1.05)], -1),
        thickness=uniform(-0.1, 0.8),
        elastic=uniform(-2, 2, 2, _KNOTS, _KNOTS),
    )


def draw_digits(labels: ArrayLike, factors: DigitFactors) -> NDArray:
    r"""Draw digits with given factors: grey images, a function of the factors alone.

    A pixel looks up the signed distance, negative inside, at the place where the inverse warp puts
    it; the outline lies where that distance equals the thickness, and one pixel of grey softens it.

    Parameters
    ----------
    labels : array_like of int, (N,)
        The digits, 0 to 9.
    factors : DigitFactors of N rows

    Returns
    -------
    ndarray of uint8, (N, 28, 28); 0 is paper and 255 is ink.

    Raises
    ------
    ValueError
        If a label is no digit, or the numbers of labels and factors differ.

    Source: chapter "variational-autoencoder".
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or not np.isin(labels, np.arange(10)).all():
        raise ValueError(f"Labels are {labels!r}, expected a list of digits from 0 to 9.")
    if any(len(factor) != len(labels) for factor in factors):
        lengths = ", ".join(str(len(factor)) for factor in factors)
        raise ValueError(f"{len(labels)} labels with factors of lengths {lengths}; pass as many.")
    images = np.empty((len(labels), SIZE, SIZE), np.uint8)
    for start in range(0, len(labels), 250):  # blocks that fit in the processor's cache
        block = slice(start, start + 250)
        images[block] = _draw_block(labels[block], factors.rows(block))
    return images


def _draw_block(labels: NDArray, factors: DigitFactors) -> NDArray:
    """Draw digits by elementary operations alone, which round alike on every machine."""
    fields = _distance_fields()
    centred = np.arange(SIZE, dtype=np.float32) - np.float32((SIZE - 1) / 2)
    shift, elastic = factors.shift[:, :, None, None], factors.elastic
    x = centred - _smooth(elastic[:, 0]) - shift[:, 0]  # (B, 28, 28)
    y = -centred[:, None] - _smooth(elastic[:, 1]) - shift[:, 1]
    width, height = np.moveaxis(20 * factors.scale, -1, 0)[:, :, None, None]
    column = _grid_place((x - factors.slant[:, None, None] * y) / width)
    row = _grid_place(y / height)
    i, j = row.astype(np.int32), column.astype(np.int32)
    row -= i
    column -= j
    glyph = factors.font.astype(np.int32) * 10 + labels.astype(np.int32)
    corner = (glyph[:, None, None] * _GRID + i) * _GRID + j
    below = fields[corner] * (1 - column) + fields[corner + 1] * column
    above = fields[corner + _GRID] * (1 - column) + fields[corner + _GRID + 1] * column
    distance = (below * (1 - row) + above * row) * height  # pixels, positive outside
    ink = np.float32(0.5) + factors.thickness[:, None, None] - distance
    return (np.clip(ink, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def _grid_place(coordinate: NDArray) -> NDArray:
    """Where a coordinate lies on the grid of a distance field, in grid steps."""
    place = (coordinate + np.float32(_REACH)) * np.float32((_GRID - 1) / (2 * _REACH))
    return np.clip(place, 0, np.float32(_GRID - 1.001))


def _smooth(knots: NDArray) -> NDArray:
    """Quadratic B-spline over the pixels from (B, 5, 5) control points: (B, 28, 28)."""
    place = np.arange(SIZE) * ((_KNOTS - 2) / SIZE)
    knot = place.astype(int)
    t = place - knot
    weights = np.zeros((_KNOTS, SIZE), np.float32)
    for offset, weight in enumerate([(1 - t) * (1 - t) / 2, 0.5 + t - t * t, t * t / 2]):
        weights[knot + offset, np.arange(SIZE)] = weight
    # Written as sums because a matrix product rounds differently from machine to machine.
    rows = sum(knots[:, k, None, :] * weights[k][:, None] for k in range(_KNOTS))  # (B, 28, 5)
    return sum(rows[:, :, k, None] * weights[k] for k in range(_KNOTS))


@functools.cache
def _distance_fields() -> NDArray:
    """Signed distances to the outlines of all digits in all fonts, one flat float32 array."""
    fields = [_distance_field(_outline(*glyph)) for name in FONTS for glyph in _glyphs(name)]
    return np.stack(fields).astype(np.float32).ravel()


def _glyphs(name):
    """Points (P, 2) and path codes (P,) of the ten digits of a font, one pair for each."""
    if name == _SHIPPED:
        file = resources.files("vaebook") / f"{name}-digits.json"
        outlines = json.loads(file.read_text("utf-8"))["outlines"]
        for outline in map(np.array, outlines):
            yield outline[:, :2] / 64, outline[:, 2]
        return
    import matplotlib
    from matplotlib import ft2font

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    # Unscaled outlines are whole numbers: no hinting and no rounding that a version could change.
    # Up to Matplotlib 3.10 a transform narrows them to an eighth, if it is not told to leave off.
    if hasattr(ft2font, "LoadFlags"):
        unscaled = ft2font.LoadFlags.NO_SCALE | ft2font.LoadFlags.IGNORE_TRANSFORM
    else:
        unscaled = (
            ft2font.LOAD_NO_SCALE | ft2font.LOAD_IGNORE_TRANSFORM  # type: ignore[attr-defined]
        )
    font = ft2font.FT2Font(str(folder / f"{name}.ttf"))
    for digit in "0123456789":
        font.load_char(ord(digit), flags=unscaled)
        yield font.get_path()


def _outline(points: NDArray, codes: NDArray) -> NDArray:
    """Cut a glyph's outline into line segments (S, 2, 2), centred and of height 1."""
    t = (np.arange(7) / 6)[:, None]
    pieces, k = [], 0
    while k < len(codes):
        if codes[k] == 1:  # move
            start = here = points[k]
        elif codes[k] in (2, 79):  # line, or line back to the start
            end = points[k] if codes[k] == 2 else start
            pieces.append(np.stack([here, end])[None])
            here = end
        else:  # quadratic curve: control point and end
            control, end = points[k : k + 2]
            curve = (1 - t) * (1 - t) * here + 2 * t * (1 - t) * control + t * t * end
            pieces.append(np.stack([curve[:-1], curve[1:]], 1))
            here, k = end, k + 1
        k += 1
    segments = np.concatenate(pieces)
    segments = segments[(segments[:, 0] != segments[:, 1]).any(-1)]
    low, high = segments.min((0, 1)), segments.max((0, 1))
    return (segments - (low + high) / 2) / (high[1] - low[1])


def _distance_field(segments: NDArray) -> NDArray:
    """Distance from each grid point to the nearest segment, negative inside the outline."""
    grid = np.linspace(-_REACH, _REACH, _GRID)
    (ax, ay), (bx, by) = segments[:, 0].T[..., None, None], segments[:, 1].T[..., None, None]
    dx, dy = bx - ax, by - ay
    x, rows = grid - ax, []  # x, y: from the start of the segment to the grid point
    for row in np.split(grid[:, None], 6):  # (12, 1), so that (S, 12, 72) stays in the cache
        y = row - ay
        along = np.clip((x * dx + y * dy) / (dx * dx + dy * dy), 0, 1)
        off_x, off_y = x - along * dx, y - along * dy
        distance = np.sqrt((off_x * off_x + off_y * off_y).min(0))
        with np.errstate(divide="ignore", invalid="ignore"):  # level segments cross no level line
            crossed = ((ay > row) != (by > row)) & (x < y * dx / dy)
        rows.append(np.where(crossed.sum(0) % 2 == 1, -distance, distance))
    return np.concatenate(rows)
