"""A variational autoencoder for binary images whose likelihood can be believed; needs PyTorch."""

from vaebook.vae.evaluation import Evaluation, LogLikelihood, evaluate, log_likelihood
from vaebook.vae.networks import VAE, Config
from vaebook.vae.objective import ElboTerms, binarise

__all__ = [
    "VAE",
    "Config",
    "ElboTerms",
    "Evaluation",
    "LogLikelihood",
    "binarise",
    "evaluate",
    "log_likelihood",
]
