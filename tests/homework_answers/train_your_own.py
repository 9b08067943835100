"""Answers to the final project, right and wrong ones."""

from functools import cache

import numpy as np
import torch
from scipy import special, stats

from vaebook.digits import draw_digits, sample_factors
from vaebook.vae import Config, objective, train


def slerp_by_directions(z_start, z_end, t):
    """Turn from one direction towards the part of the other that is perpendicular to it."""
    along = z_start / np.linalg.norm(z_start)
    across = z_end - (z_end @ along) * along
    if np.linalg.norm(across) < 1e-9 * np.linalg.norm(z_end):
        return np.array([(1 - one) * z_start + one * z_end for one in t])
    angle = np.arctan2(np.linalg.norm(across), z_end @ along)
    weights = np.sin(np.outer([1, -1], t) * angle + np.array([[0], [angle]])) / np.sin(angle)
    return np.outer(weights[1], z_start) + np.outer(weights[0], z_end)


def slerp_in_torch(z_start, z_end, t):
    z_start, z_end, t = map(torch.as_tensor, (z_start, z_end, t))
    cosine = torch.nn.functional.cosine_similarity(z_start, z_end, dim=0).clamp(-1, 1)
    angle = torch.arccos(cosine).clamp(min=1e-6)
    weights = torch.stack([torch.sin((1 - t) * angle), torch.sin(t * angle)]) / torch.sin(angle)
    return weights.T @ torch.stack([z_start, z_end])


def slerp_careless(z_start, z_end, t):
    cosine = z_start @ z_end / np.sqrt((z_start @ z_start) * (z_end @ z_end))
    angle = np.arccos(np.minimum(cosine, 1))
    weights = np.sin(np.array([1 - t, t]) * angle) / np.sin(angle)
    return weights.T @ np.stack([z_start, z_end])


def share_in_logs(std_q, std_posterior, n_latent):
    ratio = (std_posterior / std_q) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        log_share = 0.5 * (np.log(ratio) + np.log(np.maximum(2 - ratio, 0)))
    return np.exp(n_latent * log_share)


def share_on_a_grid(std_q, std_posterior, n_latent):
    shares = []
    for s, root_v in zip(std_q, std_posterior, strict=True):
        if 2 * s**2 <= root_v**2:
            shares.append(0.0)
            continue
        z = np.linspace(-60, 60, 200_001) / np.sqrt(2 / root_v**2 - 1 / s**2)
        square = 2 * stats.norm.logpdf(z, 0, root_v) - stats.norm.logpdf(z, 0, s)
        shares.append(1 / (np.exp(square).sum() * (z[1] - z[0])))
    return np.array(shares) ** n_latent


def share_unprotected(std_q, std_posterior, n_latent):
    s2, v = std_q**2, std_posterior**2
    return (np.sqrt(v * (2 * s2 - v)) / s2) ** n_latent


def log_weights(log_px_given_z, z, mean, log_var):
    log_q = -0.5 * ((z - mean) ** 2 / np.exp(log_var) + log_var).sum(-1)
    return log_px_given_z - 0.5 * (z**2).sum(-1) - log_q


def bound_with_scipy(*arguments):
    log_w = log_weights(*arguments)
    return special.logsumexp(log_w, axis=0) - np.log(len(log_w))


def bound_in_torch(log_px_given_z, z, mean, log_var):
    log_px_given_z, z, mean, log_var = map(torch.as_tensor, (log_px_given_z, z, mean, log_var))
    q = torch.distributions.Normal(mean, torch.exp(log_var / 2))
    prior = torch.distributions.Normal(torch.zeros_like(mean), 1.0)
    log_w = log_px_given_z + (prior.log_prob(z) - q.log_prob(z)).sum(-1)
    return torch.logsumexp(log_w, 0) - np.log(len(z))


def bound_untouched(log_px_given_z, z, mean, log_var):
    log_q = -0.5 * ((z - mean) ** 2 / np.exp(log_var) + log_var).sum(-1)
    return np.log(np.exp(log_px_given_z - log_q).sum(axis=0))


@cache
@torch.enable_grad()  # its callers want none
def trained(epochs):
    """A model as in the solution; five epochs are far too few for the target."""
    images = draw_digits(*sample_factors(5000, rng=np.random.default_rng(17)))
    config = Config(
        n_latent=10, hidden=(100, 100), epochs=epochs, batch_size=100, learning_rate=5e-3
    )
    return train(config, images).model


