"""The tests of the VAE see its classic bugs: each is planted in turn, and must turn them red.

A bug takes the place of a function, a method or a number of the package, wherever that is known
by name, before the tests are read. So it says what a slip means, and not how a line is written.
"""

import importlib
import math
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import pytest
import torch
from conftest import ROOT

OBJECTIVE, EVALUATION, TRAINING, NETWORKS = (
    f"tests/test_vae_{name}.py" for name in ["objective", "evaluation", "training", "networks"]
)


class Bug(NamedTuple):
    """What it is called, where it sits, what a slip makes of what is right there, who sees it."""

    name: str
    place: str
    slip: callable
    tests: str


def noisy_kl(_):
    return lambda mean, log_var: 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(-1)


def bits_of_each_image(_):
    def weighted(terms, *, beta=1.0, free_bits=0.0):
        kl = terms.kl_by_dimension.clamp(min=free_bits) if free_bits else terms.kl_by_dimension
        return terms.reconstruction - beta * kl.sum(-1)

    return weighted


def added_density(_):
    def weights(log_px_given_z, z, mean, log_var, log_pz=None):
        from vaebook.vae import objective

        log_pz = objective.log_standard_normal(z) if log_pz is None else log_pz
        return log_px_given_z + log_pz + objective.log_normal_diag(z, mean, log_var)

    return weights


def one_stream(stream):
    """Make the random numbers of one kind the same in each epoch or step."""
    return lambda right: (
        lambda self, *key, device=None: right(
            self, *((stream, 0) if key[0] == stream else key), device=device
        )
    )


def inflated(result):
    return result._replace(nll_se=result.nll_se * math.sqrt(result.images))


def in_file_order(_):
    def pixels(images, n_images=None):
        from vaebook.vae import binarise

        drawn = binarise(torch.as_tensor(images), generator=torch.Generator().manual_seed(1))
        return drawn[:n_images].flatten(1)

    return pixels


def nothing(_):
    return lambda *_, **__: None


