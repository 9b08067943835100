"""A variational autoencoder for binary images whose likelihood can be believed; needs PyTorch."""

from vaebook.vae.config import PRESETS, Config
from vaebook.vae.evaluation import Evaluation, LogLikelihood, evaluate, log_likelihood
from vaebook.vae.networks import VAE
from vaebook.vae.objective import BoundTerms, binarise
from vaebook.vae.session import Epoch, Run, load_run
from vaebook.vae.training import train

__all__ = [
    "PRESETS",
    "VAE",
    "BoundTerms",
    "Config",
    "Epoch",
    "Evaluation",
    "LogLikelihood",
    "Run",
    "binarise",
    "evaluate",
    "load_run",
    "log_likelihood",
    "train",
]
