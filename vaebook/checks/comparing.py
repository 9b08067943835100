"""Comparing answers with the right ones, and naming what lies between the two."""

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from vaebook.checks.reading import parts, read


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
    case: Case | None = None


class Comparison:
    """Values beside the right ones, case by case; small cases come first.

    Parameters
    ----------
    cases : list of Case
    tolerance : (rtol, atol)
    names : sequence of str
        What the members of a tuple are called.

    ``unreadable`` is a Fault where a value is no number or not as many as asked, else None.
    Each other method returns a Fault or None. An answer that is not finite in an extreme case is
    recognised by its other cases.
    """

    def __init__(self, cases, tolerance, names=()):
        self.cases, self.tolerance, self.names = cases, tolerance, names
        self.right = [parts(case.right) for case in cases]
        self.values, self.unreadable = [], None
        for case, right in zip(cases, self.right, strict=True):
            value, problem = read(case.value, case.right)
            if problem:
                self.unreadable = Fault(problem, case)
                return
            pairs = zip(value, right, strict=True)
            self.values.append(
                [v.reshape(()) if r.ndim == 0 == v.size - 1 else v for v, r in pairs]
            )
        pairs = list(zip(self.values, self.right, strict=True))
        self.wrong = [i for i, (v, r) in enumerate(pairs) if not close(v, r, tolerance)]
        self.members = [
            k
            for k in range(len(self.right[0]) if cases else 0)
            if not all(close(v[k : k + 1], r[k : k + 1], tolerance) for v, r in pairs)
        ]

    def mistake(self, mistakes):
        """Name the listed mistake, a dict of sentence to answers, that explains all cases."""
        for lenient in (False, True):  # first those that also explain what is not finite
            for sentence, answers in mistakes.items():
                members = [parts(answer) for answer in answers]
                if self._explained(members, finite=False, lenient=lenient):
                    return self._fault(sentence)
        return None

    def shape(self):
        """Name a wrong order or shape, in the largest case, where axes are told apart."""
        if order := self._order():
            return order
        for i in sorted(self.wrong, key=self._size, reverse=True):
            for k, (v, r) in enumerate(zip(self.values[i], self.right[i], strict=True)):
                if v.shape != r.shape:
                    problem = _wrong_shape(v, r, self.tolerance)
                    return Fault(self._member([k]) + problem, self.cases[i])
        return None

    def everywhere(self):
        """Name what is done to all values: a sign, a factor, a root, a sum."""
        for sentence, change in _CHANGES:
            if self._explained(self._changed(lambda r, i, change=change: change(r))):
                return self._fault(sentence, told=True)
        sizes = [_sizes(case.arguments) for case in self.cases]
        for sentence, power in [(_SUMMED, 1.0), (_AVERAGED, -1.0)]:
            for axis in range(min(map(len, sizes), default=0)):
                scale = [float(n[axis]) ** power for n in sizes]
                if self._explained(self._changed(lambda r, i, scale=scale: r * scale[i])):
                    return self._fault(sentence, told=True)
        return None

    def offset(self):
        """Name a constant that is added or multiplied in all cases."""
        return self._constant(range(len(self.cases)), "everywhere")

    def terms(self, terms):
        """Name the terms that are missing or counted wrongly, where the value is a sum of them.

        Parameters
        ----------
        terms : dict of str to callable, or a tuple of such dicts, one for each member
            The name of a term and the term, of the shape of the value. Terms that do not belong
            there may be among them.
        """
        said = []
        for k, named in enumerate(terms if isinstance(terms, tuple) else (terms,)):
            if k not in self.members:
                continue
            if not named:
                return None
            found = self._coefficients(k, named)
            if found is None:
                return None
            said += found
        return self._fault(_counted(said)) if 1 <= len(said) <= 3 else None

    def value(self):
        """Say that the value is not right, and what is the same in the first wrong case."""
        if not self.wrong:
            return None
        first = self.wrong[0]
        constant = self._constant([first], "in this case")
        text = not_finite(self.values[first], self.right[first]) or "The value is not right."
        return constant or self._fault(text, told=True)

    def _size(self, i):
        return sum(one.size for one in (*self.values[i], *self.right[i]))

    def _member(self, members):
        """The words that lead to the wrong members of a tuple, where others are right."""
        if len(self.names) < 2 or len(members) == len(self.names):
            return ""
        wrong = " and ".join(self.names[k] for k in members)
        return f"In {wrong}: "

    def _fault(self, sentence, *, told=False):
        where = self._member(self.members) if told else ""
        return Fault(where + sentence, self.cases[self._first()])

    def _first(self):
        """The smallest case that is wrong, if possible in its numbers and not only in its shape."""
        for i in self.wrong:
            for v, r in zip(self.values[i], self.right[i], strict=True):
                if v.size != r.size or not close([v.reshape(r.shape)], [r], self.tolerance):
                    return i
        return self.wrong[0]

    def _changed(self, change):
        """The right answers with the wrong members changed."""
        return [
            [change(r, i) if k in self.members else r for k, r in enumerate(right)]
            for i, right in enumerate(self.right)
        ]

    def _explained(self, answers, *, finite=True, lenient=True):
        """Tell whether wrong answers are the learner's in every case, and wrong in one.

        That one has to be finite, but for a listed mistake, which may be known by its NaN.
        Leniently, a case in which the learner's value is not finite is passed over.
        """
        shown = False
        for a, v, r in zip(answers, self.values, self.right, strict=True):
            if len(a) == len(v) and close(v, a, self.tolerance, equal_nan=True):
                counts = not finite or all(np.isfinite(one).all() for one in v)
                shown = shown or (counts and not close(a, r, self.tolerance))
            elif not lenient or all(np.isfinite(one).all() for one in v):
                return False
        return shown

    def _order(self):
        if len(self.members) < 2:
            return None
        for order in permutations(range(len(self.right[0]))):
            if self._explained([[r[k] for k in order] for r in self.right]):
                asked = f": return {', '.join(self.names)}" if self.names else ""
                return self._fault(f"The values come in another order than asked{asked}.")
        return None

    def _coefficients(self, member, named):
        """The terms that count wrongly in a member, with how often; None if it is no such sum."""
        rows, yours, right, scales = [], [], [], []
        for case, v, r in zip(self.cases, self.values, self.right, strict=True):
            v, r = v[member], r[member]
            columns = [np.broadcast_to(term(*case.arguments), r.shape) for term in named.values()]
            table = np.stack([np.ravel(column) for column in columns], axis=1)
            keep = np.isfinite(v.ravel()) & np.isfinite(table).all(axis=1)
            scale = 1 / np.maximum(np.abs(table).max(axis=1), 1e-12)
            rows.append((table * scale[:, None])[keep])
            yours.append((v.ravel() * scale)[keep])
            right.append((r.ravel() * scale)[keep])
            scales.append(scale[keep])
        table, yours, right = map(np.concatenate, (rows, yours, right))
        if len(table) < table.shape[1] + 3 or np.linalg.matrix_rank(table, tol=1e-7) < len(named):
            return None
        both = np.stack([yours, right], axis=1)
        found = np.linalg.lstsq(table, both, rcond=None)[0]
        limit = 1e-6 if all(v[member].dtype.itemsize > 4 for v in self.values) else 1e-3
        if np.abs(table @ found - both).max() > limit:
            return None
        wrong = [
            (name, c, r)
            for name, (c, r) in zip(named, found, strict=True)
            if abs(c - r) > 1e2 * limit * max(1, abs(r))
        ]
        if len(wrong) == 1 and round(wrong[0][1] / (wrong[0][2] or 1), 3) not in _HOW_OFTEN:
            column = list(named).index(wrong[0][0])
            if np.ptp(table[:, column] / np.concatenate(scales)) < 1e-9:
                return None  # a constant, and any other would do as well
        return wrong

    def _constant(self, which, where):
        """Name a constant that is added or multiplied in all values of some cases."""
        if len(self.members) != 1:
            return None
        k = self.members[0]
        v, r = (
            np.concatenate([np.ravel(one[i][k]) for i in which])
            for one in (self.values, self.right)
        )
        if v.size != r.size or v.size < 2 or not np.isfinite([v, r]).all():
            return None
        off, size = v - r, max(1.0, np.abs(r).max())
        if abs(off[0]) > 1e-6 * size and np.ptp(off) < 1e-6 * max(abs(off[0]), 1e-3 * size):
            gaussian = np.isclose(abs(off[0]), 0.5 * np.log(2 * np.pi), rtol=1e-4)
            what = " = ½ log 2π, the constant of the normal density" if gaussian else ""
            text = f"Off by {off[0]:+.4g} {where}{what}: is a constant missing, or one too many?"
            return self._fault(text, told=True)
        ratio = np.divide(v, r, out=np.ones_like(v), where=r != 0)
        if np.ptp(ratio) < 1e-6 * abs(ratio[0]) and abs(ratio[0] - 1) > 1e-6 and (r != 0).all():
            text = f"Right up to a factor {where}, {ratio[0]:.4g}: is the normalisation missing?"
            return self._fault(text, told=True)
        return None


