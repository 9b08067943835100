"""The terms of the VAE's loss and the networks: gradients, oracles, and exact likelihoods."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats
from torch.autograd import gradcheck, gradgradcheck
from vae_oracles import BinaryCurve, LinearGaussian, assert_mean, bits, generator, normals

from vaebook.quadrature import standard_normal_grid
from vaebook.vae import VAE, Config, binarise, objective

SMALL = Config(n_features=5, n_latent=2, hidden=(4,), seed=2)


# ------------------------------------------------------------------- gradients


def _log_weights(z, mean, log_var):
    return objective.log_weights(z.sin().sum(-1), z, mean, log_var)


TERMS = {
    "log_bernoulli": (lambda logits: objective.log_bernoulli(bits(3, 4), logits), [(2, 3, 4)]),
    "log_bernoulli of extreme logits": (
        lambda logits: objective.log_bernoulli(bits(3, 4), 30 * logits),
        [(2, 3, 4)],
    ),
    "log_normal_diag": (objective.log_normal_diag, [(3, 4), (2, 3, 4), (3, 4)]),
    "log_standard_normal": (objective.log_standard_normal, [(2, 3, 4)]),
    "kl_standard_normal": (objective.kl_standard_normal, [(3, 4), (3, 4)]),
    "reparameterize": (objective.reparameterize, [(3, 4), (3, 4), (2, 3, 4)]),
    "elbo": (lambda *values: objective.elbo_terms(*values).bound, [(2, 3), (3, 4), (3, 4)]),
    "log_weights": (_log_weights, [(2, 3, 4), (3, 4), (3, 4)]),
    "log_mean_exp": (objective.log_mean_exp, [(5, 3)]),
}


@pytest.mark.parametrize("name", TERMS)
def test_every_loss_term_has_the_right_first_and_second_derivatives(name):
    function, shapes = TERMS[name]
    arguments = [normals(*shape, seed=i, grad=True) for i, shape in enumerate(shapes)]
    assert gradcheck(function, arguments)
    assert gradgradcheck(function, arguments)


# ------------------------------------------------------------------- each term against an oracle


def test_log_bernoulli_is_scipys():
    x, logits = bits(3, 7), normals(2, 3, 7) * 4
    expected = stats.bernoulli.logpmf(x.numpy(), special.expit(logits.numpy())).sum(-1)
    np.testing.assert_allclose(objective.log_bernoulli(x, logits), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_log_bernoulli_is_exact_at_logits_whose_probability_rounds_to_one(dtype):
    logits = torch.tensor([[-800.0], [-30.0], [0.0], [30.0], [39.0], [41.0], [800.0]], dtype=dtype)
    wrong = objective.log_bernoulli((logits < 0).to(dtype), logits)  # the unlikely pixel
    expected = -np.logaddexp(0, np.abs(logits.double().numpy()[:, 0]))
    np.testing.assert_allclose(wrong.double(), expected, rtol=4 * torch.finfo(dtype).eps)


def test_log_normal_diag_is_scipys():
    x, mean, log_var = (normals(3, 4, seed=s) for s in range(3))
    expected = stats.norm.logpdf(x, mean, np.exp(log_var.numpy() / 2)).sum(-1)
    np.testing.assert_allclose(objective.log_normal_diag(x, mean, log_var), expected, rtol=1e-12)
    expected = stats.norm.logpdf(x.numpy()).sum(-1)
    np.testing.assert_allclose(objective.log_standard_normal(x), expected, rtol=1e-12)


@pytest.mark.parametrize("log_var", [-60.0, -89.0, -104.0, -150.0])
def test_a_narrow_normal_has_a_density_at_its_mean_in_single_precision(log_var):
    mean = torch.tensor([[0.3, -2.0]], requires_grad=True)
    narrow = torch.full((1, 2), log_var, requires_grad=True)
    log_density = objective.log_normal_diag(mean.detach(), mean, narrow)
    torch.testing.assert_close(log_density, torch.tensor([-math.log(2 * math.pi) - log_var]))
    for gradient, expected in zip(
        torch.autograd.grad(log_density.sum(), [mean, narrow]), [0.0, -0.5], strict=True
    ):
        torch.testing.assert_close(gradient, torch.full((1, 2), expected))
    log_w = objective.log_weights(torch.zeros(1, 1), mean[None], mean, narrow)
    assert torch.isfinite(log_w).all()


def test_kl_is_that_of_torch_distributions():
    mean, log_var = normals(6, 4), normals(6, 4, seed=1) * 3
    q = torch.distributions.Normal(mean, (0.5 * log_var).exp())
    prior = torch.distributions.Normal(0.0, 1.0)
    expected = torch.distributions.kl_divergence(q, prior).sum(-1)
    torch.testing.assert_close(objective.kl_standard_normal(mean, log_var), expected)


def test_kl_near_the_prior_keeps_its_digits_in_single_precision():
    log_var = torch.logspace(-5, -1, 200)[:, None] * torch.tensor([1.0, -1.0]).repeat(100)[:, None]
    kl = objective.kl_standard_normal(torch.zeros_like(log_var), log_var).double()
    t = log_var.double()[:, 0]
    exact = 0.5 * (t**2 / 2 + t**3 / 6 + t**4 / 24 + t**5 / 120 + t**6 / 720)
    assert (kl >= 0).all()
    # Rounding of expm1 is 6e-8 of t; the usual form is off by as much as 6e-8 of 1.
    assert ((kl - exact).abs() <= 1.2e-7 * t.abs() + 1e-12).all()


def test_samples_of_q_have_its_mean_and_std():
    mean, log_var = torch.tensor([[0.5, -2.0]]), torch.tensor([[0.0, math.log(0.09)]])
    eps = torch.tensor([1.0, -2.0])[:, None, None]
    z = objective.reparameterize(mean, log_var, eps)
    torch.testing.assert_close(z[:, 0], torch.tensor([[1.5, -1.7], [-1.5, -2.6]]))


def test_log_mean_exp_is_scipys_and_survives_weights_that_overflow():
    log_w = normals(7, 3) * 5
    expected = special.logsumexp(log_w.numpy(), axis=0) - math.log(7)
    np.testing.assert_allclose(objective.log_mean_exp(log_w, 0), expected, rtol=1e-12)
    shifted = torch.tensor([[-2000.0, 2000.0], [-2000.0, 2000.0]])
    torch.testing.assert_close(objective.log_mean_exp(shifted), shifted[0])
    across = objective.log_mean_exp(log_w, 1)
    np.testing.assert_allclose(across, special.logsumexp(log_w, axis=1) - math.log(3), rtol=1e-12)


# ------------------------------------------------------------------- the weight of the KL


@pytest.mark.parametrize("beta", [0.3, 1.0, 8.0, 40.0])
def test_the_weighted_elbo_of_a_linear_vae_is_best_where_water_filling_says(beta):
    """Divided by beta it is the ELBO with noise beta sigma^2: principal components above that."""
    rng, noise_var = np.random.default_rng(0), 0.25
    x = rng.normal(size=(100, 5)) * np.array([3.0, 2.0, 1.2, 0.8, 0.1])
    x -= x.mean(0)
    values, vectors = (a[..., ::-1] for a in np.linalg.eigh(x.T @ x / len(x)))
    level, kept = beta * noise_var, values[:3] > beta * noise_var
    assert kept.sum() == {0.3: 3, 1.0: 3, 8.0: 2, 40.0: 0}[beta]
    scale = np.sqrt(np.where(kept, values[:3] - level, 0))
    directions = vectors[:, :3]
    config = Config(
        n_features=5, n_latent=3, hidden=(), likelihood="gaussian", noise_std=noise_var**0.5
    )
    model, x = VAE(config).double(), torch.tensor(x)
    (encode,), (decode,) = model.encoder.layers, model.decoder.layers
    to_mean = np.vstack([(directions * scale / values[:3]).T, np.zeros((3, 5))])
    log_var = np.where(kept, np.log(level / values[:3]), 0)
    for parameter, value in [
        (encode.weight, to_mean), (encode.bias, np.append(np.zeros(3), log_var)),
        (decode.weight, directions * scale), (decode.bias, np.zeros(5)),
    ]:  # fmt: skip
        parameter.data.copy_(torch.tensor(value))
    corners = math.sqrt(3) * torch.cat([torch.eye(3), -torch.eye(3)]).double()
    eps = corners[:, None].expand(-1, len(x), -1)  # exact for squares

    def climbed():
        return objective.weighted_elbo(model.elbo_at(x, eps), beta=beta).mean()

    best = climbed()
    best.backward()
    for parameter in model.parameters():
        assert parameter.grad.abs().max() < 1e-12
    terms = model.elbo_at(x, eps)
    rate = np.where(kept, 0.5 * np.log(values[:3] / level), 0)
    np.testing.assert_allclose(terms.kl_by_dimension.mean(0).detach(), rate, atol=1e-12)
    distortion = np.minimum(values, np.append(np.where(kept, level, np.inf), [np.inf] * 2)).sum()
    expected = -0.5 * (5 * np.log(2 * np.pi * noise_var) + distortion / noise_var)
    assert terms.reconstruction.mean().item() == pytest.approx(expected, rel=1e-12)
    with torch.no_grad():
        optimum = [parameter.clone() for parameter in model.parameters()]
        for trial in range(20):
            for parameter, there in zip(model.parameters(), optimum, strict=True):
                step = torch.randn(there.shape, generator=generator(trial), dtype=there.dtype)
                parameter.copy_(there + 0.03 * step)
            assert climbed() < best


def test_free_bits_are_refused_where_the_kl_has_no_dimensions():
    terms = objective.sampled_elbo_terms(normals(3, 4), normals(3, 4, seed=1))
    assert objective.weighted_elbo(terms, beta=2.0).shape == (4,)
    with pytest.raises(ValueError, match="kl_by_dimension"):
        objective.weighted_elbo(terms, free_bits=0.1)


def test_free_bits_take_the_pull_to_the_prior_from_cheap_dimensions_alone():
    mean, log_var = torch.tensor([[0.1, 2.0], [0.3, 1.0]]), torch.zeros(2, 2)
    mean.requires_grad_()  # KL 0.005 and 0.045, mean 0.025; 2 and 0.5, mean 1.25
    terms = objective.elbo_terms(torch.full((1, 2), -7.0), mean, log_var)
    for free_bits, kl, slopes in [
        (0.0, [2.005, 0.545], [[0.1, 2.0], [0.3, 1.0]]),
        (0.024, [2.005, 0.545], [[0.1, 2.0], [0.3, 1.0]]),
        (0.026, [2.026, 0.526], [[0.0, 2.0], [0.0, 1.0]]),
        (1.3, [2.6, 2.6], [[0.0, 0.0], [0.0, 0.0]]),
    ]:
        climbed = objective.weighted_elbo(terms, beta=3.0, free_bits=free_bits)
        torch.testing.assert_close(climbed, -7 - 3 * torch.tensor(kl))
        (found,) = torch.autograd.grad(climbed.sum(), mean, retain_graph=True)
        torch.testing.assert_close(found, -3 * torch.tensor(slopes))


# ------------------------------------------------------------------- the data


@pytest.mark.parametrize(
    ("pixel", "named"), [(0.37, "0.37"), (255.0, "255"), (-1.0, "-1"), (math.nan, "nan")]
)
def test_a_pixel_that_is_not_binary_is_refused_with_the_reason(pixel, named):
    model = VAE(SMALL)
    x = torch.zeros(3, 5)
    x[1, 2] = pixel
    message = f"Pixel value {named} is neither 0 nor 1: a Bernoulli likelihood of grey"
    with pytest.raises(ValueError, match=message):
        model.elbo(x, generator=generator(0))
    with pytest.raises(ValueError, match=message):
        model.importance_bound(x, 2, generator=generator(0))


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float64])
def test_binary_pixels_of_every_type_give_the_same_bound(dtype):
    model, x = VAE(SMALL), bits(4, 5)
    expected = model.elbo(x.float(), generator=generator(0))
    torch.testing.assert_close(model.elbo(x.to(dtype), generator=generator(0)), expected)


@pytest.mark.parametrize("shape", [(5,), (3, 4), (3, 1, 5)])
def test_data_of_the_wrong_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"expected a tensor \(B, 5\); flatten"):
        VAE(SMALL).elbo(torch.zeros(shape), generator=generator(0))


def test_real_data_must_be_finite():
    case = LinearGaussian()
    with pytest.raises(ValueError, match="not finite"):
        case.model.elbo(torch.full((1, 5), math.inf), generator=generator(0))


def test_randomness_must_be_handed_in():
    with pytest.raises(TypeError, match="expected a torch Generator"):
        VAE(SMALL).elbo(torch.zeros(2, 5), generator=np.random.default_rng(0))


def test_a_wrong_count_is_named_as_its_caller_named_it():
    model, x, given = VAE(SMALL), torch.zeros(2, 5), {"generator": generator(0)}
    for name, call in [
        ("n_samples", lambda: model.elbo(x, 0, **given)),
        ("n_importance", lambda: model.importance_bound(x, 0, **given)),
        ("n", lambda: model.sample(-1, **given)),
    ]:
        with pytest.raises(ValueError, match=f"^{name} is "):
            call()


def test_binarising_draws_each_pixel_with_the_probability_of_its_grey_value():
    images = torch.arange(256, dtype=torch.uint8).repeat(20_000, 1)
    pixels = binarise(images, generator=generator(0))
    assert not pixels[:, 0].any()
    assert pixels[:, 255].all()
    for grey in [1, 64, 128, 254]:
        assert_mean(pixels[:, grey], grey / 255, detects=0.04)
    together = (pixels[:, 100] & pixels[:, 101]).double()
    assert_mean(together, 100 * 101 / 255**2, detects=0.04)  # drawn one by one
    with pytest.raises(ValueError, match=r"torch\.float32, expected torch\.uint8"):
        binarise(torch.zeros(2), generator=generator(0))


# ------------------------------------------------------------------- configuration and networks


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n_features", 0),
        ("n_latent", 2.5),
        ("hidden", (500, 0)),
        ("activation", "gelu2"),
        ("likelihood", "poisson"),
        ("noise_std", 0.0),
        ("n_samples", True),
        ("n_importance", -1),
        ("gradient", "score"),
        ("beta", -0.1),
        ("beta", math.inf),
        ("free_bits", -1e-9),
        ("free_bits", None),
        ("kl_warmup_steps", 1.5),
        ("batch_size", 0),
        ("learning_rate", math.nan),
        ("adam_beta2", 0.0),
        ("adam_beta2", 1.0),
        ("adam_epsilon", 0.0),
        ("warmup_steps", -1),
        ("epochs", 0),
        ("seed", -1),
        ("seed", 2**63),
        ("seed", 3.0),
        ("hidden", 400),
        ("hidden", "400"),
        ("hidden", None),
        ("learning_rate", "0.1"),
        ("learning_rate", True),
        ("learning_rate", None),
        ("activation", None),
        ("precision", ["auto"]),
        ("precision", "float16"),
        ("max_seconds", 0),
        ("max_gradient_norm", 0),
        ("binarisation", "never"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_what_was_expected(field, value):
    with pytest.raises(ValueError, match=f"^{field} is .*, expected "):
        Config(**{field: value})


def test_numpys_numbers_and_strings_become_pythons():
    config = Config(
        n_latent=np.int64(3), hidden=np.array([20, 10], np.int32), activation=np.str_("tanh"),
        learning_rate=np.float64(1e-3), noise_std=np.float32(0.5), max_seconds=np.int16(60),
        seed=np.uint8(7),
    )  # fmt: skip
    assert config == Config(n_latent=3, hidden=(20, 10), activation="tanh", learning_rate=1e-3,
                            noise_std=0.5, max_seconds=60, seed=7)  # fmt: skip
    plain = {type(value) for value in config.to_dict().values()}
    assert plain == {int, float, bool, str, list, type(None)}
    assert {type(width) for width in config.hidden} == {int}


def test_samples_and_importance_exclude_each_other():
    with pytest.raises(ValueError, match="n_samples is 2, expected 1 where n_importance"):
        Config(n_samples=2, n_importance=2)
    assert (Config(n_samples=3).n_draws, Config(n_importance=4).n_draws) == (3, 4)


@pytest.mark.parametrize("other", [{"n_importance": 2}, {"gradient": "path"}])
@pytest.mark.parametrize("weight", [{"beta": 0}, {"free_bits": 0.1}, {"kl_warmup_steps": 1}])
def test_weights_on_the_kl_refuse_bounds_without_a_kl_of_their_own(weight, other):
    with pytest.raises(ValueError, match=r"expected [01] where n_importance is above 1"):
        Config(**weight, **other)
    with pytest.raises(ValueError, match='expected 0 where prior is "flow"'):
        Config(free_bits=0.1, prior="flow")


def test_a_configuration_survives_json_and_refuses_unknown_fields():
    config = Config(hidden=(20, 10), max_seconds=60.0)
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    with pytest.raises(ValueError, match="Config has no n_latents"):
        Config.from_dict({"n_latents": 3})


def test_the_first_weights_depend_on_the_seed_alone_and_leave_the_global_one_alone():
    before = torch.get_rng_state()
    first, again, other = (VAE(dataclasses.replace(SMALL, seed=s)) for s in [4, 4, 5])
    assert torch.equal(before, torch.get_rng_state())
    for name, weight in first.named_parameters():
        assert torch.equal(weight, again.get_parameter(name))
        assert not torch.equal(weight, other.get_parameter(name))
        assert 0 < weight.abs().max() <= 1 / math.sqrt(2)


def test_both_networks_are_the_perceptrons_that_they_say():
    config = Config(n_features=5, n_latent=2, hidden=(4, 3), activation="silu")
    model = VAE(config).double()
    model.centre_input(torch.linspace(0, 1, 5))
    x, z = bits(6, 5), normals(3, 6, 2)

    def perceptron(values, layers):
        for i, layer in enumerate(layers):
            values = values @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
            if i < len(layers) - 1:
                values = values * special.expit(values)
        return values

    mean, log_var = model.encoder(x)
    expected = perceptron(x.numpy() - np.linspace(0, 1, 5), model.encoder.layers)
    np.testing.assert_allclose(mean.detach(), expected[:, :2], rtol=1e-12)
    np.testing.assert_allclose(log_var.detach(), expected[:, 2:], rtol=1e-12)
    expected = perceptron(z.numpy(), model.decoder.layers)
    np.testing.assert_allclose(model.decoder(z).detach(), expected, rtol=1e-12)
    widths = [layer.out_features for net in [model.encoder, model.decoder] for layer in net.layers]
    assert widths == [4, 3, 4, 3, 4, 5]


def test_the_decoder_starts_at_the_mean_image():
    model = VAE(SMALL)
    torch.nn.init.zeros_(model.decoder.layers[-1].weight)
    model.set_output_bias(torch.tensor([0.0, 0.2, 0.5, 0.9, 1.0]))
    images = model.sample(3, generator=generator(0))
    expected = torch.tensor([0.001, 0.2, 0.5, 0.9, 0.999]).expand(3, 5)
    torch.testing.assert_close(images, expected)
    with pytest.raises(ValueError, match=r"shape \(4,\), expected \(5,\)"):
        model.set_output_bias(torch.zeros(4))
    with pytest.raises(ValueError, match="run from 0 to 204, expected 0 to 1; divide"):
        model.set_output_bias(torch.tensor([0.0, 51, 102, 153, 204]))


def test_samples_are_decoded_draws_from_the_prior():
    case = LinearGaussian()
    images = case.model.sample(40_000, generator=generator(0)).numpy()
    for d in range(5):
        assert_mean(images[:, d], case.bias[d], detects=0.1)
    second = np.einsum("ni,nj->nij", images - case.bias, images - case.bias)
    signal = case.weight @ case.weight.T  # means of pixels, without their noise
    for i, j in [(0, 0), (1, 2), (4, 4)]:
        assert_mean(second[:, i, j], signal[i, j], detects=0.15)


def test_the_pixels_of_a_sample_are_probabilities():
    images = VAE(SMALL).sample(50, generator=generator(0))
    assert images.shape == (50, 5)
    assert ((images > 0) & (images < 1)).all()
    assert images[:, 0].std() > 0


# ------------------------------------------------------------------- the bound, image by image


def test_the_bound_is_reconstruction_less_kl_of_each_image():
    model, x = VAE(SMALL).double(), bits(7, 5)
    terms = model.elbo(x, 3, generator=generator(0))
    assert [t.shape for t in terms] == [(7,)] * 3 + [(7, 2)]
    torch.testing.assert_close(terms.kl_by_dimension.sum(-1), terms.kl)
    torch.testing.assert_close(terms.bound, terms.reconstruction - terms.kl)
    torch.testing.assert_close(terms.kl, objective.kl_standard_normal(*model.encoder(x)))


def test_the_bound_is_the_mean_over_samples_and_each_image_stands_alone():
    model, x = VAE(SMALL).double(), bits(4, 5)
    eps = normals(3, 4, 2)
    whole = model.elbo_at(x, eps)
    one_by_one = [
        [model.elbo_at(x[b : b + 1], eps[s : s + 1, b : b + 1]).bound.item() for b in range(4)]
        for s in range(3)
    ]
    np.testing.assert_allclose(whole.bound.detach(), np.mean(one_by_one, 0), rtol=1e-12)
    log_w = model.log_weights(x, eps)
    alone = torch.cat([model.log_weights(x[b : b + 1], eps[:, b : b + 1]) for b in range(4)], 1)
    torch.testing.assert_close(log_w, alone)


def test_every_image_sample_and_latent_number_has_its_own_noise():
    eps = VAE(SMALL).draw_noise(50, 60, generator=generator(0)).numpy()
    assert eps.shape == (50, 60, 2)
    assert np.unique(eps).size > 0.99 * eps.size
    assert_mean(eps.ravel(), 0, detects=0.2)
    assert_mean(eps.ravel() ** 2, 1, detects=0.2)
    same = torch.zeros(2, 5)
    terms = VAE(SMALL).elbo(same, generator=generator(0))
    assert terms.reconstruction[0] != terms.reconstruction[1]


def test_training_climbs_the_bound_of_the_configuration():
    x, eps = bits(4, 5), normals(3, 4, 2)
    plain = VAE(dataclasses.replace(SMALL, n_samples=3)).double()
    torch.testing.assert_close(plain(x, eps), plain.elbo_at(x, eps))
    weighted = VAE(dataclasses.replace(SMALL, n_importance=3)).double()
    bound = objective.importance_bound(weighted.log_weights(x, eps))
    torch.testing.assert_close(weighted(x, eps).bound, bound)
    torch.testing.assert_close(weighted(x, eps)[1:], weighted.elbo_at(x, eps)[1:])


# ------------------------------------------------------------------- a linear VAE is exact

shifts = st.floats(-1.5, 1.5)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 100), noise_std=st.floats(0.2, 2), n_latent=st.integers(1, 3))
def test_at_the_posterior_every_weight_and_the_bound_are_the_exact_likelihood(
    seed, noise_std, n_latent
):
    case = LinearGaussian(seed=seed, noise_std=noise_std, n_latent=n_latent)
    x, eps = torch.tensor(case.x), normals(6, 4, n_latent, seed=seed)
    exact = case.log_px()
    log_w = case.model.log_weights(x, eps).detach()
    np.testing.assert_allclose(log_w, np.tile(exact, (6, 1)), rtol=1e-9, atol=1e-9)
    bound = case.model.elbo_at(x, case.cubature()).bound.detach()
    np.testing.assert_allclose(bound, exact, rtol=1e-9, atol=1e-9)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 100), mean_shift=shifts, log_var_shift=shifts, square=st.booleans())
def test_elsewhere_the_bound_is_below_the_likelihood_by_the_kl_to_the_posterior(
    seed, mean_shift, log_var_shift, square
):
    case = LinearGaussian(
        seed=seed, mean_shift=mean_shift, log_var_shift=log_var_shift, orthogonal=square
    )
    bound = case.model.elbo_at(torch.tensor(case.x), case.cubature()).bound.detach().numpy()
    assert (bound <= case.log_px() + 1e-9).all()
    np.testing.assert_allclose(case.log_px() - bound, case.gap(), rtol=1e-8, atol=1e-9)


def gradients(case, gradient, eps, *, n_importance=1, mass=1.0, x=None):
    """The bound of each image, and the gradient of their sum in the encoder's parameters."""
    settings = {"gradient": gradient, "n_importance": n_importance}
    case.model.config = dataclasses.replace(case.model.config, **settings)
    bound = case.model(torch.tensor(case.x) if x is None else x, eps).bound
    return bound, torch.autograd.grad((mass * bound).sum(), list(case.model.encoder.parameters()))


