"""Small VAEs whose likelihood is known, and a statistical test with both error rates bounded."""

import itertools
import math

import numpy as np
import torch
from scipy import stats

from vaebook.vae import VAE, Config

# Two-sided bound on z: 100 such tests raise a false alarm once in a million runs of them all.
Z_BOUND = 5.73
# An effect of Z_BOUND + POWER_MARGIN standard errors is missed once in a thousand runs.
POWER_MARGIN = 3.1


def generator(seed):
    return torch.Generator().manual_seed(seed)


def normals(*shape, seed=0, grad=False):
    values = torch.randn(shape, generator=generator(seed), dtype=torch.float64)
    return values.requires_grad_(grad)


def bits(*shape, seed=0):
    return (torch.rand(shape, generator=generator(seed)) < 0.5).double()


def assert_mean(samples, truth, *, detects):
    """Hold that samples have the mean ``truth``, and that a bias of ``detects`` would be seen."""
    samples = np.asarray(samples, float)
    standard_error = samples.std(ddof=1) / math.sqrt(samples.size)
    assert (Z_BOUND + POWER_MARGIN) * standard_error < detects, (
        f"too few samples: only biases above {(Z_BOUND + POWER_MARGIN) * standard_error:.3g} show"
    )
    z = (samples.mean() - truth) / standard_error
    assert abs(z) < Z_BOUND, f"mean {samples.mean():.6g}, expected {truth:.6g}: z = {z:.2f}"


class LinearGaussian:
    """A linear VAE in double precision whose likelihood and posterior SciPy knows.

    x = W z + b + noise; with orthogonal columns in W the posterior is a diagonal normal, which the
    encoder can be set to; ``mean_shift`` and ``log_var_shift`` set it off from there.
    """

    def __init__(self, *, seed=0, n_features=5, n_latent=2, orthogonal=True, noise_std=0.7,
                 mean_shift=0.0, log_var_shift=0.0):  # fmt: skip
        rng = np.random.default_rng(seed)
        weight = rng.normal(size=(n_features, n_latent))
        if orthogonal:
            weight = np.linalg.qr(weight)[0] * np.linspace(1.5, 0.5, n_latent)
        bias = rng.normal(size=n_features)
        precision = np.eye(n_latent) + weight.T @ weight / noise_std**2
        to_mean = np.linalg.solve(precision, weight.T) / noise_std**2
        self.posterior_covariance = np.linalg.inv(precision)
        self.weight, self.bias, self.noise_std = weight, bias, noise_std
        self.covariance = weight @ weight.T + noise_std**2 * np.eye(n_features)
        self.to_mean = to_mean
        config = Config(
            n_features=n_features, n_latent=n_latent, hidden=(), likelihood="gaussian",
            noise_std=noise_std,
        )  # fmt: skip
        self.model = VAE(config).double()
        log_var = -np.log(np.diag(precision)) + log_var_shift
        with torch.no_grad():
            (decode,), (encode,) = self.model.decoder.layers, self.model.encoder.layers
            decode.weight.copy_(torch.tensor(weight))
            decode.bias.copy_(torch.tensor(bias))
            encode.weight.copy_(torch.tensor(np.vstack([to_mean, 0 * to_mean])))
            encode.bias.copy_(torch.tensor(np.append(mean_shift - to_mean @ bias, log_var)))
        self.q_mean = lambda x: (x - bias) @ to_mean.T + mean_shift
        self.q_covariance = np.diag(np.exp(log_var))
        self.x = rng.multivariate_normal(bias, self.covariance, size=4)

    def log_px(self, x=None):
        x = self.x if x is None else x
        return stats.multivariate_normal(self.bias, self.covariance).logpdf(x)

    def gap(self):
        """KL[q || p(z | x)] of each x by the formula for normals in many dimensions."""
        difference = self.q_mean(self.x) - (self.x - self.bias) @ self.to_mean.T
        inverse = np.linalg.inv(self.posterior_covariance)
        ratio = inverse @ self.q_covariance
        distance = np.einsum("bi,ij,bj->b", difference, inverse, difference)
        return 0.5 * (np.trace(ratio) - len(ratio) - np.log(np.linalg.det(ratio)) + distance)

    def cubature(self):
        """Noise points of equal weight that integrate polynomials up to degree 3 exactly."""
        n_latent = self.model.config.n_latent
        points = math.sqrt(n_latent) * np.vstack([np.eye(n_latent), -np.eye(n_latent)])
        return torch.tensor(points)[:, None, :].expand(-1, len(self.x), -1)


class BinaryCurve:
    """A Bernoulli VAE with one latent number: all 64 images, and log p(x) by quadrature."""

    def __init__(self, *, seed=3):
        config = Config(n_features=6, n_latent=1, hidden=(8,), activation="tanh", seed=seed)
        self.model = VAE(config).double()
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter.mul_(2.0)  # first weights are small: bend the decoder
            last = self.model.encoder.layers[-1]  # make q wider than p(z): weights are bounded
            last.weight[1] *= 0.2
            last.bias[1] = 0.4
        self.x = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6)), dtype=torch.float64)

    def log_conditional(self, z):
        """log p(x | z) of all 64 images in NumPy: z (G,) -> (64, G)."""
        hidden, output = (
            [p.detach().numpy() for p in layer.parameters()] for layer in self.model.decoder.layers
        )
        logits = np.tanh(z[:, None] @ hidden[0].T + hidden[1]) @ output[0].T + output[1]
        p = 1 / (1 + np.exp(-logits))  # (G, 6)
        x = self.x.numpy()
        return x @ np.log(p).T + (1 - x) @ np.log1p(-p).T

    def log_px(self):
        z, step = np.linspace(-10, 10, 4001, retstep=True)
        joint = np.exp(self.log_conditional(z)) * stats.norm.pdf(z)
        return np.log(joint.sum(1) * step)

    def elbo(self):
        """The exact ELBO of all images by quadrature over q."""
        mean, log_var = (t.detach().numpy()[:, 0] for t in self.model.encoder(self.x))
        eps, step = np.linspace(-9, 9, 1001, retstep=True)
        q = stats.norm.pdf(eps) * step
        std = np.exp(log_var / 2)
        values = []
        for i, (m, s) in enumerate(zip(mean, std, strict=True)):
            z = m + s * eps
            log_q = stats.norm.logpdf(z, m, s)
            log_joint = self.log_conditional(z)[i] + stats.norm.logpdf(z)
            values.append((q * (log_joint - log_q)).sum())
        return np.array(values)