def find_fault(cases, mistakes, tolerance, names=()):
    """Compare values with the right ones: return the Fault that says most, or None."""
    compared = Comparison(cases, tolerance, names)
    if compared.unreadable or not compared.wrong:
        return compared.unreadable
    return (
        compared.mistake(mistakes)
        or compared.shape()
        or compared.everywhere()
        or compared.offset()
        or compared.value()
    )


_SUMMED = "That is a sum, and an average is asked for: divide by the number of terms."
_AVERAGED = "That is an average, and a sum is asked for: do not divide by the number of terms."
_CHANGES = [
    ("The sign is wrong.", lambda r: -r),
    ("Too large by a factor of two: is a ½ missing?", lambda r: 2 * r),
    ("Half of what it should be: is there a ½ too many, or is a 2 missing?", lambda r: r / 2),
    ("These are logarithms to base 2; the book's are natural: np.log.", lambda r: r / np.log(2)),
    ("These are logarithms to base 10; the book's are natural: np.log.", lambda r: r / np.log(10)),
    ("That is the logarithm of what is asked for.", np.log),
    ("That is the exponential of what is asked for: leave out the exp, or take the log.", np.exp),
    (
        "That is the square of what is asked for, as a variance is of a standard deviation.",
        np.square,
    ),
    (
        "That is the square root of what is asked for, as a standard deviation is of a variance.",
        np.sqrt,
    ),
    ("That is one over what is asked for.", lambda r: 1 / r),
]


