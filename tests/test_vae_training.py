"""Training: what each step sees, how a run ends, goes on, and refuses to go on."""

import dataclasses
import itertools
import math
import os
import signal
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from vae_child import images

from vaebook.vae import PRESETS, VAE, Config, binarise, load_run, machine, session, train, training
from vaebook.vae.checkpoints import CheckpointError, listing, load, save
from vaebook.vae.machine import Team, settled_precision
from vaebook.vae.session import NonFiniteError, Session
from vaebook.vae.training import Batches, kl_weight, learning_rate

SMALL = Config(
    n_features=36, n_latent=3, hidden=(16,), batch_size=50, epochs=4, warmup_steps=5, seed=3
)
ALONE = Team(torch.device("cpu"), 0, 1)
DATA = images(330)


def changed(**changes):
    return dataclasses.replace(SMALL, **changes)


ONE_STEP = changed(batch_size=400, epochs=1)


def batches(config=SMALL, data=DATA, validation=None):
    return Batches(config, data, validation, ALONE)


def first_model(config):
    """The model before the first step."""
    return train(dataclasses.replace(config, learning_rate=1e-30, epochs=1), DATA).model


@pytest.fixture
def before_draw(monkeypatch):
    """Register functions of a step's number that are called before its batch is drawn."""

    def register(function):
        def drawn(self, step, draw=Batches.draw):
            function(step)
            return draw(self, step)

        monkeypatch.setattr(Batches, "draw", drawn)

    return register


@pytest.fixture
def models(monkeypatch):
    """The models that training makes, as it makes them."""
    made = []
    monkeypatch.setattr(training, "VAE", lambda config: made.append(VAE(config)) or made[-1])
    return made


def first_weights(model):
    """The weights of the decoder's first layer as they are now."""
    return model.decoder.layers[0].weight.detach().clone()


def curve(run):
    """The curve without its seconds."""
    return [row._replace(seconds=0.0) for row in run.history]


def assert_same_state(there, here):
    """Weights, optimiser and curve of two checkpoints agree to the last bit."""
    assert there["step"] == here["step"]
    for name, weight in there["model"].items():
        assert torch.equal(weight, here["model"][name]), name
    for number, moments in there["optimizer"]["state"].items():
        for name, moment in moments.items():
            assert torch.equal(moment, here["optimizer"]["state"][number][name]), (number, name)
    rows = [[{**row, "seconds": 0} for row in state["history"]] for state in (there, here)]
    assert rows[0] == rows[1]
    assert torch.equal(there["sums"], here["sums"])


# ------------------------------------------------------------------- it learns


def test_training_passes_the_best_model_without_latent_numbers():
    run = train(changed(epochs=60, learning_rate=0.01), DATA)
    means = images(10_000, seed=1).reshape(10_000, -1).mean(0) / 255
    independent = np.sum(means * np.log(means) + (1 - means) * np.log1p(-means))
    assert run.finished
    assert len(run.history) == 60
    assert run.history[-1].bound > independent + 5
    assert run.history[-1].validation_bound > independent + 4
    for row in run.history:
        assert row.bound == pytest.approx(row.reconstruction - row.kl)


def test_a_training_can_be_watched_epoch_by_epoch_and_is_no_other_for_it():
    seen = []
    run = train(SMALL, DATA, watch=lambda *now: seen.append((now[1], first_weights(now[0]))))
    assert [row for row, _ in seen] == run.history
    assert not torch.equal(seen[0][1], seen[-1][1])
    assert torch.equal(seen[-1][1], first_weights(run.model))
    assert curve(train(SMALL, DATA)) == curve(run)


def test_a_linear_gaussian_vae_finds_the_likelihood_that_principal_components_give():
    rng = np.random.default_rng(0)
    noise_std, weight = 0.5, rng.normal(size=(8, 2))
    x = rng.normal(size=(2_000, 2)) @ weight.T + noise_std * rng.normal(size=(2_000, 8)) + 1.0
    config = Config(
        n_features=8, n_latent=2, hidden=(), likelihood="gaussian", noise_std=noise_std,
        batch_size=100, epochs=40, learning_rate=0.05, warmup_steps=20, n_samples=4,
    )  # fmt: skip
    run = train(config, x.astype(np.float32), validation=x[:500].astype(np.float32))
    # The best W of x = W z + m + noise keeps the two largest eigenvalues of the covariance.
    covariance = np.cov(x.T, bias=True)
    values, vectors = np.linalg.eigh(covariance)
    values[:-2] = noise_std**2
    best = (vectors * values) @ vectors.T
    log_det = np.linalg.slogdet(2 * np.pi * best)[1]
    exact = -0.5 * (log_det + np.trace(np.linalg.solve(best, covariance)))
    assert exact - 0.05 < run.history[-1].bound < exact + 0.03


