"""Checks of the homework: one module per page, made of the parts in ``core``.

A homework page imports its own module and calls it ``checks``::

    from vaebook.checks import mixture_of_gaussians as checks

    checks.check_sensor(answer)        # pass, not yet or not attempted, and why
    checks.check_sensor.hint()         # one hint more each time
    checks.report()                    # the score
"""

from vaebook.checks.core import Check, Choice, Function, Homework, Number, Result, report

__all__ = ["Check", "Choice", "Function", "Homework", "Number", "Result", "report"]
