"""Comparing an answer with the right one, and naming the mistake that lies between the two."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Case:
    """One call: what went in, what came out and what should have."""

    arguments: tuple
    value: object
    right: object


@dataclass(frozen=True)
class Fault:
    """What is wrong, in a sentence, and the case that shows it."""

    message: str
    case: Case


def find_fault(cases, mistakes, tolerance):
    """Compare values with right answers and name the mistake that explains *all* of them.

    Parameters
    ----------
    cases : list of Case
    mistakes : dict of str to list
        Sentence -> the wrong answer to each case.
    tolerance : (rtol, atol)

    Returns
    -------
    Fault or None
    """
    right = [_parts(case.right) for case in cases]
    values = []
    for case, parts in zip(cases, right, strict=True):
        value, problem = _read(case.value, case.right)
        if problem:
            return Fault(problem, case)
        values.append([_drop_axes(v, r) for v, r in zip(value, parts, strict=True)])
    wrong_at = [i for i, r in enumerate(right) if not _close(values[i], r, tolerance)]
    if not wrong_at:
        return None
    first = cases[wrong_at[0]]
    for sentence, answers in mistakes.items():
        if _explains([_parts(answer) for answer in answers], values, right, tolerance):
            return Fault(sentence, first)
    for i in wrong_at:
        if problem := _wrong_shape(values[i], right[i], tolerance):
            return Fault(problem, cases[i])
    for i in wrong_at:
        if problem := _not_finite(values[i], right[i]):
            return Fault(problem, cases[i])
    sizes = [_sizes(case.arguments) for case in cases]
    for sentence, transform in _GENERAL:
        guess = [[transform(part) for part in r] for r in right]
        if _explains(guess, values, right, tolerance):
            return Fault(sentence, first)
    for sentence, power in [(_SUMMED, 1.0), (_AVERAGED, -1.0)]:
        for axis in range(min(map(len, sizes))):
            guess = [
                [part * float(n[axis]) ** power for part in r]
                for r, n in zip(right, sizes, strict=True)
            ]
            if _explains(guess, values, right, tolerance):
                return Fault(sentence, first)
    return Fault(_by_the_same(values, right, tolerance) or "The value is not right.", first)


_SUMMED = "That is a sum, and an average is asked: divide by the number of terms."
_AVERAGED = "That is an average, and a sum is asked: do not divide by the number of terms."
_GENERAL = [
    ("The sign is the wrong way round.", lambda r: -r),
    ("Twice too large: was a factor ½ lost?", lambda r: 2 * r),
    ("Half of what it should be: is there a ½ too many, or a 2 lost?", lambda r: r / 2),
    ("These are logarithms to base 2; the book's are natural: np.log.", lambda r: r / np.log(2)),
    ("These are logarithms to base 10; the book's are natural: np.log.", lambda r: r / np.log(10)),
    ("That is the logarithm of what is asked.", np.log),
    ("That is the exponential of what is asked: leave out the exp, or take the log.", np.exp),
    ("That is the square of what is asked, as a variance is of a standard deviation.", np.square),
    ("That is the root of what is asked, as a standard deviation is of a variance.", np.sqrt),
    ("That is one over what is asked.", lambda r: 1 / r),
]


def plain(value):
    """A value with every tensor in it as an array, whatever its type, device and history."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, tuple):
        return tuple(plain(one) for one in value)
    if not hasattr(value, "detach"):
        return value
    value = value.detach().to_dense()
    try:
        return value.numpy(force=True)
    except TypeError:  # a type that NumPy has not, such as bfloat16
        return value.float().numpy(force=True)


def numbers(value):
    """A value as an array, or as a tuple of them where it is a tuple."""
    if isinstance(value, tuple):
        return tuple(np.asarray(one, float) for one in value)
    return np.asarray(value, float)


def _parts(value):
    """A right or wrong answer of ours as a tuple of arrays: one, or those of a tuple."""
    return numbers(value if isinstance(value, tuple) else (value,))


def _read(value, right):
    """A learner's value as a list of arrays, and the sentence that says why it is none."""
    if value is None:
        return None, "That is None: does the function that made it return something?"
    if isinstance(right, tuple):
        if not isinstance(value, (tuple, list)) or len(value) != len(right):
            return None, f"{len(right)} values are asked, as in `return a, b`; {_kind(value)} came."
        values = value
    else:
        values = (value,)
    arrays = []
    for one in values:
        try:
            array = np.asarray(one)
        except (TypeError, ValueError):
            return None, f"Numbers are asked; {_kind(one)} came."
        if array.dtype.kind == "c":
            return None, "The value is complex: a root or a logarithm of a negative number?"
        if array.dtype.kind not in "fiub":
            return None, f"Numbers are asked; {_kind(one)} came."
        arrays.append(array if array.dtype.kind == "f" else array.astype(float))
    return arrays, None


