"""The estimate of log p(x): against exact values, in pieces, and its faults named."""

import math

import numpy as np
import pytest
import torch
from vae_oracles import Z_BOUND, BinaryCurve, LinearGaussian, assert_mean, generator

from vaebook.vae import VAE, Config, evaluate, evaluation, log_likelihood, objective

SMALL = Config(n_features=16, n_latent=2, hidden=(8,), seed=2)


def bytes_of(n, seed=0):
    return torch.randint(0, 256, (n, 4, 4), generator=generator(seed), dtype=torch.uint8)


def model_with_structure():
    """A small VAE whose pixels depend on z, so that weights and images differ."""
    model = VAE(SMALL)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0)
    return model


# ------------------------------------------------------------------- right values


def test_at_the_posterior_few_samples_give_the_exact_likelihood_and_all_count():
    case = LinearGaussian()
    log_px, effective = log_likelihood(case.model, torch.tensor(case.x), 7, generator=generator(0))
    np.testing.assert_allclose(log_px, case.log_px(), rtol=1e-9)
    np.testing.assert_allclose(effective, 7, rtol=1e-9)


def test_away_from_it_thousands_of_samples_do_and_fewer_count():
    case = LinearGaussian(mean_shift=0.4, log_var_shift=0.5)
    x = torch.tensor(case.x)
    log_px, effective = log_likelihood(case.model, x, 60_000, generator=generator(0))
    np.testing.assert_allclose(log_px, case.log_px(), atol=0.02)
    # For these normals E[w]^2 / E[w^2] is an integral in closed form.
    inverse = np.linalg.inv(case.posterior_covariance)
    q_inverse = np.linalg.inv(case.q_covariance)
    shift = case.q_mean(case.x[:1])[0] - (case.x[0] - case.bias) @ case.to_mean.T
    together = 2 * inverse - q_inverse
    exponent = shift @ (q_inverse @ np.linalg.solve(together, q_inverse) + q_inverse) @ shift
    second_moment = (
        np.linalg.det(inverse)
        / math.sqrt(np.linalg.det(q_inverse) * np.linalg.det(together))
        * math.exp(0.5 * exponent)
    )
    np.testing.assert_allclose(effective / 60_000, 1 / second_moment, rtol=0.05)


def test_a_bernoulli_vae_agrees_with_quadrature():
    curve = BinaryCurve()
    x = curve.x[::7]
    log_px, effective = log_likelihood(curve.model, x, 20_000, generator=generator(0))
    error = np.abs(log_px.numpy() - curve.log_px()[::7])
    assert (error < Z_BOUND / effective.sqrt().numpy()).all()
    assert (Z_BOUND / effective.sqrt() < 0.15).all()  # larger errors would show
    assert (effective < 20_000).all()


def test_its_mean_rises_with_the_samples_but_not_above_the_likelihood():
    curve = BinaryCurve()
    image = int(np.argmax(curve.log_px() - curve.elbo()))
    x, exact = curve.x[image].expand(4_000, -1), curve.log_px()[image]
    one, _ = log_likelihood(curve.model, x, 1, generator=generator(0))
    assert_mean(one, curve.elbo()[image], detects=0.25)
    ten, effective = log_likelihood(curve.model, x, 10, generator=generator(1))
    assert one.mean() + 0.1 < ten.mean() < exact
    assert_mean(ten.exp(), math.exp(exact), detects=0.15 * math.exp(exact))
    assert ((effective >= 1 - 1e-9) & (effective <= 10 + 1e-9)).all()


# ------------------------------------------------------------------- in pieces


@pytest.mark.parametrize("n_importance", [1, 9, 10, 37])
def test_samples_in_pieces_are_weighed_as_one(n_importance):
    model, x = model_with_structure().double(), (bytes_of(5) > 127).flatten(1)
    log_px, effective = log_likelihood(model, x, n_importance, generator=generator(3), rows=50)
    noise, rng = [], generator(3)
    for done in range(0, n_importance, 10):
        noise.append(model.draw_noise(min(10, n_importance - done), 5, generator=rng))
    log_w = model.log_weights(x.double(), torch.cat(noise)).detach()
    torch.testing.assert_close(log_px, objective.log_mean_exp(log_w))
    w = (log_w - log_w.amax(0)).exp()
    torch.testing.assert_close(effective, w.sum(0) ** 2 / (w**2).sum(0))


def test_memory_is_bounded_by_rows_and_images_keep_their_order():
    case = LinearGaussian()
    x = case.bias + np.random.default_rng(1).normal(size=(230, 5))
    decoded = []
    case.model.decoder.register_forward_hook(lambda *call: decoded.append(call[2][..., 0].numel()))
    log_px, _ = log_likelihood(case.model, torch.tensor(x), 40, generator=generator(0), rows=1_000)
    assert max(decoded) <= 1_000
    assert sum(decoded) == 230 * 40
    np.testing.assert_allclose(log_px, case.log_px(x), rtol=1e-9)


