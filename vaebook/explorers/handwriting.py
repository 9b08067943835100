"""Digits drawn by hand: strokes on a pad, and the binary image that an encoder sees of them."""

import functools

import numpy as np

PAD = (0, 100)  # sides of the pad that strokes [[x, y], ...] are drawn on
HEIGHT, PEN = 20.0, 1.5  # of a digit in its image, and half the width of its stroke, in pixels
MIDDLES = np.arange(28) - 13.5  # of the pixels, from the middle of the image


@functools.cache
def examples():
    """Return digits as somebody may draw them: for each of "0" to "9" a tuple of strokes."""

    def arc(x, y, across, up, start, end):
        turn = np.radians(np.linspace(start, end, max(2, round(abs(end - start) / 20) + 1)))
        return [(x + across * np.cos(a), y + up * np.sin(a)) for a in turn]

    drawn = {
        "0": [arc(50, 50, 27, 40, 80, 445)],
        "1": [[(36, 74), (53, 90), (51, 10)]],
        "2": [[*arc(50, 68, 23, 22, 165, -40), (26, 11), (77, 11)]],
        "3": [[*arc(47, 70, 22, 20, 150, -80), *arc(48, 30, 26, 20, 80, -150)]],
        "4": [[(58, 90), (24, 37), (80, 37)], [(60, 88), (60, 10)]],
        "5": [[(74, 90), (36, 90), (31, 55), *arc(47, 36, 27, 26, 115, -145)]],
        "6": [[(66, 89), (44, 74), (31, 50), *arc(50, 32, 23, 22, 170, -190)]],
        "7": [[(25, 89), (76, 90), (60, 55), (46, 10)]],
        "8": [[*arc(50, 69, 20, 20, 90, 270), *arc(50, 30, 25, 20, 90, -270),
               *arc(50, 69, 20, 20, -90, 90)]],
        "9": [[*arc(49, 66, 22, 23, 20, 360), (70, 60), (64, 32), (48, 10)]],
    }  # fmt: skip
    return {
        digit: [[[round(float(x)), round(float(y))] for x, y in stroke] for stroke in strokes]
        for digit, strokes in drawn.items()
    }


def image_of(strokes):
    """Return strokes as an image: in its middle, of one size, drawn with one pen.

    Whatever is closer to a stroke than half the pen's width is ink. Only sums, products and
    comparisons decide, so that a page finds the same pixels.

    Parameters
    ----------
    strokes : sequence of (n, 2) array_like
        At least one; y goes upwards.

    Returns
    -------
    ndarray of uint8, (784,); 1 is ink.

    The script's double is ``imageOf`` in ``js/forms/handwriting.js``.
    """
    strokes = [np.asarray(stroke, float) for stroke in strokes]
    low, high = (edge(np.concatenate(strokes), axis=0) for edge in (np.min, np.max))
    scale = (HEIGHT - 2 * PEN) / max(*(high - low), 1.0)
    x, y = MIDDLES, -MIDDLES[:, None]
    ink = np.zeros((28, 28), bool)
    for stroke in strokes:
        places = scale * (stroke - (low + high) / 2)
        for (ax, ay), (bx, by) in zip(places, [*places[1:], places[-1]], strict=True):
            dx, dy = bx - ax, by - ay
            length = dx * dx + dy * dy
            along = ((x - ax) * dx + (y - ay) * dy) / length if length else 0.0
            along = np.clip(along, 0, 1)
            right, up = x - ax - along * dx, y - ay - along * dy
            ink |= right * right + up * up <= PEN * PEN
    return ink.astype(np.uint8).ravel()
