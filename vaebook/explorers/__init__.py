"""Live explorers: one Python object each, alive in a notebook and on a page without a kernel.

``Mixture()`` shown in a notebook is a widget whose sliders are its traits: ``w.mean_1 = 0.4`` moves
the page, a key press moves ``w.mean_1``. In the book's build (``VAEBOOK_STATIC=1``) the object
writes HTML: its numbers as JSON, and a still picture, which its script replaces by the live one.
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
from vaebook.explorers.rate import Rate
from vaebook.explorers.reparameterization import Reparameterization
from vaebook.explorers.sampler import Sampler
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
    "Rate",
    "Reparameterization",
    "Sampler",
    "Tightness",
    "VaeStep",
    "Weights",
]