def test_no_gradient_is_kept_and_the_model_stays_as_it_was():
    model = model_with_structure()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    log_px, _ = log_likelihood(model, bytes_of(3).flatten(1) > 127, 5, generator=generator(0))
    assert not log_px.requires_grad
    assert log_px.dtype == torch.float64
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_half_precision_agrees_to_a_fiftieth_of_a_nat():
    model, x = model_with_structure(), bytes_of(200).flatten(1) > 127
    full, half = (
        log_likelihood(model, x, 100, generator=generator(0), precision=precision).log_px
        for precision in ["float32", "bfloat16"]
    )
    assert not torch.equal(full, half)
    assert abs((full - half).mean()) < 0.02


@pytest.mark.parametrize(("large", "expected"), [(1.0, "bfloat16"), (300.0, "float32")])
def test_half_precision_is_taken_where_it_is_native_and_agrees(large, expected, monkeypatch):
    model, images = model_with_structure(), bytes_of(120)
    with torch.no_grad():
        model.decoder.layers[-1].weight.mul_(large)  # long logits lose digits
    told = {"n_importance": 5, "precision": "auto", "n_images": 110}
    for native in ("float32", "bfloat16"):
        monkeypatch.setattr(evaluation, "settled_precision", lambda *_, found=native: found)
        result = evaluate(model, images, generator=generator(4), **told)
        precision = expected if native == "bfloat16" else "float32"
        assert result.precision == precision
        told_so = evaluate(
            model, images, generator=generator(4), **{**told, "precision": precision}
        )
        assert result == told_so


# ------------------------------------------------------------------- the whole evaluation


def test_an_evaluation_is_the_means_of_its_parts():
    model, images = model_with_structure(), bytes_of(150)
    result = evaluate(model, images, n_images=120, n_importance=20, generator=generator(4))
    x = evaluation.held_out_pixels(images, 120)
    log_px, _ = log_likelihood(model, x, 20, generator=generator(4))
    assert result.nll == pytest.approx(-log_px.mean().item(), rel=1e-12)
    assert result.nll_se == pytest.approx(log_px.numpy().std(ddof=1) / math.sqrt(120), rel=1e-9)
    assert (result.images, result.importance) == (120, 20)
    assert result.elbo == pytest.approx(result.reconstruction - result.kl, rel=1e-5)
    assert result.elbo < -result.nll
    many = model.elbo(x, 2_000, generator=generator(5))
    assert result.kl == pytest.approx(many.kl.mean().item(), rel=1e-5)
    assert result.elbo == pytest.approx(many.bound.mean().item(), abs=0.1)
    assert (result.n_features, result.precision) == (16, "float32")
    assert result.bits_per_dimension == pytest.approx(result.nll / 16 / math.log(2))
    assert all(type(value) in (int, float, str) for value in result)


def test_the_test_images_and_their_pixels_are_always_the_same():
    images = bytes_of(60)
    state = torch.get_rng_state()
    few, all_of_them = (evaluation.held_out_pixels(images, n) for n in [20, None])
    assert torch.equal(few, all_of_them[:20])
    assert torch.equal(few, evaluation.held_out_pixels(images.numpy(), 20))
    assert torch.equal(state, torch.get_rng_state())
    sharp = (images > 127).to(torch.uint8) * 255
    order = [int((sharp.flatten(1) == 255 * x).all(1).nonzero()[0]) for x in
             evaluation.held_out_pixels(sharp)]  # fmt: skip
    assert sorted(order) == list(range(60))
    assert order != list(range(60))
    grey = torch.full((2, 100, 100), 51, dtype=torch.uint8)
    assert_mean(evaluation.held_out_pixels(grey).ravel(), 0.2, detects=0.05)


@pytest.mark.parametrize("n_images", [0, 1, 61])
def test_an_impossible_number_of_images_is_refused(n_images):
    with pytest.raises(ValueError, match=f"n_images is {n_images}, expected"):
        evaluate(VAE(SMALL), bytes_of(60), n_images=n_images, n_importance=1,
                 generator=generator(0))  # fmt: skip


def test_what_cannot_be_evaluated_is_refused():
    gaussian = VAE(Config(n_features=16, n_latent=2, hidden=(8,), likelihood="gaussian"))
    with pytest.raises(ValueError, match="likelihood is 'gaussian', expected 'bernoulli'"):
        evaluate(gaussian, bytes_of(60), n_importance=1, generator=generator(0))
    with pytest.raises(ValueError, match="expected at least one image"):
        log_likelihood(VAE(SMALL), torch.zeros(0, 16), 1, generator=generator(0))


def test_wrong_settings_and_broken_weights_are_named():
    model, x = VAE(SMALL), torch.zeros(3, 16)
    with pytest.raises(ValueError, match="n_importance is 0"):
        log_likelihood(model, x, 0, generator=generator(0))
    with pytest.raises(ValueError, match="precision is 'float16'"):
        log_likelihood(model, x, 1, generator=generator(0), precision="float16")
    with pytest.raises(ValueError, match=r"Pixel value 0\.5 is neither"):
        log_likelihood(model, x + 0.5, 1, generator=generator(0))
    with torch.no_grad():
        model.decoder.layers[0].bias[0] = math.nan
    with pytest.raises(ValueError, match=r"image 0 is nan; the model's weights are not usable"):
        log_likelihood(model, x, 1, generator=generator(0))