@pytest.mark.parametrize("n_draws", [{"n_samples": 3}, {"n_importance": 5}])
def test_several_samples_an_image_are_used(n_draws):
    one, several = train(SMALL, DATA), train(changed(**n_draws), DATA)
    assert curve(one) != curve(several)
    assert batches(changed(**n_draws)).draw(0).eps.shape == (max(n_draws.values()), 50, 3)


# ------------------------------------------------------------------- what a step sees


def test_an_epoch_meets_every_training_image_once_and_the_next_in_another_order():
    one = batches()
    epochs = [torch.cat([one.draw(e + b).rows for b in range(6)]) for e in (0, 6)]
    for order in epochs:
        assert sorted(order.tolist()) == list(range(297))
    assert not torch.equal(*epochs)
    assert one.an_epoch == 6
    assert len(one.draw(5).rows) == 47


def test_the_last_tenth_is_held_out_and_never_trained_on():
    one = batches()
    assert torch.equal(one.images, torch.as_tensor(DATA[:297]).flatten(1))
    held_out = torch.as_tensor(DATA[297:]).flatten(1)
    certain = (held_out == 0) | (held_out == 255)
    assert torch.equal(one.validation[certain], held_out[certain] == 255)
    seen = train(changed(epochs=1), DATA).history[0]
    other = DATA.copy()
    other[297:] = 255 - other[297:]
    unseen = train(changed(epochs=1), other).history[0]
    assert unseen.bound == seen.bound
    assert unseen.validation_bound != seen.validation_bound


def test_given_validation_images_are_used_and_all_others_trained_on():
    one = batches(validation=SimpleNamespace(images=images(20, seed=5)))
    assert len(one.images) == 330
    assert len(one.validation) == 20


def test_the_validation_bound_is_that_of_the_model_and_repeats():
    config = changed(n_samples=50)
    one, model = batches(config), VAE(config)
    noise = torch.Generator().manual_seed(0)
    expected = model.elbo(one.validation, 2_000, generator=noise).bound.mean().item()
    assert one.validation_bound(model) == one.validation_bound(model)
    assert one.validation_bound(model) == pytest.approx(expected, abs=0.2)


def test_pixels_are_drawn_anew_for_each_epoch_from_their_grey_values():
    grey = np.full((400, 6, 6), 51, np.uint8)
    one = batches(data=grey)
    drawn = []
    for epoch in range(3):
        one.draw(epoch * one.an_epoch)
        drawn.append(one.pixels)
    assert not torch.equal(drawn[0], drawn[1])
    together = torch.stack(drawn).float()
    # 38,880 pixels of probability 0.2 have a standard error of 0.002.
    assert abs(together.mean().item() - 0.2) < 0.012
    assert set(one.draw(2 * one.an_epoch).x.unique().tolist()) == {0.0, 1.0}


def test_fixed_pixels_stay_through_all_epochs():
    one = batches(changed(binarisation="fixed"))
    one.draw(0)
    first = one.pixels
    one.draw(one.an_epoch)
    assert torch.equal(first, one.pixels)


def test_static_images_are_what_they_are():
    static = 255 * (images(200) > 100).astype(np.uint8)
    batch = batches(data=static).draw(1)
    assert torch.equal(batch.x, torch.as_tensor(static).flatten(1)[batch.rows].float() / 255)


def test_noise_is_its_own_for_each_image_and_each_step():
    one = batches(changed(batch_size=250))
    eps = one.draw(0).eps
    assert eps.shape == (1, 250, 3)
    assert len(eps.unique()) == 750
    assert not torch.equal(one.draw(2).eps, eps)
    assert torch.equal(one.draw(0).eps, eps)
    assert abs(eps.mean().item()) < 5 / math.sqrt(750)
    assert abs(eps.std().item() - 1) < 5 / math.sqrt(2 * 750)


