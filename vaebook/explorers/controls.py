"""Controls and read-outs of an explorer, as its class describes them."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import traitlets


class ControlError(traitlets.TraitError, ValueError):
    """A value that a control does not take; the message names the value and what would do."""

    @classmethod
    def of(cls, explorer: Any, name: str, value: Any, remedy: str) -> "ControlError":
        """Return the error for a value that an explorer was given by that name."""
        return cls(f"{type(explorer).__name__}: {name} = {value!r} is not possible; {remedy}.")


class Control(traitlets.TraitType):
    """A trait that readers can move; ``group`` is the fieldset it stands in.

    Group ``"axis"`` stands right under the chart, along its horizontal axis. With ``more`` it is
    folded away: at most four controls of an explorer are in view.
    """

    kind: ClassVar[str]
    name: str
    _made = itertools.count()

    def __init__(
        self, default: Any, *, label: str = "", symbol: str = "", unit: str = "", group: str = "",
        role: str = "", more: bool = False,
    ):  # fmt: skip
        super().__init__(default)
        self.order = next(self._made)
        self.words = {
            "label": label, "symbol": symbol, "unit": unit, "group": group, "role": role,
            "more": more,
        }  # fmt: skip

    def validate(self, obj: traitlets.HasTraits, value: Any) -> Any:
        """Return the value as the control holds it, or raise ``ControlError``."""
        raise NotImplementedError(f"{type(self).__name__} needs validate(): what it takes")

    def spec(self) -> dict[str, Any]:
        """Return what the script needs to know to draw the control."""
        return {"name": self.name, "kind": self.kind, "default": self.default_value} | self.words


class Slider(Control):
    """A number between ``low`` and ``high``; whole when default and step are of type int.

    Arrow keys move it by ``step``, with Shift by ``fine`` (default: a tenth of ``step``; whole
    numbers: ``step``), Page Up and Page Down by ``page`` (default: about a tenth of the range).
    With ``play`` a button runs it through its range in so many seconds, with ``fast`` another one.
    """

    kind = "range"

    def __init__(
        self, default: float, low: float, high: float, *, step: float,
        fine: float | None = None, page: float | None = None,
        play: float | None = None, fast: float | None = None, **words: Any,
    ):  # fmt: skip
        super().__init__(default, **words)
        self.whole = isinstance(default, int) and isinstance(step, int)
        self.low, self.high, self.step = low, high, step
        self.fine = fine or (step if self.whole else float(f"{step / 10:.12g}"))
        self.page = page or max(1, round((high - low) / 10 / step)) * step
        self.play, self.fast = play, fast

    def validate(self, obj, value):
        """Return the value as a number, or say what the control takes."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not self.low <= number <= self.high or (self.whole and number != round(number)):
            kind = "whole number" if self.whole else "number"
            remedy = f"choose a {kind} from {self.low} to {self.high}"
            raise ControlError.of(obj, self.name, value, remedy)
        return round(number) if self.whole else number

    def spec(self):
        moves = {name: getattr(self, name) for name in ("step", "fine", "page", "play", "fast")}
        return super().spec() | {"min": self.low, "max": self.high} | moves


class Ladder(Slider):
    """A slider over a few rising numbers; Page Up and Page Down go ``page`` of them far."""

    def __init__(self, default: float, values: Sequence[float], *, page: int = 3, **words: Any):
        super().__init__(default, values[0], values[-1], step=1, fine=1, page=page, **words)
        self.values = list(values)

    def validate(self, obj, value):
        """Return the value if it is one of the numbers, or say which there are."""
        if value not in self.values:
            remedy = f"choose one from {', '.join(map(str, self.values))}"
            raise ControlError.of(obj, self.name, value, remedy)
        return self.values[self.values.index(value)]

    def spec(self):
        """Return what the script needs: the slider moves over places in the list."""
        return super().spec() | {"values": self.values, "min": 0, "max": len(self.values) - 1}


class Choice(Control):
    """One of several strings; ``options`` maps each to its label, or is a function that does."""

    kind = "choice"

    def __init__(
        self, default: str | None, options: dict[str, str] | Callable[[], dict[str, str]],
        **words: Any,
    ):  # fmt: skip
        super().__init__(default, **words)
        self._options = options

    @property
    def options(self) -> dict[str, str]:
        """The label of each string that can be chosen."""
        return self._options() if callable(self._options) else self._options

    def validate(self, obj, value):
        """Return the value if it is one of the options, or say which there are."""
        if value not in self.options:
            remedy = f"choose one of {', '.join(map(repr, self.options))}"
            raise ControlError.of(obj, self.name, value, remedy)
        return value

    def spec(self):
        options = [{"value": value, "label": label} for value, label in self.options.items()]
        return super().spec() | {"options": options}


class Hidden(Control):
    """A value that only buttons and Python move (a seed, a step); anything that JSON holds."""

    kind = "hidden"

    def validate(self, obj, value):
        """Return the value; what it may be, the explorer's ``constrain`` knows."""
        return value


class Count(Hidden):
    """A whole number from ``low`` to ``high`` that only buttons and Python move."""

    def __init__(self, default: int, low: int, high: int):
        super().__init__(default)
        self.low, self.high = low, high

    def validate(self, obj, value):
        """Return the value, or say what the control takes."""
        if not isinstance(value, int) or not self.low <= value <= self.high:
            remedy = f"choose a whole number from {self.low} to {self.high}"
            raise ControlError.of(obj, self.name, value, remedy)
        return value


class Numbers(Hidden):
    """A list of finite numbers, or of rows of so many, that only buttons and Python move.

    ``form`` says in words what its entries are; at first there are none.
    """

    def __init__(self, form: str, *shape: int):
        super().__init__([])
        self.form, self.shape = form, shape

    def validate(self, obj, value):
        """Return the list, or say what the control takes."""
        try:
            numbers = np.array(value)
            possible = numbers.shape in {(0,), (len(value), *self.shape)}
            possible = possible and np.isfinite(numbers).all()
        except (TypeError, ValueError):
            possible = False
        if not possible:
            raise ControlError.of(obj, self.name, value, f"give a list of {self.form}, or []")
        return value


@dataclass
class Readout:
    """A number shown beside the picture; with ``bar=(low, high)`` as a bar, too.

    With ``more``, as in every ``group``, it is folded away: three numbers of an explorer are in
    view.
    """

    key: str
    label: str
    symbol: str = ""
    digits: int = 3
    unit: str = ""
    group: str = ""
    role: str = ""
    bar: tuple[float, float] | None = None
    more: bool = False

    def __post_init__(self):
        self.more = self.more or bool(self.group)
