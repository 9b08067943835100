"""A variational autoencoder for binary images whose likelihood can be believed; needs PyTorch."""

from vaebook.vae.evaluation import Evaluation, LogLikelihood, evaluate, log_likelihood
from vaebook.vae.networks import VAE, Config
from vaebook.vae.objective import ElboTerms, binarise
from vaebook.vae.training import PRESETS, Epoch, Run, load_run, train

__all__ = [
    "PRESETS",
    "VAE",
    "Config",
    "ElboTerms",
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