def test_the_seed_alone_decides_and_the_global_one_is_left_alone():
    before = torch.get_rng_state()
    first, again, other = (train(changed(seed=s), DATA) for s in [1, 1, 2])
    assert torch.equal(before, torch.get_rng_state())
    assert curve(first) == curve(again)
    assert curve(first) != curve(other)
    for name, weight in first.model.state_dict().items():
        assert torch.equal(weight, again.model.state_dict()[name])


def test_small_numbers_are_rounded_to_zero_in_training_alone(before_draw):
    def smallest_doubled():
        smallest = torch.tensor(5e-324, dtype=torch.float64)
        return (smallest + smallest).item()

    seen = []
    before_draw(lambda step: seen.append(smallest_doubled()))
    train(changed(epochs=1), DATA)
    assert set(seen) == {0.0}
    assert smallest_doubled() > 0


@pytest.mark.parametrize(
    ("weights", "kl_weight"),
    [
        ({}, 1.0), ({"beta": 3.0}, 3.0), ({"beta": 3.0, "kl_warmup_steps": 9}, 0.0),
        ({"free_bits": 100.0}, 0.0),
    ],
)  # fmt: skip
def test_a_step_moves_the_weights_along_the_gradient_of_the_mean_bound(weights, kl_weight):
    _, x, eps = batches(ONE_STEP).draw(0)
    start, run = first_model(ONE_STEP), train(dataclasses.replace(ONE_STEP, **weights), DATA)
    start.zero_grad()
    bound, reconstruction, kl, _ = start(x, eps)
    (kl_weight * kl - reconstruction).mean().backward()
    for old, new in zip(start.parameters(), run.model.parameters(), strict=True):
        torch.testing.assert_close(new.grad, old.grad, rtol=1e-4, atol=1e-6)
        # Adam's first step has the gradient's signs, and the learning rate's length.
        rate = learning_rate(SMALL, 0, 0.0)
        clear = old.grad.abs() > 1e-4
        step = (old - new).detach()[clear]
        torch.testing.assert_close(step, rate * old.grad[clear].sign(), rtol=1e-2, atol=1e-7)
    assert run.step == 1
    assert run.history[0].bound == pytest.approx(bound.mean().item(), rel=1e-5)


def test_a_long_gradient_is_shortened_and_a_short_one_left_alone(monkeypatch):
    seen = []
    monkeypatch.setattr(torch.optim.Adam, "step", lambda adam: seen.append(gradient(adam)))

    def gradient(adam):
        return torch.cat([p.grad.flatten() for p in adam.param_groups[0]["params"]])

    for longest in [None, 1e6, 0.01]:
        train(dataclasses.replace(ONE_STEP, max_gradient_norm=longest), DATA)
    plain, long, shortened = seen
    assert torch.equal(long, plain)
    assert shortened.norm().item() == pytest.approx(0.01, rel=1e-4)
    assert torch.allclose(shortened, 0.01 * plain / plain.norm(), rtol=1e-4)


@pytest.mark.parametrize(
    ("beta2", "epsilon", "g", "rates"),
    [
        (0.999, 1e-8, 1e-3, 10**0.5),
        (0.99, 1e-8, 1e-3, 1.0),
        (0.99, 1e-4, 1e-3, 0.5),
        (0.99, 1e-4, 1.0, 1.0),
    ],
)
def test_a_gradient_after_a_long_silence_moves_a_weight_as_stated(
    beta2, epsilon, g, rates, monkeypatch
):
    used, step = [], torch.optim.Adam.step
    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.Adam, "step", used.append)
        config = dataclasses.replace(ONE_STEP, adam_beta2=beta2, adam_epsilon=epsilon)
        weight = train(config, DATA).model.decoder.layers[-1].bias
    (optimizer,) = used
    optimizer.param_groups[0]["lr"] = 1e-3
    optimizer.zero_grad()
    weight.grad = torch.zeros_like(weight)
    step(optimizer)
    # All that 9,999 further steps without a gradient would change.
    optimizer.state[weight]["step"].fill_(10_000)
    before = weight.detach().clone()
    weight.grad[0] = g
    step(optimizer)
    moved = before - weight.detach()
    assert moved[0].item() == pytest.approx(1e-3 * rates, rel=2e-3)
    assert not moved[1:].any()


def test_the_parts_of_a_batch_are_the_batch():
    for n, size in [(50, 2), (47, 3), (2, 4), (1, 2)]:
        parts = [list(range(n))[Team(ALONE.device, r, size).part_of(n)] for r in range(size)]
        assert list(itertools.chain(*parts)) == list(range(n))