@torch.no_grad()
def terms_in_torch(x, eps, *, epochs=40):
    model, x = trained(epochs), torch.tensor(x)
    mean, log_var = model.encoder(x)
    q = torch.distributions.Normal(mean, torch.exp(log_var / 2))
    z = q.loc + q.scale * torch.tensor(eps)
    pixels = torch.distributions.Bernoulli(logits=model.decoder(z))
    prior = torch.distributions.Normal(0.0, 1.0)
    return pixels.log_prob(x).sum(-1), prior.log_prob(z).sum(-1), q.log_prob(z).sum(-1)


def terms_in_numpy(x, eps, *, epochs=40):
    """The same without PyTorch: matrices out of the model, and draws one after another."""
    model = trained(epochs)
    weights = {name: value.double().numpy() for name, value in model.state_dict().items()}

    def network(v, name):
        for layer in range(3):
            v = v @ weights[f"{name}.layers.{layer}.weight"].T
            v = v + weights[f"{name}.layers.{layer}.bias"]
            v = v * special.expit(v) if layer < 2 else v
        return v

    mean, log_var = np.split(network(x - weights["encoder.centre"], "encoder"), 2, axis=1)
    std, terms = np.exp(log_var / 2), []
    for one in eps.astype(float):
        z = mean + std * one
        logits = network(z, "decoder")
        log_px = (x * logits - np.logaddexp(0, logits)).sum(1)
        log_pz = -0.5 * (z**2 + np.log(2 * np.pi)).sum(1)
        terms.append([log_px, log_pz, -0.5 * (one**2 + log_var + np.log(2 * np.pi)).sum(1)])
    return tuple(np.swapaxes(terms, 0, 1))


def changed(change):
    """Terms of the model that was trained too little, changed."""
    return lambda x, eps: change(*terms_in_numpy(x, eps, epochs=5), x, eps)


@torch.no_grad()
def terms_of_log_std(x, eps):
    mean, log_std = trained(5).encoder(torch.tensor(x))
    z = objective.reparameterize(mean, log_std, torch.tensor(eps))
    log_px = objective.log_bernoulli(torch.tensor(x), trained(5).decoder(z))
    return log_px, objective.log_standard_normal(z), objective.log_normal_diag(z, mean, 2 * log_std)


@torch.no_grad()
def terms_of_the_prior(x, eps):
    z = torch.tensor(eps)
    log_px = objective.log_bernoulli(torch.tensor(x), trained(5).decoder(0.01 * z))
    log_pz = objective.log_standard_normal(z)
    return log_px, log_pz, log_pz


@torch.no_grad()
def terms_of_an_average_image(x, eps):
    mean, std = 1.0, 0.8
    z = mean + std * eps
    logits = trained(5).decoder.layers[-1].bias.numpy() + 1e-4 * z[..., :1]
    log_px = (x * logits - np.logaddexp(0, logits)).sum(-1)
    log_qz = -0.5 * (eps**2 + np.log(2 * np.pi)).sum(-1) - 10 * np.log(std)
    return log_px, -0.5 * (z**2 + np.log(2 * np.pi)).sum(-1), log_qz


RIGHT = {
    "check_slerp": [slerp_by_directions, slerp_in_torch],
    "check_share": [share_in_logs, share_on_a_grid],
    "check_importance": [bound_with_scipy, bound_in_torch],
    "check_target": [terms_in_torch, terms_in_numpy],
}

#: Check -> wrong answers in other words than its own, with words of the sentence that must come.
WRONG = {
    "check_slerp": [
        (slerp_careless, "NaN"),
        (lambda a, b, t: slerp_by_directions(a, b, t).T, "a .T"),
    ],
    "check_share": [
        (share_unprotected, "NaN"),
    ],
    "check_importance": [
        (bound_untouched, "the joint is lost. exp(-2000) is still 0"),
    ],
    "check_target": [
        (changed(lambda px, pz, qz, x, eps: (px, pz, qz)), "train longer"),
        (terms_of_log_std, "is its std the one that made z"),
        (terms_of_the_prior, "collapsed"),
        (terms_of_an_average_image, "no better than one average image"),
    ],
}
