"""What all explorers share: controls as traits, the way to a notebook and the way to a page."""

import base64
import functools
import hashlib
import html
import io
import itertools
import json
import os
import re
from collections.abc import Iterable, Set
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets

from vaebook.explorers import scripts
from vaebook.explorers.controls import Control, ControlError, Readout
from vaebook.explorers.svg import inline_svg
from vaebook.explorers.words import fill

if TYPE_CHECKING:  # drawing is slow to import
    from matplotlib.figure import Figure

_shown = itertools.count(1)


class Explorer(traitlets.HasTraits):
    """One idea of the book as a live figure; subclasses say which (see the package's docstring).

    Parameters
    ----------
    controls : list of str, optional
        Names of the controls and buttons to show, one slider among them; by default all.
    **values
        Start values of the controls, by name; Reset comes back to them.

    Raises
    ------
    ValueError
        If a name or a value is not possible; the message names it and what would do.
    """

    #: Name of the explorer: of its script ``js/<name>.js`` and of ``data-explorer`` on a page.
    name: ClassVar[str] = ""
    #: Heading over the explorer.
    title: ClassVar[str] = ""
    #: Width and height of the still picture, in inches.
    size: ClassVar[tuple[float, float]] = (6.4, 3.6)
    #: The read-outs beside the picture, in order.
    shown: ClassVar[tuple[Readout, ...]] = ()
    #: Names of the buttons beside Reset; their labels are in ``text``. A method of the same name
    #: does in Python what the script's ``actions`` do on the page.
    buttons: ClassVar[tuple[str, ...]] = ()
    #: Every word that the script says, by key, but those of ``_words``; ``words.fill`` and the
    #: script fill in ``{blanks}``. ``note`` is the one line that says what to do.
    text: ClassVar[dict[str, str]] = {}

    _words: ClassVar[dict[str, str]] = {
        "undo": "Undo",
        "reset": "Reset",
        "full": "Full screen",
        "play": "Play",
        "fast": "Play fast",
        "pause": "Pause",
        "drag": "drag",
        "on_picture": "in the picture",
        "more": "More",
        "numbers": "All numbers",
        "table": "Table",
        "help": "Help",
        "keys": "Arrow keys move a slider or a handle, with Shift in finer steps; Page Up and "
        "Page Down take larger steps, Home and End go to the ends. Control + Z undoes a move.",
        "link": "Copy a link to this state",
        "python": "Copy as Python",
        "copied": "Copied.",
        "still": "A still picture: the sliders need JavaScript.",
        # What several scripts call alike.
        "x1": "x₁",
        "x2": "x₂",
        "at_x": "x",
        "z1": "z₁",
        "z2": "z₂",
        "at_z": "z",
        "q": "q",
        "prior": "p(z)",
        "posterior": "posterior",
        "elbo": "ELBO",
        "log_px": "log p(x)",
        "reconstruction": "reconstruction",
        "z_axis": "z",
        "density_axis": "density over z",
        "epoch_axis": "epoch",
    }

    def __init__(self, *, controls: Iterable[str] | None = None, **values: Any):
        super().__init__()
        self._widget: Any = None
        self._settling = False
        self._only = self._select(controls)
        self.set(**values)
        self._start = self.values
        self.observe(self._moved, names=list(self._start))

    def _select(self, names):
        """Return the names of what a small instance shows; None: everything."""
        if names is None:
            return None
        sliders = [c.name for c in self.controls() if c.kind == "range"]
        choice = [*(c.name for c in self.controls() if c.kind != "hidden"), *self.buttons]
        if not set(names) <= set(choice) or not set(names) & set(sliders):
            remedy = f"choose from {', '.join(choice)}, with one of {', '.join(sliders)} among them"
            raise ControlError.of(self, "controls", names, remedy)
        return list(names)

    # ---- for subclasses ----

    @property
    def described(self) -> tuple[str, ...]:
        """Keys of those words that describe the parts of the still picture."""
        return ()

    def tables(self) -> dict[str, Any]:
        """Return the arrays and plain values that the script reads, by name."""
        return {}

    def compute(self) -> dict[str, Any]:
        """Return the read-outs of ``shown``, by key, computed with ``vaebook``."""
        raise NotImplementedError(f"{type(self).__name__} needs compute(): its read-outs")

    def paint(self, fig: "Figure") -> None:
        """Draw the still picture into an empty figure of ``size``."""
        raise NotImplementedError(f"{type(self).__name__} needs paint(): a picture for paper")

    def blanks(self) -> dict[str, Any]:
        """Return what the ``{blanks}`` of ``text`` stand for: values, read-outs, and more."""
        return self.values | self.compute()

    def constrain(self, values: dict[str, Any], moved: Set[str]) -> dict[str, Any]:
        """Return ``values`` with the controls mended that depend on those just ``moved``.

        The script's function of the same name does the same.
        """
        return values

    # ---- values ----

    @classmethod
    def controls(cls) -> list[Control]:
        """Return the control traits in the order of their definition."""
        traits = [t for t in cls.class_traits().values() if isinstance(t, Control)]
        return sorted(traits, key=lambda t: t.order)

    @property
    def values(self) -> dict[str, Any]:
        """The value of every control, by name."""
        return {control.name: getattr(self, control.name) for control in self.controls()}

    def set(self, **values: Any) -> None:
        """Set several controls at once: all of them, or none if a value is not possible."""
        controls = {control.name: control for control in self.controls()}
        for name in values.keys() - controls.keys():
            choice = ", ".join(controls)
            raise ControlError(
                f"{type(self).__name__} has no control {name!r}; choose from {choice}."
            )
        values = {name: controls[name].validate(self, value) for name, value in values.items()}
        self._settle(self.constrain(self.values | values, set(values)))

    def reset(self) -> None:
        """Put every control back to its start value."""
        self._settle(self._start)

    def inside(self, **values: Any) -> dict[str, Any]:
        """Return the values, by name, kept within the ranges of their controls."""
        controls = {name: getattr(type(self), name) for name in values}
        return {name: min(max(values[name], c.low), c.high) for name, c in controls.items()}

    def readouts(self) -> dict[str, float]:
        """Return every number that the page shows, by key: read-outs and values of sliders."""
        numbers = {c.name: getattr(self, c.name) for c in self.controls() if c.kind == "range"}
        return numbers | {key: float(value) for key, value in self.compute().items()}

    def descriptions(self) -> list[str]:
        """Return each part of the still picture in words, as the page describes its charts."""
        blanks = self.blanks()
        blanks["consequence"] = fill(self.text["consequence"], blanks)
        return [fill(self.text[key], blanks) for key in self.described]

    @property
    def alt(self) -> str:
        """The still picture in words."""
        return " ".join(self.descriptions())

    def _moved(self, change):
        if self._settling:
            return
        try:
            values = self.constrain(self.values, {change["name"]})
        except ControlError:
            self._settle({change["name"]: change["old"]})  # nothing of a refused value stays
            raise
        self._settle(values)

    def _settle(self, values):
        self._settling = True
        try:
            # Whoever observes a control sees all of them in their final state.
            with self.hold_trait_notifications():
                for name, value in values.items():
                    setattr(self, name, value)
        finally:
            self._settling = False
        if self._widget is not None:
            self._widget.values = self.values

    # ---- the way to a notebook and to a page ----

    def still(self) -> "Figure":
        """Return the matplotlib figure that stands for the explorer where no script runs."""
        from matplotlib.figure import Figure

        fig = Figure(figsize=self.size)
        self.paint(fig)
        return fig

    def props(self) -> dict[str, Any]:
        """Return all that the script is told, as JSON holds it."""
        return self._common() | {"start": self._start, "only": self._only}

    def _common(self):
        """Return what all instances have in common."""
        return {
            "name": self.name,
            "class": type(self).__name__,
            "title": self.title,
            "controls": [c.spec() for c in self.controls()],
            "readouts": [asdict(readout) for readout in self.shown],
            "buttons": list(self.buttons),
            "tables": _encode(self.tables()),
            "text": Explorer._words | self.text,
        }

    @property
    def widget(self) -> Any:
        """The widget of this object, made when first asked for; all displays show the same one."""
        if self._widget is None:
            self._widget = _widget_class()(
                _esm=scripts.module(self.name), props=self.props(), values=self.values
            )
            self._widget.observe(lambda change: self.set(**change["new"]), names="values")
        return self._widget

    def to_html(self) -> str:
        """Return the explorer for a page: numbers, and a still picture until the script runs."""
        from matplotlib import style

        svg = io.StringIO()
        with style.context("vaebook.book"):
            self.still().savefig(svg, format="svg")
        prefix = f"{self.name}-{next(_shown)}"
        picture = inline_svg(svg.getvalue(), alt=self.alt, prefix=prefix)
        common = _json(self._common())
        key = f"{self.name}-{hashlib.sha256(common.encode()).hexdigest()[:8]}"
        own = {"start": self._start, "only": self._only, "values": self.values}
        return (
            f'<div data-explorer="{self.name}">'
            f'<script type="application/json" data-common="{key}">{common}</script>'
            f'<script type="application/json">{_json({"common": key} | own)}</script>'
            f'<div class="vb-still">{picture}<p>{html.escape(Explorer._words["still"])}</p></div>'
            "</div>"
        )

    def __repr__(self):
        values = ", ".join(f"{name}={value!r}" for name, value in self.values.items())
        return f"{type(self).__name__}({values})"

    def _repr_mimebundle_(self, include=None, exclude=None, **kwargs):
        if os.environ.get("VAEBOOK_STATIC") == "1":
            return {"text/plain": repr(self), "text/html": self.to_html()}
        data: dict[str, Any] = {"text/plain": repr(self)}
        metadata: dict[str, Any] = {}
        if hasattr(self.widget, "_repr_mimebundle_"):
            shown = self.widget._repr_mimebundle_(include=include, exclude=exclude, **kwargs)
            bundle, metadata = shown if isinstance(shown, tuple) else (shown, {})
            data = bundle | data
        else:  # the first anywidget 0.9 over ipywidgets 7
            view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
            data["application/vnd.jupyter.widget-view+json"] = view
        return data, metadata