def test_centre_and_output_bias_start_at_the_mean_of_the_training_images():
    model = first_model(SMALL)
    means = torch.as_tensor(DATA[:297]).flatten(1).float().mean(0) / 255
    torch.testing.assert_close(model.encoder.centre, means)
    bias = model.decoder.layers[-1].bias
    torch.testing.assert_close(torch.sigmoid(bias), means, atol=2e-3, rtol=0)


# ------------------------------------------------------------------- how a run ends


def test_the_learning_rate_rises_then_falls_along_a_cosine_to_zero():
    config = changed(warmup_steps=10, learning_rate=0.1)
    assert learning_rate(config, 0, 0.0) == pytest.approx(0.01)
    assert learning_rate(config, 9, 0.0) == pytest.approx(0.1)
    assert learning_rate(config, 500, 0.5) == pytest.approx(0.05)
    assert learning_rate(config, 500, 0.25) == pytest.approx(0.1 * (1 + math.sqrt(0.5)) / 2)
    assert learning_rate(config, 500, 1.0) == 0
    assert learning_rate(changed(warmup_steps=0), 0, 0.0) == SMALL.learning_rate


def test_the_weight_of_the_kl_rises_on_a_straight_line_to_beta():
    config = changed(beta=2.0, kl_warmup_steps=8)
    weights = [kl_weight(config, step) for step in (0, 1, 4, 7, 8, 9, 500)]
    assert weights == [0, 0.25, 1, 1.75, 2, 2, 2]
    assert kl_weight(SMALL, 0) == 1


@pytest.fixture
def clock(monkeypatch, before_draw):
    """A clock that only steps move, by 0.1 s each; it starts at 1,000."""
    time, step = SimpleNamespace(now=1000.0, rates=[]), torch.optim.Adam.step

    def recorded_step(adam):
        time.rates.append(adam.param_groups[0]["lr"])
        return step(adam)

    def tick(_step):
        time.now += 0.1

    before_draw(tick)
    monkeypatch.setattr(training.time, "monotonic", lambda: time.now)
    monkeypatch.setattr(torch.optim.Adam, "step", recorded_step)
    return time


def test_with_a_time_limit_the_learning_rate_falls_to_zero_within_it(clock):
    run = train(changed(max_seconds=5.0, epochs=1), DATA)
    assert run.finished
    assert 4.8 < run.seconds <= 5.0
    assert run.step == len(clock.rates) == 49
    assert clock.rates[-1] == 0
    assert clock.rates[5:] == sorted(clock.rates[5:], reverse=True)
    assert clock.rates[24] == pytest.approx(SMALL.learning_rate / 2, rel=0.05)
    assert [row.step for row in run.history] == [6, 12, 18, 24, 30, 36, 42, 48, 49]
    assert run.history[-1].bound == pytest.approx(run.history[-2].bound, abs=8)


def test_time_before_training_counts(clock):
    run = train(changed(max_seconds=5.0), DATA, started=clock.now - 2.0)
    assert run.step == 29
    assert run.seconds <= 5.0


def test_without_a_time_limit_the_last_step_is_at_the_end_of_the_cosine(clock):
    run = train(SMALL, DATA)
    assert run.step == 24 == SMALL.epochs * 6
    last = 0.5 * (1 + math.cos(math.pi * 23 / 24)) * SMALL.learning_rate
    assert clock.rates[-1] == pytest.approx(last)
    assert [(row.epoch, row.step) for row in run.history] == [(1, 6), (2, 12), (3, 18), (4, 24)]


def test_checkpoints_come_after_their_seconds_and_at_the_end(clock, tmp_path):
    saved, save = [], Session.save

    def spy(self, folder):
        saved.append(self.step)
        save(self, folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "save", spy)
        train(changed(epochs=9), DATA, out=tmp_path, checkpoint_seconds=1.1)
    assert saved == [12, 24, 36, 48, 54]


# ------------------------------------------------------------------- how it goes on


@pytest.fixture
def interrupt_after(before_draw):
    """Send this process a Ctrl-C while it takes each of some steps."""

    def register(*steps, number=signal.SIGINT):
        wanted = set(steps)

        def interrupt(step):
            if step in wanted:
                wanted.remove(step)
                os.kill(os.getpid(), number)

        before_draw(interrupt)

    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # else it may be ignored
    yield register
    signal.signal(signal.SIGINT, usual)


