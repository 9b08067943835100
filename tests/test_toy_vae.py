"""The toy VAE: the chapter's code, the recorded training, and the explorer that replays it."""

import numpy as np
import pytest
import record_toy_vae
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from vaebook import explorers
from vaebook.bounds import elbo
from vaebook.explorers.random_numbers import standard_normal
from vaebook.results import toy_run
from vaebook.results.toy_run import as_numpy

POINTS = np.array([[1.9, 0.0], [-1.9, 0.3], [0.11, 2.2], [0.0, -1.6]])


@pytest.fixture(scope="module", autouse=True)
def settings():
    """The chapter's cells change settings of torch, which other tests of the process rely on."""
    before = torch.get_default_dtype(), torch.get_num_threads()
    yield
    torch.set_default_dtype(before[0])
    torch.set_num_threads(before[1])


@pytest.fixture(scope="module")
def chapter():
    """The names that the chapter defines before it trains."""
    return record_toy_vae.chapter()


@pytest.fixture
def trained(chapter):
    """The chapter's VAE with the recorded parameters of the last epoch."""
    network, run = chapter["network"], toy_run.load()
    vae = chapter["ToyVAE"](network(2, 24, 2), network(1, 12, 2))
    nn.utils.vector_to_parameters(torch.tensor(run.theta[-1]), vae.encoder.parameters())
    nn.utils.vector_to_parameters(torch.tensor(run.phi[-1]), vae.decoder.parameters())
    return vae


# ---- the record ----


def test_recorded_averages_are_those_of_the_recorded_parameters():
    run = toy_run.load()
    assert run.epochs.tolist() == list(range(0, 401, 10))
    assert (run.theta.shape, run.phi.shape, run.data.shape) == ((41, 122), (41, 50), (500, 2))
    for row in range(0, 41, 10):
        encoder, model = as_numpy(run.theta[row], run.phi[row])
        terms = elbo(model, run.data, *encoder(run.data))
        assert terms.elbo.mean() == pytest.approx(run.bound[row], abs=1e-9)
        assert terms.log_px.mean() == pytest.approx(run.log_px[row], abs=1e-9)


def test_record_says_how_it_was_made_and_cannot_be_changed():
    run = toy_run.load()
    assert {"made_by", "seeds", "device", "torch", "seconds"} <= run.about.keys()
    with pytest.raises(ValueError, match="read-only"):
        run.theta[0, 0] = 1


@pytest.mark.slow
def test_the_chapter_trains_to_the_recorded_end():
    arrays, run = record_toy_vae.record(record_toy_vae.chapter()), toy_run.load()
    np.testing.assert_array_equal(arrays["epochs"], run.epochs)
    np.testing.assert_array_equal(arrays["data"], run.data)
    assert arrays["bound"][0] == pytest.approx(run.bound[0], abs=1e-6)
    assert arrays["bound"][-1] == pytest.approx(run.bound[-1], abs=0.2)
    assert arrays["log_px"][-1] == pytest.approx(run.log_px[-1], abs=0.05)


def test_wrong_numbers_of_parameters_are_named():
    run = toy_run.load()
    with pytest.raises(ValueError, match=r"shape \(50,\), expected \(122,\)"):
        as_numpy(run.phi[0], run.phi[0])


# ---- the chapter's code ----


def test_gradients_of_the_chapter_networks_are_right(chapter):
    torch.manual_seed(5)
    vae = chapter["ToyVAE"](chapter["network"](2, 24, 2), chapter["network"](1, 12, 2))
    names = [name for name, _ in vae.named_parameters()]
    x, eps = torch.tensor(POINTS), torch.tensor([[-1.0], [0.3], [0.0], [2.0]])

    def estimates(*values):
        return torch.func.functional_call(vae, dict(zip(names, values, strict=True)), (x, eps))

    assert torch.autograd.gradcheck(estimates, tuple(vae.parameters()))


def test_kl_term_agrees_with_torch_distributions(chapter):
    mean = torch.linspace(-3, 3, 13).reshape(-1, 1)
    log_var = torch.linspace(-6, 2, 9)
    exact = kl_divergence(Normal(mean, torch.exp(log_var / 2)), Normal(0.0, 1.0))
    ours = chapter["kl_to_prior"](mean[..., None], log_var[..., None])
    torch.testing.assert_close(ours, exact, rtol=1e-12, atol=1e-12)


