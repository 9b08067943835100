"""Live explorers: one Python object each, alive in a notebook and on a page without a kernel.

``Mixture()`` shown in a notebook is a widget whose sliders are its traits: ``w.mean_1 = 0.4`` moves
the page, a key press moves ``w.mean_1``. In the book's build (``VAEBOOK_STATIC=1``) the object
writes HTML: its numbers as JSON, and a still picture, which its script replaces by the live one.

To add the explorer ``Bound``:

1. ``bound.py``: a subclass of :class:`~vaebook.explorers.base.Explorer` with ``name = "bound"``.
   Its class body is the only source of names, ranges, defaults and words: controls are traits
   (``Slider``, ``Ladder``, ``Choice``, ``Count``; a ``role`` is a key of
   ``vaebook.figures.COLOURS``), ``buttons`` are names, ``shown`` lists the read-outs, ``text``
   holds every word that the script says; its ``note`` is the line that says what to do. At most
   four controls and three read-outs are in view, the others say ``more=True``. ``tables()`` returns
   the arrays that the script needs, ``compute()`` the read-outs by ``vaebook``, ``still()`` a
   matplotlib figure and ``alt`` that picture in words.
2. ``js/bound.js``: ``vaebook.define("bound", (api) => ...)``. It makes charts and their marks once
   (``api.chart({x, y, height: [roomy, tight]})``, then ``line``, ``area``, ``points``, ``segment``,
   ``bars``, ``label``, ``heat``; ``js/kit/marks.js`` says above each what its ``set`` takes),
   handles for what is taken by hand (``api.handle``, in ``js/kit/api.js``), and returns
   ``{update(values)}``, which draws with ``mark.set(...)`` and returns
   ``{readouts, consequence, table}``, and a ``note`` where what to do changes. Optional beside it:
   ``constrain(values, moved)``,
   with its double in Python, and ``actions`` by the names of the buttons: the changes that one
   returns are a jump, which the kit runs as a motion and can undo (``glides`` names the sliders
   that pass through what lies between; by default all). Where a slider counts the steps of a
   training, ``advance(values, wanted, milliseconds)`` trains and returns how far it came, and
   other moves do not stop it (``playground.js``). Formulas go to ``js/forms/``. An array of
   ``tables()`` arrives as a typed array: ``Array.from(tables.grid)`` before a ``map`` that gives
   anything but numbers.
3. Export the class here, and add one line to the list in ``tests/site/test_live_explorers.py``: it
   tests keys, mouse, themes, widths, the still picture, and JavaScript against Python.

``elbo.py`` and ``js/elbo.js`` are the example to copy.
"""

from vaebook.explorers.elbo import Elbo
from vaebook.explorers.evidence_budget import EvidenceBudget
from vaebook.explorers.failures import Failures
from vaebook.explorers.generation import Generation
from vaebook.explorers.jensen import Jensen
from vaebook.explorers.latent_space import LatentSpace
from vaebook.explorers.marginal import Marginal
from vaebook.explorers.mixture import Mixture
from vaebook.explorers.playground import Playground
from vaebook.explorers.posterior import Posterior
from vaebook.explorers.reparameterization import Reparameterization
from vaebook.explorers.tightness import Tightness
from vaebook.explorers.vae_step import VaeStep
from vaebook.explorers.weights import Weights

__all__ = [
    "Elbo",
    "EvidenceBudget",
    "Failures",
    "Generation",
    "Jensen",
    "LatentSpace",
    "Marginal",
    "Mixture",
    "Playground",
    "Posterior",
    "Reparameterization",
    "Tightness",
    "VaeStep",
    "Weights",
]
