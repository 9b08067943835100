r"""The variational autoencoder: an encoder for q(z | x), a decoder for p(x | z), and their bound.

.. math:: p(z) = N_z[0, I], \qquad q(z \mid x, \theta) = N_z\big[m(x), \mathrm{diag}\, s^2(x)\big],
          \qquad p(x \mid z, \phi) = \prod_d \mathrm{Bern}_{x_d}\big[\sigma(l_d(z))\big]

Encoder parameters are the book's :math:`\theta`, decoder parameters its :math:`\phi`; a prior that
is learned (``vae.priors``) belongs to :math:`\phi`.
"""

import math

import torch
from torch import Tensor, nn

from vaebook.arguments import require_count
from vaebook.vae import objective
from vaebook.vae.config import Config
from vaebook.vae.convolutional import ConvolutionalDecoder, ConvolutionalEncoder
from vaebook.vae.objective import BoundTerms
from vaebook.vae.perceptrons import Decoder, Encoder
from vaebook.vae.priors import CouplingPrior, NormalPrior

ARCHITECTURES: dict[
    str, tuple[type[Encoder | ConvolutionalEncoder], type[Decoder | ConvolutionalDecoder]]
] = {
    "perceptron": (Encoder, Decoder),
    "residual": (Encoder, Decoder),
    "convolutional": (ConvolutionalEncoder, ConvolutionalDecoder),
}
PRIORS: dict[str, type[NormalPrior | CouplingPrior]] = {
    "normal": NormalPrior,
    "flow": CouplingPrior,
}


