"""Encoders, decoders, the learned prior and the learned noise: against exact values and oracles."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck
from torch.func import functional_call
from vae_child import images
from vae_oracles import LinearGaussian, assert_mean, bits, generator, normals

from vaebook.vae import VAE, Config, load_run, log_likelihood, objective, train
from vaebook.vae.priors import CouplingPrior

IMAGES = Config(n_features=16, n_latent=3, hidden=(6, 6), seed=2)
SHAPES = {
    "residual": {"architecture": "residual"},
    "convolutional": {"architecture": "convolutional", "hidden": (3, 4)},
    "flow": {"prior": "flow"},
}


def bent(prior):
    """Give the last layers of a flow weights that bend it well."""
    with torch.no_grad():
        for number, network in enumerate(prior.networks):
            network[-1].weight.copy_(normals(*network[-1].weight.shape, seed=3 + number) / 2)
            network[-1].bias.copy_(normals(*network[-1].bias.shape, seed=9 + number) / 3)
    return prior


def flow(n_latent):
    config = Config(n_latent=n_latent, prior="flow")
    return bent(CouplingPrior(config, generator(0)).double())


def changed(name):
    return dataclasses.replace(IMAGES, **SHAPES.get(name, {}))


# ------------------------------------------------------------------- the learned prior


def test_it_begins_as_the_standard_normal():
    prior = CouplingPrior(Config(n_latent=5, prior="flow"), generator(0))
    z = normals(4, 3, 5).float()
    torch.testing.assert_close(prior.log_prob(z), objective.log_standard_normal(z))
    assert torch.equal(prior.from_noise(z), z)


def test_its_density_integrates_to_one():
    prior = flow(2)
    axis, step = torch.linspace(-12, 12, 161, dtype=torch.float64), 0.15
    with torch.no_grad():
        density = prior.log_prob(torch.cartesian_prod(axis, axis)).exp()
    assert density.sum().item() * step**2 == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("n_latent", [2, 3, 6])
def test_it_is_undone_by_its_inverse_and_has_the_jacobian_of_autograd(n_latent):
    prior, eps = flow(n_latent), normals(5, n_latent, seed=3)
    z = prior.from_noise(eps).detach()
    assert (z - eps).abs().mean() > 0.3
    for one, noise in zip(z, eps, strict=True):
        jacobian = torch.autograd.functional.jacobian(prior.from_noise, noise)
        expected = objective.log_standard_normal(noise) - torch.linalg.slogdet(jacobian)[1]
        torch.testing.assert_close(prior.log_prob(one), expected, rtol=1e-9, atol=1e-9)


def test_every_latent_number_can_depend_on_every_other():
    jacobian = torch.autograd.functional.jacobian(flow(4).from_noise, normals(4))
    assert (jacobian.abs() > 1e-6).all()


def test_scales_are_bounded_however_long_the_network_goes():
    prior = flow(2)
    with torch.no_grad():
        prior.networks[0][-1].bias.fill_(1e6)
    z = prior.from_noise(normals(50, 2))
    assert torch.isfinite(prior.log_prob(z)).all()


def affine(case):
    """Give a linear model a flow of constant shifts and scales, and the same p(x) as before."""
    with torch.no_grad():
        before = case.model
        model = VAE(dataclasses.replace(before.config, prior="flow")).double()
        for number, network in enumerate(model.prior.networks):
            network[-1].bias.copy_(normals(len(network[-1].bias), seed=5 + number))
        shift = model.prior.from_noise(torch.zeros(2).double())
        scale = model.prior.from_noise(torch.ones(2).double()) - shift
        weight = before.decoder.layers[0].weight / scale
        model.decoder.layers[0].weight.copy_(weight)
        model.decoder.layers[0].bias.copy_(before.decoder.layers[0].bias - weight @ shift)
        encode, old = model.encoder.layers[0], before.encoder.layers[0]
        encode.weight.copy_(old.weight * torch.cat([scale, scale])[:, None])
        encode.bias[:2] = shift + scale * old.bias[:2]
        encode.bias[2:] = old.bias[2:] + 2 * scale.log()
    assert (scale - 1).abs().min() > 0.1
    case.model = model
    return case


def test_with_a_linear_decoder_every_weight_is_the_exact_likelihood_at_the_posterior():
    case = affine(LinearGaussian())
    x, eps = torch.tensor(case.x), normals(6, 4, 2)
    log_w = case.model.log_weights(x, eps).detach()
    np.testing.assert_allclose(log_w, np.tile(case.log_px(), (6, 1)), rtol=1e-9)
    np.testing.assert_allclose(case.model.elbo_at(x, eps).bound.detach(), case.log_px(), rtol=1e-9)
    found = log_likelihood(case.model, x, 7, generator=generator(0))
    np.testing.assert_allclose(found.log_px, case.log_px(), rtol=1e-9)


def test_elsewhere_its_bound_lies_below_by_the_kl_to_the_posterior():
    case = affine(LinearGaussian(mean_shift=0.4, log_var_shift=0.5))
    terms = case.model.elbo_at(torch.tensor(case.x), case.cubature())
    np.testing.assert_allclose(case.log_px() - terms.bound.detach().numpy(), case.gap(), rtol=1e-8)
    torch.testing.assert_close(terms.bound, terms.reconstruction - terms.kl)


def test_the_path_gradient_has_the_mean_of_the_total_one_and_no_noise_at_the_posterior():
    slopes = {}
    for shift in (0.4, 0.0):
        case = affine(LinearGaussian(mean_shift=shift, log_var_shift=shift))
        for gradient in ("total", "path"):
            case.model.config = dataclasses.replace(case.model.config, gradient=gradient)
            eps = case.cubature() if shift else normals(1, 4, 2)
            bound = case.model(torch.tensor(case.x), eps).bound.sum()
            slopes[shift, gradient] = torch.autograd.grad(bound, list(case.model.parameters()))
    for total, path in zip(slopes[0.4, "total"], slopes[0.4, "path"], strict=True):
        torch.testing.assert_close(path, total, rtol=1e-9, atol=1e-10)
    assert max(slope.abs().max() for slope in slopes[0.0, "path"][:2]) < 1e-10
    case.model.config = dataclasses.replace(case.model.config, n_importance=3)
    bound = case.model(torch.tensor(case.x), normals(3, 4, 2)).bound.sum()
    several = torch.autograd.grad(bound, list(case.model.encoder.parameters()))
    assert max(slope.abs().max() for slope in several) < 1e-10
    assert max(slope.abs().max() for slope in slopes[0.0, "total"][:2]) > 0.1


def test_samples_are_decoded_draws_of_the_learned_prior():
    case = affine(LinearGaussian())
    drawn = case.model.sample(40_000, generator=generator(0)).numpy()
    for d in range(5):  # p(x) is that of the model before, so its mean is
        assert_mean(drawn[:, d], case.bias[d], detects=0.1)


def test_a_flow_learns_what_a_normal_cannot():
    angle = 2 * math.pi * torch.rand(4000, generator=generator(1), dtype=torch.float64)
    ring = 2 * torch.stack([angle.cos(), angle.sin()], -1)
    z = ring + 0.3 * torch.randn(4000, 2, generator=generator(2), dtype=torch.float64)
    prior = CouplingPrior(Config(n_latent=2, prior="flow"), generator(0)).double()
    optimizer = torch.optim.Adam(prior.parameters(), 5e-3)
    for batch in z[:3000].split(250) * 10:
        optimizer.zero_grad()
        (-prior.log_prob(batch).mean()).backward()
        optimizer.step()
    held_out = z[3000:]
    normal = torch.distributions.MultivariateNormal(z.mean(0), z.T.cov())
    assert prior.log_prob(held_out).mean() > normal.log_prob(held_out).mean() + 0.4


# ------------------------------------------------------------------- the networks


@pytest.mark.parametrize("name", ["perceptron", *SHAPES])
@pytest.mark.parametrize("objective_of", [{"n_samples": 2}, {"n_importance": 2}])
def test_the_objective_has_the_right_gradient_in_every_parameter(name, objective_of):
    config = dataclasses.replace(changed(name), activation="tanh", **objective_of)
    model, x, eps = VAE(config).double(), bits(2, 16), normals(2, 2, 3)
    if name == "flow":
        bent(model.prior)
    names, parameters = zip(*model.named_parameters(), strict=True)

    def bound(*values):
        return functional_call(model, dict(zip(names, values, strict=True)), (x, eps)).bound

    assert gradcheck(bound, parameters, fast_mode=name != "perceptron")  # else every entry
    slopes = torch.autograd.grad(bound(*parameters).sum(), parameters)
    for name, slope in zip(names, slopes, strict=True):
        assert slope.abs().max() > 0, f"no gradient reaches {name}"


@pytest.mark.parametrize("name", SHAPES)
def test_the_seed_decides_the_first_weights_and_images_do_not_see_each_other(name):
    config = changed(name)
    first, again, other = (
        VAE(dataclasses.replace(config, seed=seed)).double() for seed in (4, 4, 5)
    )
    for key, weight in first.named_parameters():
        assert torch.equal(weight, again.get_parameter(key))
    assert not torch.equal(first.decoder.layers[0].weight, other.decoder.layers[0].weight)
    first.set_output_bias(torch.linspace(0.1, 0.9, 16))
    first.centre_input(torch.linspace(0, 1, 16))
    x, eps = bits(4, 16), normals(3, 4, 3)
    whole = first.log_weights(x, eps)
    assert whole.shape == (3, 4)
    alone = torch.cat([first.log_weights(x[b : b + 1], eps[:, b : b + 1]) for b in range(4)], 1)
    torch.testing.assert_close(whole, alone)


def test_a_residual_block_adds_to_what_it_is_given():
    model = VAE(dataclasses.replace(changed("residual"), activation="relu")).double()
    assert [len(model.encoder.layers), len(model.decoder.layers)] == [3, 4]
    z = normals(5, 3)
    values = z.numpy()
    for number, layer in enumerate(model.decoder.layers):
        linear = layer if number in (0, 3) else layer.linear
        weight, bias = (p.detach().numpy() for p in linear.parameters())
        if linear is layer:
            values = values @ weight.T + bias
            values = np.maximum(values, 0) if number == 0 else values
        else:
            centred = values - values.mean(1, keepdims=True)
            normed = centred / np.sqrt(values.var(1, keepdims=True) + 1e-5)
            values = values + np.maximum(normed @ weight.T + bias, 0)
    np.testing.assert_allclose(model.decoder(z).detach(), values, rtol=1e-10)


def test_a_convolution_moves_with_the_image():
    model = VAE(dataclasses.replace(changed("convolutional"), n_features=256)).double()
    first = model.encoder.layers[0]
    picture = torch.zeros(1, 1, 16, 16, dtype=torch.float64)
    picture[0, 0, 4:9, 5:8] = 1
    moved, still = first(picture.roll((2, 4), (2, 3))), first(picture)
    expected = still.roll((1, 2), (2, 3))[..., 2:-2, 3:-2]
    torch.testing.assert_close(moved[..., 2:-2, 3:-2], expected)
    assert model.encoder(picture.flatten(1))[0].shape == (1, 3)
    assert model.encoder(picture.flatten(1)[:0])[0].shape == (0, 3)
    assert model.decoder(torch.zeros(0, 3).double()).shape == (0, 256)
    bias = torch.linspace(0.1, 0.9, 256).double()
    model.set_output_bias(bias)
    with torch.no_grad():
        for layer in model.decoder.layers:
            layer.weight.zero_()
            layer.bias.zero_()
    torch.testing.assert_close(model.sample(2, generator=generator(0))[0], bias)


@pytest.mark.parametrize("name", SHAPES)
def test_it_trains_and_is_read_back(name, tmp_path):
    config = dataclasses.replace(
        changed(name), n_features=36, batch_size=50, epochs=4, gradient="path",
        hidden=(4,) if name == "convolutional" else (16, 16),
    )  # fmt: skip
    run = train(config, images(330), out=tmp_path)
    assert run.history[-1].validation_bound > run.history[0].validation_bound
    back = load_run(tmp_path)
    assert back.model.config == config
    for key, value in run.model.state_dict().items():
        assert torch.equal(value, back.model.state_dict()[key])


# ------------------------------------------------------------------- the learned noise


def test_a_learned_noise_is_what_principal_components_leave():
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(8, 2))
    x = rng.normal(size=(2_000, 2)) @ weight.T + 0.5 * rng.normal(size=(2_000, 8)) + 1.0
    config = Config(
        n_features=8, n_latent=2, hidden=(), likelihood="gaussian", noise_std=1.5, n_samples=4,
        learn_noise=True, batch_size=100, epochs=40, learning_rate=0.05, warmup_steps=20,
    )  # fmt: skip
    run = train(config, x.astype(np.float32), validation=x[:500].astype(np.float32))
    left = np.linalg.eigvalsh(np.cov(x.T, bias=True))[:-2].mean()  # the likelihood's maximum
    assert run.model.log_noise_std.exp().item() == pytest.approx(math.sqrt(left), rel=0.02)
    assert VAE(config).log_noise_std.exp().item() == pytest.approx(1.5)


# ------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "unet"}, "architecture is 'unet', expected one of perceptron"),
        ({"prior": "uniform"}, "prior is 'uniform', expected one of normal, flow"),
        ({"prior": "flow", "n_latent": 1}, "n_latent is 1, expected 2 or more"),
        ({"architecture": "residual", "hidden": (5, 6)}, r"hidden is \(5, 6\), expected one width"),
        ({"architecture": "residual", "hidden": ()}, r"hidden is \(\), expected one width"),
        ({"architecture": "convolutional", "hidden": ()}, "numbers of channels"),
        (
            {"architecture": "convolutional", "hidden": (4, 4, 4)},
            "n_features is 784, expected a square whose side can be halved 3 times",
        ),
        ({"learn_noise": True}, "learn_noise is True, expected False for a Bernoulli"),
        ({"learn_noise": "yes"}, "learn_noise is 'yes', expected True or False"),
    ],
)
def test_networks_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Config(**changes)