@pytest.mark.parametrize(
    ("number", "binarisation"), [(signal.SIGINT, "dynamic"), (signal.SIGTERM, "fixed")]
)
def test_an_interrupted_run_goes_on_to_the_last_bit(
    tmp_path, interrupt_after, number, binarisation
):
    config = changed(binarisation=binarisation)
    whole = train(config, DATA, out=tmp_path / "whole")
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    interrupt_after(2, 9, 17, number=number)
    steps = []
    for _ in range(3):
        run = train(config, DATA, out=tmp_path / "parts")
        assert not run.finished
        steps.append(run.step)
    assert all(0 < step - start <= 2 for start, step in zip([2, 9, 17], steps, strict=True))
    assert handlers == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))
    run = train(config, DATA, out=tmp_path / "parts")
    assert run.finished
    assert curve(run) == curve(whole)
    newest = [load(listing(tmp_path / name)[0]) for name in ("whole", "parts")]
    assert_same_state(*newest)


def test_the_time_limit_counts_the_time_before_an_interruption(clock, tmp_path, interrupt_after):
    config = changed(max_seconds=5.0)
    interrupt_after(20)
    first = train(config, DATA, out=tmp_path)
    assert not first.finished
    clock.now += 500
    second = train(config, DATA, out=tmp_path)
    assert second.finished
    assert second.step in (49, 50)  # the clock's last digits decide
    assert 4.8 < second.seconds < 5.001


def test_a_finished_run_is_returned_and_not_trained_further(tmp_path):
    run = train(SMALL, DATA, out=tmp_path)
    again = train(SMALL, DATA, out=tmp_path)
    assert (again.step, again.finished) == (24, True)
    assert again.history == run.history
    assert again.checkpoint == run.checkpoint == listing(tmp_path)[0].path
    assert again.seconds == load_run(tmp_path).seconds


def test_a_damaged_newest_checkpoint_costs_time_but_no_bit(tmp_path, capsys):
    whole = train(SMALL, DATA, out=tmp_path, checkpoint_seconds=0)
    state = load(listing(tmp_path)[0])
    newest = whole.checkpoint
    newest.write_bytes(newest.read_bytes()[:-1])
    again = train(SMALL, DATA, out=tmp_path, checkpoint_seconds=0)
    assert f"{newest.name} is damaged" in capsys.readouterr().err
    assert curve(again) == curve(whole)
    assert_same_state(state, load(listing(tmp_path)[0]))


def test_another_configuration_or_other_data_are_refused_with_the_difference(tmp_path):
    train(SMALL, DATA, out=tmp_path)
    with pytest.raises(CheckpointError) as error:
        train(changed(epochs=5, hidden=(20,)), DATA, out=tmp_path)
    assert "epochs: 4 in the checkpoint, 5 now" in str(error.value)
    assert "hidden: [16] in the checkpoint, [20] now" in str(error.value)
    assert "seed" not in str(error.value)
    with pytest.raises(CheckpointError, match=r"data \(SHA-256\): '[0-9a-f]{16}' in the check"):
        train(SMALL, images(330, seed=9), out=tmp_path)


def test_a_run_is_read_back_with_its_best_or_newest_weights(tmp_path):
    run = train(SMALL, DATA, out=tmp_path, data_name="drawn-digits")
    back = load_run(tmp_path)
    assert back.history == run.history
    assert (back.step, back.finished, back.data_name) == (24, True, "drawn-digits")
    x = binarise(torch.as_tensor(DATA[:5]), generator=torch.Generator().manual_seed(0)).flatten(1)
    bounds = [
        model.elbo(x, generator=torch.Generator().manual_seed(1)).bound
        for model in (run.model, back.model, load_run(tmp_path, best=False).model)
    ]
    assert torch.equal(bounds[0], bounds[1])
    assert torch.equal(bounds[0], bounds[2])
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        load_run(tmp_path / "nowhere")


def test_a_run_with_numpys_numbers_and_names_can_be_read_again_and_goes_on(tmp_path):
    config = changed(learning_rate=np.float64(2e-3), seed=np.int64(3), epochs=np.int32(4))
    asked = {"data_name": np.str_("mnist"), "out": np.str_(tmp_path)}
    run = train(config, DATA, started=np.float64(training.time.monotonic()), **asked)
    back = load_run(np.str_(tmp_path))
    assert (back.history, back.data_name) == (run.history, "mnist")
    assert train(config, DATA, **asked).step == run.step
    assert curve(run) == curve(train(SMALL, DATA))