class VAE(nn.Module):
    """A variational autoencoder; its first weights are drawn from ``config.seed`` alone.

    Every bound is returned for each image, (B,), in nats; the caller averages:
    ``loss = -model.elbo(x, generator=generator).bound.mean()``.
    """

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        generator = torch.Generator().manual_seed(config.seed)
        encoder, decoder = ARCHITECTURES[config.architecture]
        self.encoder = encoder(config, generator)
        self.decoder = decoder(config, generator)
        self.prior = PRIORS[config.prior](config, generator)
        if config.learn_noise:
            self.log_noise_std = nn.Parameter(torch.tensor(math.log(config.noise_std)))

    def elbo(self, x: Tensor, n_samples: int = 1, *, generator: torch.Generator) -> BoundTerms:
        """Evidence lower bound of each image and its two terms, the mean over samples of z.

        Parameters
        ----------
        x : (B, D)
            Pixels 0 or 1 of any dtype; real numbers for a Gaussian likelihood.
        n_samples : int
            Samples of z an image; more make the estimate steadier, not the bound tighter.
        generator : torch.Generator, on the model's device

        Returns
        -------
        BoundTerms of (B,)

        Raises
        ------
        ValueError
            If x has the wrong shape, a value that is not finite, or a grey pixel.

        Source: chapter "variational-autoencoder".
        """
        x = self.check_data(x)
        return self.elbo_at(x, self.draw_noise(n_samples, len(x), generator=generator))

    def importance_bound(
        self, x: Tensor, n_importance: int, *, generator: torch.Generator
    ) -> Tensor:
        """Importance-weighted bound of each image, (B,), from ``n_importance`` samples of z.

        All samples are in memory at once; for thousands of them see ``vae.log_likelihood``.
        Parameters and errors are as in ``elbo``.

        Source: chapter "variational-autoencoder".
        """
        n_importance = require_count("n_importance", n_importance, at_least=1)
        x = self.check_data(x)
        eps = self.draw_noise(n_importance, len(x), generator=generator)
        return objective.importance_bound(self.log_weights(x, eps))

    def forward(self, x: Tensor, eps: Tensor) -> BoundTerms:
        """The objective of the configuration at given noise (S, B, D_z): what training climbs.

        With ``n_importance`` above 1 the bound is the importance-weighted one.
        x is float (B, D) and taken as checked.
        """
        draws = self._pass(x, eps)
        terms = self._elbo_terms(draws)
        bound, path_gradient = terms.bound, objective.path_gradient
        if self.config.n_importance > 1:
            bound = objective.importance_bound(objective.log_weights(*draws))
            path_gradient = objective.doubly_reparameterized
        if self.config.gradient == "path":
            bound = path_gradient(bound, *draws)
        return terms._replace(bound=bound)

    def elbo_at(self, x: Tensor, eps: Tensor) -> BoundTerms:
        """The ELBO's terms, (B,), at given noise (S, B, D_z)."""
        return self._elbo_terms(self._pass(x, eps))

    def log_weights(self, x: Tensor, eps: Tensor) -> Tensor:
        r"""Log-weights :math:`\log p(x, z) - \log q(z \mid x)`, (S, B), at given noise."""
        return objective.log_weights(*self._pass(x, eps))

    def _pass(self, x: Tensor, eps: Tensor) -> tuple[Tensor, ...]:
        """Encode, draw, decode: all that ``objective.log_weights`` takes, in its order."""
        mean, log_var = self.encoder(x)
        z = objective.reparameterize(mean, log_var, eps)
        return self.log_px_given_z(x, z), z, mean, log_var, self.prior.log_prob(z)

    def _elbo_terms(self, draws: tuple[Tensor, ...]) -> BoundTerms:
        """The ELBO's terms, with the KL in closed form where the prior is N[0, I]."""
        log_px_given_z, _, mean, log_var, _ = draws
        if self.config.prior == "normal":
            return objective.elbo_terms(log_px_given_z, mean, log_var)
        return objective.sampled_elbo_terms(log_px_given_z, objective.log_weights(*draws))

    def log_px_given_z(self, x: Tensor, z: Tensor) -> Tensor:
        r"""Log-likelihood :math:`\log p(x \mid z)`: x (B, D), z (S, B, D_z) -> (S, B)."""
        output = self.decoder(z)  # (S, B, D)
        if self.config.likelihood == "bernoulli":
            return objective.log_bernoulli(x, output)
        config = self.config
        log_std = self.log_noise_std if config.learn_noise else math.log(config.noise_std)
        log_var = output.new_zeros(()) + 2 * log_std
        return objective.log_normal_diag(x, output, log_var)

    @torch.no_grad()
    def sample(self, n: int, *, generator: torch.Generator) -> Tensor:
        """Draw z from the prior and return what the decoder makes of it: (n, D).

        Probabilities of the pixels, or means for a Gaussian likelihood, not noisy pixels.
        """
        n = require_count("n", n, at_least=0)
        z = self.prior.from_noise(self.draw_noise(1, n, generator=generator)[0])
        output = self.decoder(z)
        return torch.sigmoid(output) if self.config.likelihood == "bernoulli" else output

    def centre_input(self, pixel_means: Tensor) -> None:
        """Let the encoder see each image as its difference from the mean image (D,)."""
        self.encoder.centre.copy_(torch.as_tensor(pixel_means))

    @torch.no_grad()
    def set_output_bias(self, pixel_means: Tensor) -> None:
        """Start the decoder at the mean image: its last bias becomes the logit of the means (D,).

        A pixel that is never on gets a small probability, not zero.
        """
        bias = self.decoder.output_bias
        means = torch.as_tensor(pixel_means).to(bias)
        if means.shape != bias.shape:
            raise ValueError(
                f"Pixel means have shape {tuple(means.shape)}, expected {tuple(bias.shape)}; "
                "average the flattened images over the data set."
            )
        if self.config.likelihood == "bernoulli":
            if not ((means >= 0) & (means <= 1)).all():
                raise ValueError(
                    f"Pixel means run from {means.min():.4g} to {means.max():.4g}, expected 0 to "
                    "1; divide grey values by 255."
                )
            means = torch.logit(means, eps=1e-3)
        bias.copy_(means)

    def draw_noise(self, n_samples: int, n_images: int, *, generator: torch.Generator) -> Tensor:
        """Standard normal noise (S, B, D_z): its own for each sample and each image."""
        if not isinstance(generator, torch.Generator):
            raise TypeError(
                f"generator is {generator!r}, expected a torch Generator; "
                "pass torch.Generator().manual_seed(seed)."
            )
        n_samples = require_count("n_samples", n_samples, at_least=1)
        n_images = require_count("n_images", n_images, at_least=0)
        like = next(self.parameters())
        shape = (n_samples, n_images, self.config.n_latent)
        return torch.randn(shape, generator=generator, device=like.device, dtype=like.dtype)

    def check_data(self, x: Tensor) -> Tensor:
        """Return x in the model's dtype, or say what is wrong with it."""
        if not isinstance(x, Tensor) or x.ndim != 2 or x.shape[1] != self.config.n_features:
            found = f"shape {tuple(x.shape)}" if isinstance(x, Tensor) else f"type {type(x)}"
            raise ValueError(
                f"x has {found}, expected a tensor (B, {self.config.n_features}); "
                "flatten images with x.flatten(1)."
            )
        if self.config.likelihood == "bernoulli":
            objective.require_binary(x)
        elif not torch.isfinite(x).all():
            raise ValueError("x has values that are not finite; remove or replace them first.")
        return x.to(next(self.parameters()).dtype)