@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_the_path_gradient_has_the_mean_of_the_total_one(shift):
    case = LinearGaussian(mean_shift=shift, log_var_shift=shift)
    bound, total = gradients(case, "total", case.cubature())  # a mean without noise
    same, path = gradients(case, "path", case.cubature())
    torch.testing.assert_close(same, bound, rtol=1e-14, atol=0)
    torch.testing.assert_close(path, total, rtol=1e-10, atol=1e-12)
    assert (shift == 0) == all(slope.abs().max() < 1e-12 for slope in total)


def test_the_path_gradient_is_zero_at_the_posterior_for_every_sample():
    case, eps = LinearGaussian(), normals(1, 4, 2)
    _, total = gradients(case, "total", eps)
    _, path = gradients(case, "path", eps)
    for of_total, of_path in zip(total, path, strict=True):
        assert of_total.abs().max() > 0.1
        assert of_path.abs().max() < 1e-12


@pytest.mark.parametrize("n_importance", [1, 2, 3])
def test_the_doubly_reparameterized_gradient_has_the_mean_of_the_total_one(n_importance):
    """Both means are integrals over the noise of all samples, here sums over a product grid."""
    case = LinearGaussian(n_features=3, n_latent=1, mean_shift=0.4, log_var_shift=0.5)
    grid = standard_normal_grid(61 if n_importance < 3 else 41)
    eps = np.stack(np.meshgrid(*[grid.points] * n_importance)).reshape(n_importance, -1, 1)
    mass = np.stack(np.meshgrid(*[grid.weights] * n_importance)).prod(0).ravel()
    options = {
        "n_importance": n_importance, "mass": torch.tensor(mass),
        "x": torch.tensor(case.x[:1]).expand(len(mass), -1),
    }  # fmt: skip
    bound, total = gradients(case, "total", torch.tensor(eps), **options)
    same, doubly = gradients(case, "path", torch.tensor(eps), **options)
    torch.testing.assert_close(same, bound, rtol=1e-14, atol=0)
    torch.testing.assert_close(doubly, total, rtol=1e-6, atol=0)
    assert min(slope.abs().max() for slope in total) > 0.1