def test_a_run_from_before_a_field_was_added_goes_on(tmp_path):
    path = train(changed(epochs=1), DATA, out=tmp_path).checkpoint
    state = load(listing(tmp_path)[0])
    del state["config"]["free_bits"]
    path.unlink()
    save(tmp_path, state, step=state["step"])
    assert train(changed(epochs=1), DATA, out=tmp_path).step == state["step"]


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    run = train(SMALL, DATA, out="~/run")
    assert run.checkpoint.parent == tmp_path / "run"
    assert load_run("~/run").checkpoint == run.checkpoint
    assert not (tmp_path / "~").exists()


# ------------------------------------------------------------------- what it refuses


def test_a_folder_that_cannot_be_made_is_refused_before_the_first_step(tmp_path, before_draw):
    steps = []
    before_draw(steps.append)
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OSError, match="taken"):
        train(SMALL, DATA, out=tmp_path / "taken")
    assert steps == []


@pytest.mark.parametrize("device", ["gpu", "cuda", "cuda:1", "", "meta"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=f"device is '{device}', but PyTorch has cpu here"):
        train(SMALL, DATA, device=device)


def test_the_devices_are_the_gpus_and_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    found = [str(machine.find_device(name)) for name in ("auto", "cuda", "cuda:1", "cpu")]
    assert found == ["cuda", "cuda", "cuda:1", "cpu"]
    with pytest.raises(ValueError, match="PyTorch has cuda, cuda:0, cuda:1, cpu here"):
        machine.find_device("cuda:2")


@pytest.mark.parametrize("name", ["decoder.layers.1.weight", "encoder.layers.0.bias"])
def test_a_gradient_that_is_not_finite_stops_before_the_step(name, models, before_draw):
    weights = []

    def watch(step):
        weights.append({key: value.clone() for key, value in models[0].state_dict().items()})
        if step == 1:
            hook = models[0].get_parameter(name).register_hook
            hook(lambda gradient: gradient.index_fill(0, torch.tensor([1]), math.inf))

    before_draw(watch)
    with pytest.raises(NonFiniteError) as error:
        train(SMALL, DATA)
    message = str(error.value)
    rows = batches().draw(1).rows
    assert f"before step 2: the gradient of {name} is inf, in batch 2 of epoch 1" in message
    assert f"training images {rows[0]}, {rows[1]}" in message
    for key, value in models[0].state_dict().items():
        assert torch.equal(value, weights[1][key]), key


def test_the_first_tensor_that_is_not_finite_is_named(tmp_path, models, before_draw):
    with pytest.raises(NonFiniteError, match="the encoder's mean is") as error:
        train(changed(learning_rate=1e30, warmup_steps=0), DATA, out=tmp_path)
    assert "Try a learning_rate below 1e+30" in str(error.value)
    assert listing(tmp_path) == []

    def spoil(_step):
        models[1].decoder.layers[1].bias.data[2] = math.nan

    before_draw(spoil)
    with pytest.raises(NonFiniteError, match=r"1: decoder\.layers\.1\.bias is nan"):
        train(SMALL, DATA)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
    ids=["host", "cuda", "cpu"],
)
def test_a_lack_of_memory_is_one_line_of_advice(monkeypatch, error):

    def fail(*_):
        raise error

    monkeypatch.setattr(VAE, "forward", fail)
    with pytest.raises(MemoryError) as raised:
        train(SMALL, DATA)
    assert "choose batch_size=25" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_other_errors_are_left_as_they_are(monkeypatch):

    def fail(*_):
        raise RuntimeError("something else")

    monkeypatch.setattr(VAE, "forward", fail)
    with pytest.raises(RuntimeError, match="something else"):
        train(SMALL, DATA)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (images(50)[:, :5], r"shape \(50, 5, 6\), expected \(N, \.\.\.\) with 36"),
        (images(50)[:0], r"shape \(0, 6, 6\)"),
        (images(50) / 255, "torch.float64, expected torch.uint8 for a bernoulli"),
        (images(50) > 100, "torch.bool, expected torch.uint8"),
    ],
)
def test_data_that_do_not_fit_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        train(SMALL, data)