BUGS = [
    # the terms of the bound
    Bug("KL without its half", "objective.kl_standard_normal",
        lambda right: lambda *q: 2 * right(*q), OBJECTIVE),
    Bug("KL averaged over latent numbers", "objective.kl_standard_normal",
        lambda right: lambda mean, log_var: right(mean, log_var) / mean.shape[-1], OBJECTIVE),
    Bug("KL with rounding noise near zero", "objective.kl_standard_normal", noisy_kl, OBJECTIVE),
    Bug("log variance read as log std", "objective.reparameterize",
        lambda right: lambda mean, log_var, eps: right(mean, 2 * log_var, eps), OBJECTIVE),
    Bug("samples detached", "objective.reparameterize",
        lambda right: lambda *q: right(*q).detach(), OBJECTIVE),
    Bug("sum over samples for their mean", "objective.elbo_terms",
        lambda right: lambda log_px, *q: right(len(log_px) * log_px, *q), OBJECTIVE),
    Bug("mean over pixels for their sum", "objective.log_bernoulli",
        lambda right: lambda x, logits: right(x, logits) / logits.shape[-1], OBJECTIVE),
    Bug("probabilities clamped away from zero", "objective.log_bernoulli",
        lambda right: lambda x, logits: right(x, logits.clamp(-14, 14)), OBJECTIVE),
    Bug("no normaliser in log N", "objective.LOG_2PI", lambda right: 0.0, OBJECTIVE),
    Bug("grey pixels accepted", "objective.require_binary", nothing, OBJECTIVE),
    Bug("binarised by a threshold", "objective.binarise",
        lambda right: lambda images, *, generator: images > 127, OBJECTIVE),
    Bug("free bits for each image by itself", "objective.weighted_elbo",
        bits_of_each_image, OBJECTIVE),
    # its gradients and its importance weights
    Bug("path gradient with that of log q left in", "objective.path_gradient",
        lambda right: lambda bound, *_: bound, OBJECTIVE),
    Bug("path gradient for doubly reparameterized", "objective.doubly_reparameterized",
        lambda right: lambda bound, *_: bound, OBJECTIVE),
    Bug("q multiplies the weight", "objective.log_weights", added_density, OBJECTIVE),
    Bug("off by log K", "objective.log_mean_exp",
        lambda right: lambda log_w, dim=0: torch.logsumexp(log_w, dim), OBJECTIVE),
    Bug("mean of log for log of mean", "objective.importance_bound",
        lambda right: lambda log_w: log_w.mean(0), OBJECTIVE),
    # the networks
    Bug("mean and log variance swapped", "perceptrons.Encoder.forward",
        lambda right: lambda self, x: right(self, x)[::-1], OBJECTIVE),
    Bug("noise shared across the batch", "networks.VAE.draw_noise",
        lambda right: lambda self, s, b, *, generator: right(
            self, s, 1, generator=generator).expand(-1, b, -1), OBJECTIVE),
    Bug("log-scales left out of the flow's density", "priors.CouplingPrior.log_prob",
        lambda right: lambda self, z: -0.5 * (math.log(2 * math.pi) + z**2).sum(-1), NETWORKS),
    # the evaluation
    Bug("earlier pieces forgotten", "evaluation._log_likelihood_of_block",
        lambda right: lambda model, x, n, generator, rows: right(
            model, x, min(n, max(1, rows // len(x))), generator, rows), EVALUATION),
    Bug("standard deviation for standard error", "evaluation.evaluate",
        lambda right: lambda *data, **asked: inflated(right(*data, **asked)), EVALUATION),
    Bug("images in file order", "evaluation.held_out_pixels", in_file_order, EVALUATION),
    # the training
    Bug("binarised once", "training.Batches.generator", one_stream(1), TRAINING),
    Bug("one order for all epochs", "training.Batches.generator", one_stream(0), TRAINING),
    Bug("the same noise in each step", "training.Batches.generator", one_stream(2), TRAINING),
    Bug("trained on validation images", "training._split",
        lambda right: lambda *data: (torch.cat(right(*data)), right(*data)[1]), TRAINING),
    Bug("only the reconstruction climbed", "training.climbed",
        lambda right: lambda terms, *_: terms.reconstruction, TRAINING),
    Bug("gradients pile up", "training.torch.optim.Adam.zero_grad", nothing, TRAINING),
    Bug("long gradients not shortened", "training.nn.utils.clip_grad_norm_", nothing, TRAINING),
    Bug("no annealing", "training.learning_rate",
        lambda right: lambda config, step, _: right(config, step, 0.0), TRAINING),
    Bug("KL weighed in full from the start", "training.kl_weight",
        lambda right: lambda config, step: config.beta, TRAINING),
    Bug("optimiser forgotten in the checkpoint", "session.torch.optim.Adam.load_state_dict",
        nothing, TRAINING),
]  # fmt: skip


def find(place):
    """Return the owner of a name of ``vaebook.vae``, the name, and what it stands for."""
    module, *path, name = place.split(".")
    owner = importlib.import_module(f"vaebook.vae.{module}")
    for part in path:
        owner = getattr(owner, part)
    return owner, name, getattr(owner, name)


def plant(bug):
    """Put a bug in the place of what is right, in every module that has taken it by its name."""
    owner, name, right = find(bug.place)
    wrong = bug.slip(right)
    setattr(owner, name, wrong)
    for module in [m for key, m in sys.modules.items() if key.startswith("vaebook.")]:
        for known in [key for key, value in vars(module).items() if value is right]:
            setattr(module, known, wrong)


def run_tests(bug, tests, log):
    """Run the fast tests of some files in this process, with a bug; return the status."""
    os.chdir(ROOT)
    import vaebook.vae  # noqa: F401

    torch.set_num_threads(1)
    if bug is not None:
        plant(BUGS[bug])
    with open(log, "w", encoding="utf-8") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
        options = ["-q", "-x", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:nbval"]
        return int(pytest.main([*options, *tests]))


def test_every_bug_can_be_planted():
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 20
    for bug in BUGS:
        right = find(bug.place)[2]
        assert callable(bug.slip(right)) == callable(right)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_fast_tests_see_every_classic_bug(tmp_path):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "scipy.stats"])
    logs = [tmp_path / f"{number}.txt" for number in range(len(BUGS) + 1)]
    # One process for each bug, two at a time.
    with ProcessPoolExecutor(2, mp_context=context, max_tasks_per_child=1) as pool:
        every = [OBJECTIVE, EVALUATION, TRAINING, NETWORKS]
        sound = pool.submit(run_tests, None, every, logs[-1])
        runs = [
            pool.submit(run_tests, number, [bug.tests], logs[number])
            for number, bug in enumerate(BUGS)
        ]
        assert sound.result() == 0, logs[-1].read_text("utf-8")[-3000:]
        found = {bug.name: run.result() for bug, run in zip(BUGS, runs, strict=True)}
    for bug, log in zip(BUGS, logs, strict=False):
        assert found[bug.name] in (0, 1), f"{bug.name}: no run:\n{log.read_text('utf-8')[-2000:]}"
    assert [name for name, status in found.items() if status == 0] == []
