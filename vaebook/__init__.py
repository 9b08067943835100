"""Densities, bounds, gradients and live figures of a book on variational autoencoders.

Import the module that you need, for example ``from vaebook.mixture import GaussianMixture``.
The package itself imports nothing: it is light, draws nothing and sets no seed.
"""

__version__ = "0.2.0"