def test_read_only_and_reversed_arrays_are_taken():
    frozen = DATA.copy()
    frozen.flags.writeable = False
    assert torch.equal(batches(data=frozen).images, batches().images)
    turned = batches(data=DATA[:, ::-1]).images
    assert torch.equal(turned.unflatten(1, (6, 6)), batches().images.unflatten(1, (6, 6)).flip(1))


def test_real_numbers_must_be_finite_and_float32():
    config = changed(likelihood="gaussian")
    x = images(50).astype(np.float32)
    x[3, 2, 1] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        train(config, x)
    with pytest.raises(ValueError, match=r"expected torch\.float32 for a gaussian"):
        train(config, images(50))


# ------------------------------------------------------------------- threads


@pytest.fixture
def running(monkeypatch, tmp_path):
    """Say how many programs run, this one among them, on a machine of four cores."""

    def say(n):
        machine.LOAD.write_text(f"0.50 0.40 0.30 {n}/321 4567\n")

    monkeypatch.setattr(machine, "LOAD", tmp_path / "loadavg")
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 4)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield say
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("n", "threads"), [(1, 3), (2, 3), (3, 2), (4, 1), (5, 1), (90, 1), (None, 3)]
)
def test_it_computes_on_the_cores_that_others_leave(running, before_draw, n, threads):
    seen = []
    before_draw(lambda _step: seen.append(torch.get_num_threads()))
    if n is not None:  # else on a system that does not count them
        running(n)
    train(ONE_STEP, DATA)
    assert seen == [threads]
    assert torch.get_num_threads() == 3


def test_with_a_time_limit_it_counts_again_at_each_epochs_end(running, clock, before_draw):
    seen = []

    def watch(step):
        seen.append(torch.get_num_threads())
        running(4 if step < 6 else 1)  # read at the ends of epochs, after steps 5, 11, ...

    running(1)
    before_draw(watch)
    train(changed(max_seconds=2.0), DATA)
    assert seen[:6] == [3] * 6
    assert seen[6:12] == [1] * 6
    assert seen[12:18] == [3] * 6


def test_without_one_it_goes_on_with_the_threads_it_began_with(running, tmp_path, interrupt_after):
    interrupt_after(2)
    running(3)
    train(SMALL, DATA, out=tmp_path / "run")
    running(1)
    train(SMALL, DATA, out=tmp_path / "run")
    assert load(listing(tmp_path / "run")[0])["threads"] == 2


# ------------------------------------------------------------------- precision and presets


def test_bfloat16_follows_float32_and_keeps_its_weights_in_float32():
    full, half = (train(changed(precision=p), DATA) for p in ("float32", "bfloat16"))
    assert (full.precision, half.precision) == ("float32", "bfloat16")
    assert curve(full) != curve(half)
    for one, other in zip(full.history, half.history, strict=True):
        assert one.bound == pytest.approx(other.bound, abs=0.05)
    assert {p.dtype for p in half.model.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("flags : fma avx512f avx512_bf16", "bfloat16"),
        ("flags : avx2 amx_bf16 amx_tile", "bfloat16"),
        ("flags : fma avx2 avx512f", "float32"),
        (None, "float32"),
    ],
)
def test_auto_takes_bfloat16_only_where_the_processor_has_it(
    flags, expected, monkeypatch, tmp_path
):
    monkeypatch.setattr(machine, "CPU_INFO", tmp_path / "cpuinfo")
    if flags:
        machine.CPU_INFO.write_text(flags)
    assert settled_precision("auto", ALONE.device) == expected
    assert settled_precision("bfloat16", ALONE.device) == "bfloat16"


@pytest.mark.parametrize(
    ("capability", "expected"), [((7, 5), "float32"), ((8, 0), "bfloat16"), ((9, 0), "bfloat16")]
)
def test_auto_takes_bfloat16_only_where_the_gpu_has_it(capability, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: capability)
    assert settled_precision("auto", torch.device("cuda")) == expected


def test_a_run_goes_on_in_the_precision_that_it_began_with(monkeypatch, tmp_path):
    auto = changed(precision="auto")
    precision = train(auto, DATA, out=tmp_path).precision
    other = {"float32": "bfloat16", "bfloat16": "float32"}[precision]
    monkeypatch.setattr(session, "settled_precision", lambda *_: other)
    assert train(auto, DATA, out=tmp_path).precision == precision


def test_two_presets_are_what_their_users_rely_on():
    assert PRESETS["static"].binarisation == "fixed"
    assert PRESETS["book"].precision == "float32"  # the book's numbers are the same everywhere
