"""Reading what a learner's function gives: tensors, lists, arrays and numbers."""

import numpy as np


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


def parts(value):
    """A right or wrong answer of ours as a tuple of arrays: one, or those of a tuple."""
    return numbers(value if isinstance(value, tuple) else (value,))


def read(value, right):
    """A learner's value as a list of arrays, and the sentence that says why it is none."""
    if value is None:
        return None, "That is None: does the function that made it return something?"
    if isinstance(right, tuple):
        if not isinstance(value, (tuple, list)) or len(value) != len(right):
            asked = f"{len(right)} values are asked for, as in `return a, b`"
            return None, f"{asked}; {_kind(value)} came."
        values = value
    else:
        values = (value,)
    arrays = []
    for one in values:
        try:
            array = np.asarray(one)
        except (TypeError, ValueError):
            return None, f"Numbers are asked for; {_kind(one)} came."
        if array.dtype.kind == "c":
            return None, "The value is complex: a root or a logarithm of a negative number?"
        if array.dtype.kind not in "fiub":
            return None, f"Numbers are asked for; {_kind(one)} came."
        arrays.append(array if array.dtype.kind == "f" else array.astype(float))
    return arrays, None


def _kind(value):
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    name = type(value).__name__
    return f"{'an' if name in ('int', 'ndarray') else 'a'} {name}"


def brief(value, precision=4):
    """A value for the line of a case: one number without brackets, a round one with its .0."""
    value = plain(value)
    if isinstance(value, (np.ndarray, np.number)) and np.size(value) == 1:
        value = np.asarray(value).reshape(()).item()
    if isinstance(value, np.ndarray) and value.size > 12:
        return f"an array of shape {value.shape}"
    if isinstance(value, (tuple, list)):
        return f"({', '.join(brief(one, precision) for one in value)})"
    if isinstance(value, float):
        text = f"{value:.{precision + 2}g}"
        return text if set(text) & set("e.n") else f"{text}.0"
    return short(value, precision)


def beside(value, right):
    """Two values, each as text, with digits enough to tell them apart."""
    for precision in (4, 8, 14):
        texts = brief(value, precision), brief(right, precision)
        if texts[0] != texts[1]:
            break
    return texts


def short(value, precision=4):
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
            np.asarray(value), precision=precision, threshold=6, edgeitems=2, separator=", "
        )
    else:
        text = f"{value:.6g}" if isinstance(value, float) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= 120 else f"{text[:117]}..."
