"""A variational autoencoder for binary images whose likelihood can be believed; needs PyTorch."""

from vaebook.vae.networks import VAE, Config
from vaebook.vae.objective import ElboTerms, binarise

__all__ = ["VAE", "Config", "ElboTerms", "binarise"]
