"""What every homework check is made of.

A check is declared in a few lines: the right answer, fresh inputs, and the likely mistakes, each
as the wrong answer that it leads to together with the sentence that names it::

    homework = Homework("Squares")
    check_area = Function(
        homework,
        "Area of a square",
        oracle=lambda side: side**2,
        cases=lambda rng: [(side,) for side in rng.uniform(0, 9, 5)],
        mistakes={"That is the length of its edge.": lambda side: 4 * side},
        hints=("Draw a square of side 2 on squared paper.",),
    )

The learner calls ``check_area(answer)`` and sees one line that begins with ``pass``, ``not yet`` or
``not attempted``; ``check_area.hint()`` gives one hint more each time; ``homework.report()`` ends a
set with its score.
"""

import copy
import inspect
from functools import partial
from itertools import combinations

import numpy as np

from vaebook.checks.base import Check, Choice, Homework, Number, report
from vaebook.checks.calling import run
from vaebook.checks.comparing import Case, Comparison, Fault, close, find_fault, not_finite
from vaebook.checks.reading import beside, brief, plain, short
from vaebook.checks.verdicts import Result

__all__ = [
    "Check",
    "Choice",
    "Function",
    "Homework",
    "Number",
    "Result",
    "changed",
    "every_bug",
    "report",
]


def changed(function, place, change):
    """A mistake in one member of a tuple: ``change(value, *arguments)`` stands at this place.

    `value` is the right tuple, ``function(*arguments)``.
    """

    def mistaken(*arguments):
        value = function(*arguments)
        return (*value[:place], change(value, *arguments), *value[place + 1 :])

    return mistaken


def every_bug(function, bugs):
    """Mistakes in the repair of a function with several bugs: each set of bugs that may be left.

    Parameters
    ----------
    function : callable
        ``function(*arguments, left=())`` has only those bugs that `left` names.
    bugs : dict of str to str
        The name of a bug, with the sentence that says that it is still there.
    """
    sets = [left for n in range(1, len(bugs) + 1) for left in combinations(bugs, n)]
    return {" ".join(bugs[name] for name in left): partial(function, left=left) for left in sets}