def close(values, right, tolerance, *, equal_nan=False):
    """Tell whether all members of two values agree, in shape and in every number."""
    for v, r in zip(values, right, strict=True):
        rtol, atol = tolerance
        if v.shape != r.shape:
            return False
        if v.dtype.itemsize <= 4:  # single precision carries seven digits
            rtol, atol = max(rtol, 1e-4), max(atol, 1e-5)
        if not np.allclose(v.astype(float), r, rtol=rtol, atol=atol, equal_nan=equal_nan):
            return False
    return True


def not_finite(values, right):
    """The sentence that says where an infinity or a NaN in a value may come from."""
    for v, r in zip(values, right, strict=True):
        if np.isnan(v).any() and not np.isnan(r).any():
            return "There is a NaN in it: inf - inf, 0 / 0, or the log of a negative number?"
        if np.isinf(v).any() and np.isfinite(r).all():
            return "There is an infinity in it: did an exp overflow, or was a log taken of 0?"
    return ""


def _counted(found):
    """Sentences that say how often terms count: ``found`` has (name, yours, right) for each."""
    groups = {}
    for name, yours, right in found:
        ratio = np.inf if abs(right) < 1e-6 else round(yours / right, 3)
        groups.setdefault(ratio, []).append(name)
    sentences = []
    for ratio, names in groups.items():
        one, many = _HOW_OFTEN.get(ratio, (f"counts {ratio:.4g} times", f"count {ratio:.4g} times"))
        text = ", and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        sentences.append(f"{text[0].upper()}{text[1:]}: {one if len(names) == 1 else many}.")
    return " ".join(sentences)


_HOW_OFTEN = {
    0.0: ("this term is missing", "these terms are missing"),
    -1.0: ("this term has the wrong sign", "these terms have the wrong sign"),
    0.5: ("this term counts half", "these terms count half"),
    2.0: ("this term counts twice", "these terms count twice"),
    np.inf: ("this term does not belong there", "these terms do not belong there"),
}


def _wrong_shape(v, r, tolerance):
    asked = f"shape {r.shape}" if r.ndim else "a single number"
    came = f"shape {v.shape}" if v.ndim else "a single number"
    text = f"The value has the wrong shape: {came} came, {asked} is asked for."
    if close([v.T], [r], tolerance):
        return f"{text} It is right but for a .T, rows and columns exchanged."
    for name, reduce in [("sum", np.sum), ("mean", np.mean)]:
        if r.ndim == 0 and close([reduce(v)], [r], tolerance):
            return f"{text} The {name} over all of it is still to be taken."
        if v.ndim == 0 and close([v], [np.asarray(reduce(r))], tolerance):
            return f"{text} You took the {name} where one number each is asked for."
    if v.size == r.size and close([v.reshape(r.shape)], [r], tolerance):
        return f"{text} The numbers are right: reshape it, or leave out keepdims."
    if v.ndim == r.ndim + 1:
        for axis in range(v.ndim):
            if close([v.sum(axis=axis)], [r], tolerance):
                return f"{text} The sum over axis {axis} of it is still to be taken."
    return text


def _sizes(arguments):
    """Every length along an axis of an array among the arguments, in order."""
    return [n for value in arguments if isinstance(value, np.ndarray) for n in value.shape]