def _kind(value):
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"


def _drop_axes(value, right):
    """An array of one number counts as a number where a number is asked."""
    return value.reshape(()) if right.ndim == 0 and value.size == 1 else value


def _close(values, right, tolerance, *, equal_nan=False):
    rtol, atol = tolerance
    for v, r in zip(values, right, strict=True):
        if v.shape != r.shape:
            return False
        if v.dtype.itemsize <= 4:  # single precision carries seven digits
            rtol, atol = max(rtol, 1e-4), max(atol, 1e-5)
        if not np.allclose(v.astype(float), r, rtol=rtol, atol=atol, equal_nan=equal_nan):
            return False
    return True


def _explains(answers, values, right, tolerance):
    """Tell whether wrong answers are the learner's in every case, and not the right ones."""
    if len(answers) != len(values):
        return False
    same = all(
        len(a) == len(v) and _close(v, a, tolerance, equal_nan=True)
        for a, v in zip(answers, values, strict=True)
    )
    return same and not all(_close(a, r, tolerance) for a, r in zip(answers, right, strict=True))


def _wrong_shape(values, right, tolerance):
    for v, r in zip(values, right, strict=True):
        if v.shape == r.shape:
            continue
        asked = f"shape {r.shape}" if r.ndim else "a single number"
        came = f"shape {v.shape}" if v.ndim else "a single number"
        text = f"The value has the wrong shape: {came} came, {asked} is asked."
        if _close([v.T], [r], tolerance):
            return f"{text} It is right but for a .T, rows and columns exchanged."
        for name, reduce in [("sum", np.sum), ("mean", np.mean)]:
            if r.ndim == 0 and _close([reduce(v)], [r], tolerance):
                return f"{text} The {name} over all of it is still to be taken."
            if v.ndim == 0 and _close([v], [np.asarray(reduce(r))], tolerance):
                return f"{text} You took the {name} where one number each is asked."
        if v.size == r.size and _close([v.reshape(r.shape)], [r], tolerance):
            return f"{text} The numbers are right: reshape it, or leave out keepdims."
        return text
    return None


def _not_finite(values, right):
    for v, r in zip(values, right, strict=True):
        if np.isnan(v).any() and not np.isnan(r).any():
            return "There is a NaN in it: inf - inf, 0 / 0, or the log of a negative number?"
        if np.isinf(v).any() and np.isfinite(r).all():
            return "There is an infinity in it: did an exp overflow, or a log meet an exact 0?"
    return None


def _sizes(arguments):
    """Every length along an axis of an array among the arguments, in order."""
    return [n for value in arguments if isinstance(value, np.ndarray) for n in value.shape]


def _by_the_same(values, right, tolerance):
    """Name a constant that is missing everywhere: added in all cases, or a factor in each."""
    pairs = [
        (v, r) for vs, rs in zip(values, right, strict=True) for v, r in zip(vs, rs, strict=True)
    ]
    pairs = [(v, r) for v, r in pairs if v.size]
    off = np.concatenate([np.ravel(v - r) for v, r in pairs])
    if off.size > 1 and np.isfinite(off).all() and np.ptp(off) < 1e-6 * max(1, abs(off[0])):
        gaussian = np.isclose(abs(off[0]), 0.5 * np.log(2 * np.pi), rtol=1e-4)
        what = " = ½ log 2π: the constant of the normal density" if gaussian else ""
        return f"Off by {off[0]:+.4g} everywhere{what}: is a constant lost?"
    ratios = [v / r for v, r in pairs if r.size > 1 and (r != 0).all()]
    constant = [np.isfinite(q).all() and np.ptp(q) < 1e-6 * abs(q.flat[0]) for q in ratios]
    if ratios and len(ratios) == len(pairs) and all(constant):
        return "Right up to a factor: is the normalisation missing?"
    return None


def short(value):
    """A value in a few words, so that one line holds it."""
    value = plain(value)
    if isinstance(value, np.random.Generator):
        return "a generator"
    if isinstance(value, (tuple, list)):
        parts = [*(short(one) for one in value[:6]), *["..."][: len(value) > 6]]
        opened, closed = "[]" if isinstance(value, list) else "()"
        text = f"{opened}{', '.join(parts)}{closed}"
    elif isinstance(value, (np.ndarray, np.number)):
        text = np.array2string(
            np.asarray(value), precision=4, threshold=6, edgeitems=2, separator=", "
        )
    else:
        text = f"{value:.6g}" if isinstance(value, float) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= 120 else f"{text[:117]}..."