def test_one_weight_makes_the_doubly_reparameterized_gradient_the_path_gradient():
    found, px, eps = [], normals(3, 4), normals(1, 3, 2)
    for gradient in [objective.path_gradient, objective.doubly_reparameterized]:
        mean, log_var = (normals(3, 2, seed=seed, grad=True) for seed in (1, 2))
        z = objective.reparameterize(mean, log_var, eps)
        log_px_given_z = (z @ px[:2]).sin().sum(-1)
        bound = gradient(torch.zeros(3).double(), log_px_given_z, z, mean, log_var)
        found.append(torch.autograd.grad(bound.sum(), [mean, log_var]))
    torch.testing.assert_close(found[1], found[0], rtol=1e-14, atol=0)


@pytest.mark.parametrize("n_importance", [1, 2])
def test_the_path_gradient_leaves_the_bound_and_the_decoders_gradient_as_they_are(n_importance):
    found, eps = {}, normals(2, 3, 2)
    for gradient in ["total", "path"]:
        config = dataclasses.replace(SMALL, gradient=gradient, n_importance=n_importance)
        model = VAE(config).double()
        bound = model(bits(3, 5), eps).bound
        slopes = torch.autograd.grad(bound.sum(), list(model.decoder.parameters()))
        found[gradient] = bound.detach(), *slopes
    torch.testing.assert_close(found["path"], found["total"], rtol=1e-13, atol=0)