def test_torch_and_numpy_give_one_bound(trained):
    """A sum over equal steps of eps instead of draws: the class's own terms, without noise."""
    eps = torch.linspace(-9, 9, 601)
    weights = 0.03 * torch.exp(Normal(0.0, 1.0).log_prob(eps))
    x = torch.tensor(POINTS).expand(601, 4, 2)
    with torch.no_grad():
        by_torch = (weights[:, None] * trained(x, eps[:, None, None].expand(601, 4, 1))).sum(0)
    run = toy_run.load()
    encoder, model = as_numpy(run.theta[-1], run.phi[-1])
    expected = elbo(model, POINTS, *encoder(POINTS)).elbo
    np.testing.assert_allclose(by_torch.numpy(), expected, rtol=1e-10)


def test_mean_of_estimates_is_the_bound_and_a_bias_of_one_percent_shows(trained):
    """At x = (1.9, 0) one draw has the standard deviation 0.71 and one percent is 0.022 nats.

    So 5.73 standard errors are 0.009 nats for 200,000 draws: the bias cannot hide.
    """
    n = 200_000
    generator = torch.Generator().manual_seed(17)
    with torch.no_grad():
        eps = torch.randn(n, 1, generator=generator)
        draws = trained(torch.tensor(POINTS[0]).expand(n, 2), eps).numpy()
    run = toy_run.load()
    encoder, model = as_numpy(run.theta[-1], run.phi[-1])
    exact = elbo(model, POINTS[0], *encoder(POINTS[0])).elbo
    error = draws.std() / np.sqrt(n)
    assert abs(draws.mean() - exact) < 5.73 * error
    assert abs(1.01 * draws.mean() - exact) > 5.73 * error


def test_a_short_training_raises_the_bound_and_repeats(chapter):
    ends = []
    for _ in range(2):
        torch.manual_seed(1)
        vae = chapter["ToyVAE"](chapter["network"](2, 24, 2), chapter["network"](1, 12, 2))
        before = chapter_bound(*record_toy_vae.vectors(vae))
        generator = torch.Generator().manual_seed(1)
        history = list(chapter["train"](vae, chapter["x_all"], 10, generator))
        assert len(history) == 10
        assert history[0] < history[-1]
        assert before + 5 < chapter_bound(*record_toy_vae.vectors(vae))
        ends.append(history)
    assert ends[0] == ends[1]


def chapter_bound(theta, phi):
    """Return the exact bound, averaged over the data."""
    data = toy_run.load().data
    encoder, model = as_numpy(theta, phi)
    return elbo(model, data, *encoder(data)).elbo.mean()


# ---- the explorer ----


def test_explorer_shows_the_step_of_the_recorded_networks(trained):
    shown = explorers.VaeStep(epoch=400, x1=-1.9, x2=0.3, n=7, seed=3)
    numbers = shown.readouts()
    eps = standard_normal(3, 7)
    with torch.no_grad():
        x = torch.tensor(POINTS[1]).expand(7, 2)
        by_torch = trained(x, torch.tensor(eps)[:, None]).numpy()
        mean, log_var = trained.encoder(torch.tensor(POINTS[1])).tolist()
        centre = trained.decoder(torch.tensor([numbers["z"]])).tolist()
    np.testing.assert_allclose(shown.estimates(), by_torch, rtol=1e-10)
    assert numbers["estimate"] == pytest.approx(by_torch[-1])
    assert numbers["average"] == pytest.approx(by_torch.mean())
    assert numbers["share_above"] == np.mean(by_torch > numbers["log_px"])
    assert [numbers["mean"], numbers["std"]] == pytest.approx([mean, np.exp(log_var / 2)])
    assert numbers["z"] == pytest.approx(mean + np.exp(log_var / 2) * eps[-1])
    assert [numbers["centre_1"], numbers["centre_2"]] == pytest.approx(centre)
    assert numbers["elbo"] == pytest.approx(numbers["log_px"] - numbers["gap"], abs=1e-9)


def test_explorer_follows_the_epochs_and_refuses_those_between():
    run, shown = toy_run.load(), explorers.VaeStep()
    for epoch in (0, 150, 400):
        shown.epoch = epoch
        assert shown.readouts()["data_bound"] == run.bound[epoch // 10]
        assert shown.readouts()["data_log_px"] == run.log_px[epoch // 10]
    with pytest.raises(ValueError, match="epoch = 155 is not possible; choose a multiple of 10"):
        shown.epoch = 155
    assert shown.epoch == 400


def test_explorer_counts_its_draws():
    shown = explorers.VaeStep()
    shown.new_epsilon()
    shown.draw_100()
    assert shown.n == 102
    first = shown.estimates()
    shown.seed += 1
    assert not np.isin(shown.estimates(), first).any()
    shown.n = 2000
    shown.new_epsilon()
    assert shown.n == 2000
    for bad in (0, 2001, 1.5):
        with pytest.raises(ValueError, match="choose a whole number from 1 to 2000"):
            shown.n = bad
