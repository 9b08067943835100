"""What must hold of a right answer, whatever its formula: properties, by kind.

A KL is never negative, a bound never above the log-likelihood, a log-probability never above 0;
rows do not depend on each other; a gradient is the slope of its function; draws come from the
generator that is given, and their mean, spread and dependence are those of the distribution.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vaebook.checks.comparing import Case, Fault, close
from vaebook.checks.reading import brief, numbers, parts


def row(*values):
    """Arguments with one row each, from numbers and lists: B = 1, and D = 1 for a number."""
    return tuple(np.atleast_2d(np.asarray(value, float)) for value in values)


@dataclass(frozen=True)
class Property:
    """What must hold: ``broken(ask, cases)`` calls the answer by `ask` and gives a Fault or None.

    `words` say it, without a stop.
    """

    words: str
    broken: Callable


def never(words, shows):
    """Something that no value may show: ``shows(value, *arguments)`` is true where it does."""

    def broken(ask, cases):
        for case in cases:
            value = numbers(case.value)
            if np.any(bad := shows(value, *case.arguments)):
                worst = value[bad] if np.shape(bad) == np.shape(value) and np.ndim(bad) else value
                return Fault(f"{words}; yours is {brief(np.ravel(worst)[0])}.", case)
        return None

    return Property(words, broken)


def related(words, change, expected=lambda value, *arguments: value):
    """A change of the inputs after which the value is known from the value before.

    ``change(*arguments)`` gives the new arguments, or None where a case is not fit for it;
    ``expected(value, *arguments)`` what must come out, by itself the same value.
    """

    def broken(ask, cases):
        for case in cases:
            changed = change(*case.arguments)
            if changed is None or not all(np.isfinite(v).all() for v in parts(case.value)):
                continue
            after = _members(ask(*changed))
            right = expected(numbers(case.value), *case.arguments)
            if not _agree(after, parts(right)):
                before = brief(case.value)
                said = f"{words}; yours went from {before} to {brief(after_of(after))}."
                return Fault(said, Case(changed, after_of(after), right))
        return None

    return Property(words, broken)


def twice(words, *batched, expected=lambda value, *arguments: value):
    """After every row came twice the value is known, by itself the same as before.

    `batched` are the places of the arguments with rows.
    """

    def doubled(*arguments):
        return tuple(
            np.repeat(one, 2, axis=0) if k in batched else one for k, one in enumerate(arguments)
        )

    return related(words, doubled, expected)


def rows(*batched, words="A row must not depend on the others"):
    """Row by row: the answer to one row alone is that row of the answer to all.

    `batched` are the places of the arguments that have a row for each value.
    """

    def broken(ask, cases):
        for case in cases:
            value = parts(case.value)
            if value[0].ndim == 0 or len(value[0]) < 2:
                continue
            for i in (0, len(value[0]) - 1):
                one = tuple(
                    np.take(a, [i], axis=0) if k in batched else a
                    for k, a in enumerate(case.arguments)
                )
                alone = _members(ask(*one))
                among = tuple(np.take(v, [i], axis=0) for v in value)
                if not _agree(alone, among):
                    said = f"{words}: alone it gives {brief(after_of(alone))}, among others "
                    return Fault(f"{said}{brief(after_of(among))}.", Case(one, 0, None))
        return None

    return Property(words, broken)


def keeps_digits(words, right, *arguments, single=2e-3):
    """A case so small that rounding decides: `right` to a relative error, in single precision too.

    `single` is that error for a value in single precision; None leaves the case out there.
    """

    def broken(ask, cases):
        value = np.ravel(_members(ask(*arguments))[0])
        allowed = 1e-5 if value.dtype.itemsize > 4 else single
        if allowed is None or np.all(abs(value / right - 1) < allowed):
            return None
        said = f"{words}; yours is {value[0]:.8g}, and {right:.8g} is right."
        return Fault(said, Case(arguments, value, right))

    return Property(words, broken)


def slope_of(objective, words):
    """A gradient: differences of ``objective(*arguments)`` by the first argument."""

    def broken(ask, cases):
        for case in cases:
            start, others = np.asarray(case.arguments[0], float), case.arguments[1:]
            value = numbers(case.value)
            for i in np.ndindex(start.shape):
                step = np.zeros_like(start)
                step[i] = 1e-5
                rise = objective(start + step, *others) - objective(start - step, *others)
                slope = rise / (2 * step[i])
                if not np.isclose(value[i], slope, rtol=1e-4, atol=1e-5):
                    where = f"entry {i[0]}" if i else "it"
                    said = f"{words}: along {where} the function changes by {slope:.6g} per unit"
                    return Fault(f"{said}; yours is {brief(value[i])}.", case)
        return None

    return Property(words, broken)


def normalised(words, *arguments, width=1.0):
    """A log-probability of all values, or a log-density on a grid of this `width`, sums to 1."""

    def broken(ask, cases):
        total = width * np.exp(numbers(ask(*arguments))).sum()
        if abs(total - 1) < 1e-5:
            return None
        return Fault(f"{words} must add up to 1; yours add up to {total:.5g}.")

    return Property(words, broken)


def average(words, right, weights, *arguments):
    """An estimator that is averaged over all draws, with their probabilities: it is unbiased."""

    def broken(ask, cases):
        found = float(weights @ np.ravel(numbers(ask(*arguments))))
        if np.isclose(found, right, rtol=1e-5):
            return None
        return Fault(f"{words} must be {right:.5g}; yours is {found:.5g}.")

    return Property(words, broken)


# -- samplers ----------------------------------------------------------------------------------


def shaped(shape):
    """Draws of the shape that ``shape(*arguments)`` gives."""

    def broken(ask, cases):
        for case in cases:
            came, asked = np.shape(case.value), shape(*case.arguments)
            if came != asked:
                return Fault(f"Draws of shape {asked} are asked for; yours have {came}.")
        return None

    return Property("Draws have a shape", broken)


def from_the_generator(place):
    """All noise comes from the generator at `place` of the arguments, and from nothing else."""

    def broken(ask, cases):
        given = list(cases[0].arguments)
        draws = []
        for seed in (1, 1, 2):
            given[place] = np.random.Generator(np.random.PCG64(seed))
            draws.append(numbers(ask(*given)))
        if not np.array_equal(draws[0], draws[1]):
            said = "The same rng must give the same draws; yours differ: draw from rng alone."
            return Fault(said)
        if np.array_equal(draws[0], draws[2]):
            said = "Another rng must give other draws; yours are the same: use rng, and no seed."
            return Fault(said)
        return None

    return Property("All noise comes from rng", broken)


def statistic(words, measure):
    """A number measured on draws: ``measure(draws, *arguments)`` gives it, the exact one, an error.

    The error is a standard error; 6 of them are allowed, so that one right answer in 10⁸ is
    refused. `words` name the number, as "The mean of the counts".
    """

    def broken(ask, cases):
        for case in cases:
            found, exact, error = measure(numbers(case.value), *case.arguments)
            if not abs(found - exact) <= 6 * error:
                said = f"{words} must be {exact:.4g}, within {6 * error:.2g}; yours is {found:.4g}."
                return Fault(said, case)
        return None

    return Property(words, broken)


def after_of(members):
    """Members as one value: a tuple, or the only one."""
    return members if len(members) > 1 else members[0]


def _members(value):
    """The members of a value as arrays, in the precision in which they came."""
    if not isinstance(value, tuple):
        value = (value,)
    arrays = map(np.asarray, value)
    return tuple(one if one.dtype.kind == "f" else one.astype(float) for one in arrays)


def _agree(values, right):
    if len(values) != len(right):
        return False
    values = [
        v.reshape(r.shape) if v.size == r.size else v for v, r in zip(values, right, strict=True)
    ]
    return close(values, right, (1e-6, 1e-9), equal_nan=True)