def test_the_public_bound_has_the_exact_mean():
    case = LinearGaussian(mean_shift=0.4, log_var_shift=0.5)
    x = torch.tensor(case.x[:1]).expand(5_000, -1)
    exact = case.log_px()[0] - case.gap()[0]
    for n_samples, detects in [(1, 0.4), (4, 0.2)]:
        terms = case.model.elbo(x, n_samples, generator=generator(n_samples))
        assert_mean(terms.bound.detach(), exact, detects=detects)


def test_the_importance_bound_rises_with_its_samples_to_the_likelihood():
    case = LinearGaussian(mean_shift=0.4, log_var_shift=0.5)
    exact, gap = case.log_px()[0], case.gap()[0]
    x = torch.tensor(case.x[:1]).expand(4_096, -1)
    log_w = case.model.log_weights(x, normals(64, 4_096, 2)).detach()
    assert_mean(log_w.exp().ravel(), math.exp(exact), detects=0.03 * math.exp(exact))  # unbiased
    bounds = {}
    for n in [1, 2, 4, 8, 16, 32, 64]:
        groups = log_w.reshape(64 // n, n, 4_096)
        bounds[n] = objective.log_mean_exp(groups, 1).numpy().ravel()
    assert_mean(bounds[1], exact - gap, detects=0.05)
    for n in [1, 2, 4, 8, 16, 32]:
        pairs = bounds[n].reshape(32 // n, 2, 4_096).mean(1).ravel()
        rise = bounds[2 * n] - pairs
        assert (rise >= -1e-12).all()  # Jensen, for each pair of groups
        assert rise.mean() > 5.73 * rise.std() / math.sqrt(rise.size)
    means = [bounds[n].mean() for n in bounds]
    assert exact - means[-1] < gap / 20
    public = case.model.importance_bound(x, 8, generator=generator(5)).detach()
    assert_mean(public, bounds[8].mean(), detects=0.1)


# ------------------------------------------------------------------- a Bernoulli VAE, by quadrature


def test_the_bernoulli_bound_has_the_mean_that_quadrature_finds():
    curve = BinaryCurve()
    exact, log_px = curve.elbo(), curve.log_px()
    assert (exact < log_px).all()
    np.testing.assert_allclose(np.exp(log_px).sum(), 1, rtol=1e-10)  # it is a likelihood
    image = int(np.argmax(log_px - exact))
    x = curve.x[image].expand(20_000, -1)
    terms = curve.model.elbo(x, generator=generator(0))
    assert_mean(terms.bound.detach(), exact[image], detects=0.1)


def test_the_importance_weights_of_all_images_sum_to_one_on_average():
    curve = BinaryCurve()
    eps = normals(4_000, 64, 1)
    weights = curve.model.log_weights(curve.x, eps).detach().exp().numpy()
    assert_mean(weights.sum(1), 1, detects=0.1)