class Function(Check):
    """An implementation, or a derivation written as a function: it is called on several inputs.

    What fails first is said: the form of the value (type, shape); the listed mistake, or what is
    done to all values, that explains every case; the term of a sum that counts wrongly; the first
    `known` case that is not right; the first property that is broken; a random case.

    Parameters
    ----------
    oracle : callable
        Gives the right answer for the same arguments: an array, a number, or a tuple of them.
    cases : callable
        ``cases(rng)`` yields tuples of arguments, from small to large; include other shapes.
    mistakes : dict of str to callable
        The sentence that names a mistake, with the function that makes it. None where many
        answers are right, as of a sampler: nothing is then compared with the oracle.
    known : dict of str to tuple
        Cases for pencil and paper, the smallest first, each showing one part of the answer: the
        subject of "... must be 0.5; yours is 1.0", and the arguments; lists are made arrays.
    properties : sequence of Property
        What must hold of the answer; ``properties`` has them by kind.
    terms : dict of str to callable, or a tuple of them, one for each member of a tuple
        The terms of which the value is a sum, by name: ``term(*arguments)``.
    names : sequence of str
        What the members of a tuple are called.
    large : (callable, str), optional
        ``large(rng)`` gives the arguments of one large case and the words say what is large; it
        must be done within `seconds`.
    rtol, atol : float
        How far an answer may be from the oracle's; wider by itself for float32.
    seconds : float
        Time limit of a single call.
    """

    def __init__(
        self,
        homework,
        title,
        *,
        oracle,
        cases,
        mistakes,
        hints,
        because="",
        known=None,
        properties=(),
        terms=None,
        names=(),
        large=None,
        rtol=1e-6,
        atol=1e-9,
        seconds=5.0,
    ):
        super().__init__(homework, title, hints=hints, because=because)
        self.oracle = oracle
        self.cases = cases
        self.mistakes = mistakes
        self.known = {
            words: tuple(np.asarray(one) if isinstance(one, list) else one for one in arguments)
            for words, arguments in (known or {}).items()
        }
        self.properties = properties
        self.terms = terms
        self.names = names
        self.large = large
        self.tolerance = (rtol, atol)
        self.seconds = seconds

    def _verdict(self, answer):
        if not callable(answer):
            return self._not_yet(
                f"The check needs the function itself, not a value; this is {short(answer)}. "
                "Give its name without brackets."
            )
        try:
            fault = self._find_fault(answer, np.random.default_rng())
        except _Stopped as stopped:
            return stopped.result
        if fault is None:
            return self._pass()
        return self._not_yet(fault.message, *self._details(fault.case))

    def _find_fault(self, answer, rng):
        right = None

        def ask(*arguments):
            return _members(self._call(answer, arguments), right)

        def case(arguments):
            nonlocal right
            right = self._right(arguments)
            return Case(arguments, ask(*arguments), right)

        crashed = None
        known, drawn = {}, []
        for words, arguments in self.known.items():
            try:
                known[words] = case(arguments)
            except _Crashed as error:  # what the other cases show may say more
                crashed = crashed or error
        for arguments in self.cases(rng):
            try:
                drawn.append(case(arguments))
            except _Crashed as error:
                crashed = crashed or error
        if crashed and not known and not drawn:
            raise crashed
        if self.mistakes is not None:
            fault = (
                self._recognised(ask, [*known.values(), *drawn])
                or self._known(known)
                or (drawn and self._broken(ask, drawn))
                or find_fault(drawn, {}, self.tolerance, self.names)
            )
        else:
            fault = drawn and self._broken(ask, drawn)
        if crashed and not fault:
            raise crashed
        if fault or not self.large:
            return fault
        make, what = self.large
        arguments = make(rng)
        large = Case(arguments, self._call(answer, arguments, what), self._right(arguments))
        fault = find_fault([large], {}, self.tolerance, self.names)
        return fault and Fault(f"For {what}: {fault.message}", large)

    def _right(self, arguments):
        return None if self.mistakes is None else self.oracle(*copy.deepcopy(arguments))

    def _recognised(self, ask, cases):
        """The fault of an answer whose values say by themselves what is wrong with them."""
        compared = Comparison(cases, self.tolerance, self.names)
        if compared.unreadable or not compared.wrong:
            return compared.unreadable
        first = compared.wrong[0]
        again = Comparison(
            [Case((), ask(*cases[first].arguments), cases[first].right)], self.tolerance
        )
        if not close(again.values[0], compared.values[first], self.tolerance, equal_nan=True):
            message = "Two calls with the same inputs give different values: draw no noise here."
            return Fault(message, cases[first])
        mistakes = {
            sentence: [wrong(*copy.deepcopy(case.arguments)) for case in cases]
            for sentence, wrong in self.mistakes.items()
        }
        return (
            compared.mistake(mistakes)
            or compared.shape()
            or compared.everywhere()
            or (self.terms and compared.terms(self.terms))
            or compared.offset()
        )

    def _known(self, known):
        """The first known case that is not right, in its own words."""
        for words, case in known.items():
            compared = Comparison([case], self.tolerance, self.names)
            if compared.wrong:
                k = compared.members[0]
                yours, right = compared.values[0], compared.right[0]
                one, other = beside(yours[k], right[k])
                named = f"{words}, the {self.names[k]}" if self.names else words
                said = f"{named} must be {other}; yours is {one}."
                return Fault(f"{said} {not_finite([yours[k]], [right[k]])}".rstrip(), case)
        return None

    def _broken(self, ask, cases):
        for one in self.properties:
            if found := one.broken(ask, cases):
                return found
        return None

    def _call(self, answer, arguments, what=""):
        """Call the answer once; a verdict where that alone shows a fault, else the value."""
        given = copy.deepcopy(arguments)
        before = np.random.get_state()  # noqa: NPY002  # to see whether it is touched
        outcome = run(answer, given, self.seconds)
        after = np.random.get_state()  # noqa: NPY002
        np.random.set_state(before)  # noqa: NPY002
        shown = self._input(arguments)
        if isinstance(outcome.error, NotImplementedError):
            raise _Stopped(self._not_attempted("the line that raises NotImplementedError"))
        if outcome.timed_out and what:
            message = f"Not done after {self.seconds:g} s for {what}: let NumPy loop, not Python."
            raise _Stopped(self._not_yet(message))
        if outcome.timed_out:
            message = f"Not done after {self.seconds:g} s: is there a loop that never ends?"
            raise _Stopped(self._not_yet(message, *shown))
        if outcome.error is not None:
            name, text = type(outcome.error).__name__, str(outcome.error)
            reason = f"{name}: {text}" if text else name
            raise _Crashed(self._not_yet(f"It stops with {reason}", *outcome.where, *shown))
        if outcome.value is None:
            message = "It gives None: is there a return at its end?"
            raise _Stopped(self._not_yet(message, *shown))
        if not np.array_equal(before[1], after[1]) or before[2:] != after[2:]:
            cure = (
                "draw from the rng that you are given"
                if "rng" in self._names()
                else "draw none here"
            )
            raise _Stopped(self._not_yet(f"It uses NumPy's global random numbers: {cure}."))
        for name, old, new in zip(self._names(), arguments, given, strict=False):
            if isinstance(old, np.ndarray) and not np.array_equal(old, new, equal_nan=True):
                message = f"It changes its input {name} in place: the caller still needs it."
                raise _Stopped(self._not_yet(message, *shown))
        return plain(outcome.value)

    def _names(self):
        return list(inspect.signature(self.oracle).parameters)

    def _input(self, arguments):
        named = zip(self._names(), arguments, strict=False)
        shown = ", ".join(f"{name} = {brief(value)}" for name, value in named)
        return [f"for {shown}"] if shown else []

    def _details(self, case):
        """The case on a line of its own: what went in, the learner's value, the right one."""
        if case is None:
            return []
        given = self._input(case.arguments)
        if case.right is None:
            return given
        values = "yours {}, expected {}".format(*beside(case.value, case.right))
        line = ": ".join([*(one.removeprefix("for ") for one in given), values])
        return [line] if len(line) <= 100 else [*given, values]


def _members(value, right):
    """A list, or an array of members of one shape, as the tuple that a right value is."""
    if isinstance(right, tuple) and isinstance(value, (list, np.ndarray)):
        ndims = {1 + np.ndim(one) for one in right}
        alike = isinstance(value, list) or {value.ndim} == ndims
        return tuple(value) if alike and len(value) == len(right) else value
    return value


class _Stopped(Exception):
    """Carries the verdict on a call that gave no value to judge."""

    def __init__(self, result):
        super().__init__(result.message)
        self.result = result


class _Crashed(_Stopped):
    """The same where the call ended with an error."""