#: How the numbers of an array travel: by default as doubles, short ones as they are.
_KINDS = {"float32": ("f32", "<f4"), "int16": ("i16", "<i2"), "uint8": ("u8", "u1")}


def share_tables(page: str) -> str:
    """Return a page's HTML in which each table set stands once, with its first explorer."""
    seen = set()

    def first(script):
        repeated = script[1] in seen
        seen.add(script[1])
        return "" if repeated else script[0]

    return re.sub(
        r'<script type="application/json" data-common="([^"]*)">.*?</script>', first, page
    )


def _json(value):
    return json.dumps(value).replace("<", "\\u003c")


def _encode(value):
    """Arrays travel as base64 of little-endian numbers; everything else as JSON has it."""
    if isinstance(value, dict):
        return {key: _encode(part) for key, part in value.items()}
    if not isinstance(value, np.ndarray):
        return value
    kind, dtype = _KINDS.get(value.dtype.name, ("f64", "<f8"))
    numbers = np.ascontiguousarray(value, dtype)
    return {kind: base64.b64encode(numbers.tobytes()).decode(), "shape": numbers.shape}


@functools.cache
def _widget_class():
    """Return the widget class of all explorers; made late, for anywidget is slow to import."""
    import anywidget

    class ExplorerWidget(anywidget.AnyWidget):
        _esm = traitlets.Unicode().tag(sync=True)
        _css = scripts.STYLE.read_text("utf-8")
        props = traitlets.Dict().tag(sync=True)
        values = traitlets.Dict().tag(sync=True)

    return ExplorerWidget
