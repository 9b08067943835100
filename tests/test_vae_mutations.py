"""The tests of the VAE see its classic bugs: each is planted in a copy, and must turn them red."""

import multiprocessing
import os
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import pytest
from conftest import ROOT

OBJECTIVE = "tests/test_vae_objective.py"
EVALUATION = "tests/test_vae_evaluation.py"
TRAINING = "tests/test_vae_training.py"
NETWORKS = "tests/test_vae_networks.py"
#: Module with a bug -> the tests that may see it, the likeliest first.
TESTS = {
    "objective": [OBJECTIVE, EVALUATION],
    "networks": [OBJECTIVE, EVALUATION, NETWORKS],
    "perceptrons": [OBJECTIVE, NETWORKS],
    "priors": [NETWORKS],
    "evaluation": [EVALUATION],
    "training": [TRAINING],
    "session": [TRAINING],
}


class Bug(NamedTuple):
    """One text in one module of ``vaebook/vae`` and what a slip would make of it."""

    name: str
    module: str
    right: str
    wrong: str


BUGS = [
    # the KL term
    Bug("KL without its half", "objective",
        "0.5 * (mean**2 + torch.expm1", "(mean**2 + torch.expm1"),
    Bug("KL averaged over latent numbers", "objective",
        "torch.expm1(log_var) - log_var).sum(-1)", "torch.expm1(log_var) - log_var).mean(-1)"),
    Bug("KL with rounding noise near zero", "objective",
        "torch.expm1(log_var) - log_var", "torch.exp(log_var) - 1 - log_var"),
    Bug("KL from the prior to q", "objective",
        "(mean**2 + torch.expm1(log_var) - log_var)",
        "((1 + mean**2) * torch.exp(-log_var) - 1 + log_var)"),
    Bug("KL without the mean", "objective", "(mean**2 + torch.expm1", "(torch.expm1"),
    Bug("KL reads log std for log variance", "objective",
        "torch.expm1(log_var) - log_var)", "torch.expm1(2 * log_var) - 2 * log_var)"),
    Bug("KL with the sign of log variance lost", "objective",
        "torch.expm1(log_var) - log_var)", "torch.expm1(log_var) + log_var)"),
    Bug("KL clamped from below", "objective",
        "torch.expm1(log_var) - log_var).sum(-1)",
        "torch.expm1(log_var) - log_var).clamp(min=0.1).sum(-1)"),
    # its weight and its floor
    Bug("beta weighs the reconstruction", "objective",
        "terms.reconstruction - beta * kl", "beta * terms.reconstruction - kl"),
    Bug("free bits for each image by itself", "objective",
        "terms.kl_by_dimension.mean(0) > free_bits", "terms.kl_by_dimension > free_bits"),
    Bug("free bits for all dimensions together", "objective",
        "terms.kl_by_dimension.mean(0) > free_bits",
        "terms.kl_by_dimension.mean(0).sum() > free_bits"),
    Bug("free bits held at the floor", "objective",
        "torch.where(costs, terms.kl_by_dimension, free_bits)",
        "(terms.kl_by_dimension - free_bits).abs() + free_bits"),
    # the reparameterization
    Bug("log variance read as log std", "objective",
        "torch.exp(0.5 * log_var) * eps", "torch.exp(log_var) * eps"),
    Bug("log variance read as std", "objective", "torch.exp(0.5 * log_var) * eps", "log_var * eps"),
    Bug("samples detached", "objective",
        "return mean + torch.exp(0.5 * log_var) * eps",
        "return (mean + torch.exp(0.5 * log_var) * eps).detach()"),
    Bug("std detached", "objective",
        "torch.exp(0.5 * log_var) * eps", "torch.exp(0.5 * log_var).detach() * eps"),
    # the bound
    Bug("KL added", "objective",
        "BoundTerms(reconstruction - kl", "BoundTerms(reconstruction + kl"),
    Bug("beta on the reconstruction", "objective",
        "BoundTerms(reconstruction - kl", "BoundTerms(0.5 * reconstruction - kl"),
    Bug("beta on the KL", "objective",
        "BoundTerms(reconstruction - kl", "BoundTerms(reconstruction - 0.5 * kl"),
    Bug("sum over samples for their mean", "objective",
        "reconstruction = log_px_given_z.mean(0)", "reconstruction = log_px_given_z.sum(0)"),
    Bug("mean over images inside the bound", "objective",
        "reconstruction = log_px_given_z.mean(0)",
        "reconstruction = log_px_given_z.mean().expand_as(log_px_given_z[0])"),
    Bug("KL averaged over images", "objective",
        "kl = kl_standard_normal(mean, log_var)",
        "kl = kl_standard_normal(mean, log_var).mean().expand(len(mean))"),
    Bug("KL of one image for all", "objective",
        "kl = kl_standard_normal(mean, log_var)", "kl = kl_standard_normal(mean[:1], log_var[:1])"),
    # the likelihood of the data
    Bug("only pixels that are on count", "objective",
        "- functional.softplus(logits, threshold=40).sum(-1)",
        "- (x * functional.softplus(logits, threshold=40)).sum(-1)"),
    Bug("mean over pixels for their sum", "objective",
        "(x * logits).sum(-1) - functional.softplus(logits, threshold=40).sum(-1)",
        "(x * logits).mean(-1) - functional.softplus(logits, threshold=40).mean(-1)"),
    Bug("logits with the wrong sign", "objective",
        "(x * logits).sum(-1) - functional.softplus(logits",
        "-(x * logits).sum(-1) - functional.softplus(-logits"),
    Bug("probabilities clamped away from zero", "objective",
        "return (x * logits).sum(-1) - functional.softplus(logits, threshold=40).sum(-1)",
        "return (x * torch.sigmoid(logits).clamp(1e-6, 1 - 1e-6).log() + (1 - x) * "
        "torch.sigmoid(-logits).clamp(1e-6, 1 - 1e-6).log()).sum(-1)"),
    Bug("softplus without threshold overflows", "objective",
        "functional.softplus(logits, threshold=40)", "torch.log(1 + torch.exp(logits))"),
    Bug("grey pixels accepted", "objective", "if bad.any():", "if False:"),
    Bug("NaN accepted as a pixel", "objective",
        "bad = (x != 0) & (x != 1)", "bad = (x > 0) & (x < 1) | (x < 0) | (x > 1)"),
    # normal densities
    Bug("no normaliser in log N", "objective", "(LOG_2PI + log_var + scaled", "(log_var + scaled"),
    Bug("no log variance in log N", "objective",
        "(LOG_2PI + log_var + scaled", "(LOG_2PI + scaled"),
    Bug("std for variance in log N", "objective",
        "scaled = (x - mean) * torch.exp(-0.5 * log_var)",
        "scaled = (x - mean) * torch.exp(-0.25 * log_var)"),
    Bug("squared before it is scaled", "objective", "scaled**2",
        "(x - mean) ** 2 * torch.exp(-log_var)"),
    Bug("no normaliser in the prior", "objective", "-0.5 * (LOG_2PI + z**2)", "-0.5 * (z**2)"),
    Bug("prior averaged over latent numbers", "objective",
        "-0.5 * (LOG_2PI + z**2).sum(-1)", "-0.5 * (LOG_2PI + z**2).mean(-1)"),
    # the path gradient
    Bug("path gradient with that of log q left in", "objective",
        "mean.detach(), log_var.detach(), log_pz).mean(0)", "mean, log_var, log_pz).mean(0)"),
    Bug("path gradient added to the total one", "objective",
        "bound.detach() + (log_w - log_w.detach())", "bound + (log_w - log_w.detach())"),
    Bug("path gradient in place of the bound's value", "objective",
        "bound.detach() + (log_w - log_w.detach())", "log_w"),
    Bug("path gradient along a detached path", "objective",
        "z, mean.detach(), log_var.detach(), log_pz).mean(0)",
        "z.detach(), mean.detach(), log_var.detach(), log_pz).mean(0)"),
    Bug("path gradient never taken", "networks", 'if self.config.gradient == "path":', "if False:"),
    Bug("weights of the encoder's gradient not squared", "objective",
        "weights[..., None] * slope", "slope"),
    Bug("weights of the decoder's gradient squared", "objective",
        "weighted = (weights * log_w)", "weighted = (weights**2 * log_w)"),
    Bug("path gradient of the mean for the importance-weighted bound", "networks",
        "path_gradient = objective.doubly_reparameterized", "pass"),
    # importance weights
    Bug("q multiplies the weight", "objective",
        "+ log_pz - log_normal_diag", "+ log_pz + log_normal_diag"),
    Bug("prior left out of the weight", "objective",
        "log_px_given_z + log_pz -", "log_px_given_z -"),
    Bug("log-mean-exp without the largest taken out", "objective",
        "torch.logsumexp(log_w, dim) - math.log(log_w.shape[dim])",
        "log_w.exp().mean(dim).log()"),
    Bug("off by log K", "objective",
        "torch.logsumexp(log_w, dim) - math.log(log_w.shape[dim])", "torch.logsumexp(log_w, dim)"),
    Bug("log of the wrong count", "objective",
        "math.log(log_w.shape[dim])", "math.log(log_w.shape[-1])"),
    Bug("mean of log for log of mean", "objective",
        "return log_mean_exp(log_w, 0)", "return log_w.mean(0)"),
    Bug("bound over images for samples", "objective",
        "return log_mean_exp(log_w, 0)", "return log_mean_exp(log_w, -1)"),
    # binarising
    Bug("binarised by a threshold", "objective",
        "return threshold < images", "return images > 127"),
    Bug("one grey value too bright", "objective",
        "return threshold < images", "return threshold <= images"),
    Bug("white not always on", "objective", "random_(0, 255", "random_(0, 256"),
    Bug("one threshold for all images", "objective",
        "torch.empty_like(images).random_", "torch.empty_like(images[:1]).random_"),
    Bug("one threshold for all pixels", "objective",
        "torch.empty_like(images).random_", "torch.empty_like(images[..., :1]).random_"),
    # the networks
    Bug("mean and log variance swapped", "perceptrons",
        "mean, log_var = output", "log_var, mean = output"),
    Bug("activation on the last layer", "perceptrons",
        "return layers[-1](values)", "return activation(layers[-1](values))"),
    Bug("no activation at all", "perceptrons", "activation(layer(values))", "layer(values)"),
    Bug("noise shared across the batch", "networks",
        "shape = (n_samples, n_images, self.config.n_latent)\n        return torch.randn(shape, "
        "generator=generator, device=like.device, dtype=like.dtype)",
        "shape = (n_samples, 1, self.config.n_latent)\n        return torch.randn(shape, "
        "generator=generator, dtype=like.dtype).expand(-1, n_images, -1)"),
    Bug("noise shared across samples", "networks",
        "shape = (n_samples, n_images, self.config.n_latent)\n        return torch.randn(shape, "
        "generator=generator, device=like.device, dtype=like.dtype)",
        "shape = (1, n_images, self.config.n_latent)\n        return torch.randn(shape, "
        "generator=generator, dtype=like.dtype).expand(n_samples, -1, -1)"),
    Bug("noise shared across latent numbers", "networks",
        "shape = (n_samples, n_images, self.config.n_latent)\n        return torch.randn(shape, "
        "generator=generator, device=like.device, dtype=like.dtype)",
        "shape = (n_samples, n_images, 1)\n        return torch.randn(shape, "
        "generator=generator, dtype=like.dtype).expand(-1, -1, self.config.n_latent)"),
    Bug("uniform noise", "networks", "return torch.randn(shape", "return torch.rand(shape"),
    Bug("global noise", "networks",
        "torch.randn(shape, generator=generator,", "torch.randn(shape,"),
    Bug("mean decoded for samples", "networks",
        "objective.reparameterize(mean, log_var, eps)",
        "objective.reparameterize(mean, log_var, 0 * eps)"),
    Bug("variance for std of the Gaussian likelihood", "networks",
        "2 * log_std", "log_std"),
    Bug("squared error for the Gaussian likelihood", "networks",
        "return objective.log_normal_diag(x, output, log_var)",
        "return -((x - output) ** 2).sum(-1)"),
    Bug("logits for probabilities of a sample", "networks",
        'torch.sigmoid(output) if self.config.likelihood == "bernoulli" else output', "output"),
    Bug("the mean of the prior decoded as a sample", "networks",
        "self.prior.from_noise(self.draw_noise", "self.prior.from_noise(0 * self.draw_noise"),
    Bug("probabilities for logits in the output bias", "networks",
        "means = torch.logit(means, eps=1e-3)", "means = means.clamp(1e-3, 1 - 1e-3)"),
    Bug("plain bound climbed where the weighted one is asked", "networks",
        "if self.config.n_importance > 1:", "if False:"),
    Bug("a residual block replaces", "perceptrons", "values + new if", "new if"),
    Bug("log-scales left out of the flow's density", "priors", ") - log_scales", ")"),
    Bug("log-scales added to the flow's density", "priors", ") - log_scales", ") + log_scales"),
    Bug("a flow that is not undone", "priors", "torch.exp(-log_scale)", "torch.exp(log_scale)"),
    Bug("halves that never change places", "priors",
        "one, two = shift + torch.exp(log_scale) * two, one",
        "two = shift + torch.exp(log_scale) * two"),
    Bug("the flow's prior forgotten in training", "networks",
        'if self.config.prior == "normal":', "if True:"),
    Bug("samples of N[0, I] decoded for those of the flow", "networks",
        "self.prior.from_noise(self.draw_noise(1, n, generator=generator)[0])",
        "self.draw_noise(1, n, generator=generator)[0]"),
    Bug("grey pixels not looked at", "networks", "objective.require_binary(x)", "pass"),
    Bug("mean image added to the input", "perceptrons", "x - self.centre", "x + self.centre"),
    Bug("every model starts from one seed", "networks",
        "manual_seed(config.seed)", "manual_seed(1)"),
    # the evaluation
    Bug("earlier pieces forgotten", "evaluation",
        "log_sum = torch.logaddexp(log_sum, log_w.logsumexp(0))", "log_sum = log_w.logsumexp(0)"),
    Bug("mean over the last piece's samples", "evaluation",
        "math.log(n_importance)", "math.log(n_draws)"),
    Bug("last piece too long", "evaluation",
        "min(n_piece, n_importance - done)", "n_piece"),
    Bug("mean of pieces' logs", "evaluation",
        "torch.logaddexp(log_sum, log_w", "torch.maximum(log_sum, log_w"),
    Bug("effective samples without the square", "evaluation",
        "torch.exp(2 * log_sum - log_sum_of_squares)", "torch.exp(log_sum - log_sum_of_squares)"),
    Bug("weights squared before the log", "evaluation",
        "(2 * log_w).logsumexp(0)", "(log_w**2).logsumexp(0)"),
    Bug("log-likelihood for its negative", "evaluation",
        "nll=-log_px.mean().item()", "nll=log_px.mean().item()"),
    Bug("standard deviation for standard error", "evaluation", " / math.sqrt(len(x))", ""),
    Bug("images in file order", "evaluation",
        "pixels[order[:n_images]]", "pixels[:n_images]"),
    Bug("other test pixels each time", "evaluation",
        "torch.Generator().manual_seed(_PIXEL_SEED)", "torch.default_generator"),
    Bug("other test images each time", "evaluation",
        ", generator=torch.Generator().manual_seed(_ORDER_SEED)", ""),
    Bug("broken weights evaluated", "evaluation",
        "if not torch.isfinite(result.log_px).all():", "if False:"),
    # the training
    Bug("binarised once", "training",
        'redrawn = epoch if self.config.binarisation == "dynamic" else 0', "redrawn = 0"),
    Bug("fixed pixels redrawn", "training",
        'redrawn = epoch if self.config.binarisation == "dynamic" else 0', "redrawn = epoch"),
    Bug("validated on training images", "training",
        "return images[:n_train], images[n_train:]", "return images[:n_train], images[:n_train]"),
    Bug("trained on validation images", "training",
        "return images[:n_train], images[n_train:]", "return images, images[n_train:]"),
    Bug("the same noise in each step", "training", "_NOISE, step)", "_NOISE, 0)"),
    Bug("the bound descended", "training", "loss = -climbed", "loss = climbed"),
    Bug("only the reconstruction climbed", "training",
        "return terms.bound", "return terms.reconstruction"),
    Bug("KL never weighed", "training", "if beta == 1 and config.free_bits == 0:", "if True:"),
    Bug("free bits forgotten", "training", "free_bits=config.free_bits", "free_bits=0.0"),
    Bug("KL weighed in full from the start", "training",
        "if step >= config.kl_warmup_steps:", "if True:"),
    Bug("beta forgotten after the rise", "training", "return config.beta\n", "return 1.0\n"),
    Bug("gradients pile up", "training", "optimizer.zero_grad()", "pass"),
    Bug("sum over the batch for its mean", "training", ".sum() / len(batch.rows)", ".sum()"),
    Bug("images never shuffled", "training",
        "torch.randperm(len(self.images), generator=generator)", "torch.arange(len(self.images))"),
    Bug("one order for all epochs", "training", "_ORDER, epoch,", "_ORDER, 0,"),
    Bug("no warm-up", "training",
        "rise = min(1.0, (step + 1) / max(1, config.warmup_steps))", "rise = 1.0"),
    Bug("long gradients not shortened", "training",
        "if config.max_gradient_norm:", "if False:"),
    Bug("memory of Adam not set", "training",
        "betas=(0.9, config.adam_beta2)", "betas=(0.9, 0.999)"),
    Bug("epsilon of Adam not set", "training", "eps=config.adam_epsilon,", ""),
    Bug("no annealing", "training", "math.cos(math.pi * fraction_done)", "1.0"),
    Bug("the last batch's bound for the epoch's", "session",
        "self.sums += self.step_sums", "self.sums.copy_(self.step_sums)"),
    Bug("curve not started anew each epoch", "session", "self.sums.zero_()", "pass"),
    Bug("other validation noise each time", "training",
        "generator, total = self.generator(_VALIDATION, 1), 0.0",
        "generator, total = torch.default_generator, 0.0"),
    Bug("every core taken for free", "session",
        "return n_cores - (sorted(counts)[2] - 1)", "return n_cores"),
    Bug("threads counted once", "session",
        "        if self.by_clock:\n            choose_threads(self.most_threads)\n", ""),
    Bug("optimiser forgotten in the checkpoint", "session",
        'self.optimizer.load_state_dict(state["optimizer"])', "pass"),
    Bug("resumed one step late", "session",
        'self.step, self.seconds_before = state["step"]',
        'self.step, self.seconds_before = state["step"] + 1'),
]  # fmt: skip


def planted(bug):
    """Return a module's text with the bug in it."""
    text = (ROOT / "vaebook" / "vae" / f"{bug.module}.py").read_text("utf-8")
    assert text.count(bug.right) == 1, f"{bug.name}: {bug.right!r}, {text.count(bug.right)} times"
    return text.replace(bug.right, bug.wrong)


def copy_with(bug, folder):
    """Copy the package to a folder, with a bug in it."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "vaebook", folder / "vaebook", ignore=ignored)
    if bug:
        (folder / "vaebook" / "vae" / f"{bug.module}.py").write_text(planted(bug), "utf-8")


def run_tests(folder, tests):
    """Run fast tests of the VAE on the package in a folder; return the status and the output."""
    import torch

    os.chdir(folder)
    os.environ["PYTHONPATH"] = str(folder)  # for programs that the tests start
    sys.path.insert(0, str(folder))
    import vaebook  # before conftest puts the repository's first

    assert vaebook.__file__.startswith(str(folder)), vaebook.__file__
    torch.set_num_threads(1)
    with open(folder / "output.txt", "w", encoding="utf-8") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
        options = ["-c", ROOT / "pyproject.toml", "-q", "-x", "-m", "not slow"]
        options += ["-p", "no:cacheprovider", "-p", "no:nbval"]  # nbval alone takes a second
        options += [ROOT / test for test in tests]
        status = int(pytest.main([str(option) for option in options]))
    return status, (folder / "output.txt").read_text("utf-8")


def process_pool():
    """Two processes at a time, one for each task, forked where PyTorch is imported already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "scipy.stats"])
    return ProcessPoolExecutor(2, mp_context=context, max_tasks_per_child=1)


def test_every_bug_can_be_planted():
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 30
    for bug in BUGS:
        compile(planted(bug), bug.name, "exec")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_fast_tests_see_at_least_95_percent_of_classic_bugs(tmp_path, record_property):
    with process_pool() as pool:
        copy_with(None, tmp_path / "sound")
        every = [OBJECTIVE, EVALUATION, TRAINING]
        status, output = pool.submit(run_tests, tmp_path / "sound", every).result()
        assert status == 0, output[-3000:]
        runs = []
        for number, bug in enumerate(BUGS):
            folder = tmp_path / str(number)
            copy_with(bug, folder)
            runs.append(pool.submit(run_tests, folder, TESTS[bug.module]))
        seen = []
        for bug, run in zip(BUGS, runs, strict=True):
            status, output = run.result()
            assert status in (0, 1), f"{bug.name}: the tests did not run:\n{output[-2000:]}"
            seen.append(status == 1)
    missed = [bug.name for bug, found in zip(BUGS, seen, strict=True) if not found]
    score = f"Planted bugs of the VAE seen: {sum(seen)} of {len(seen)}"
    score += f"; missed: {', '.join(missed)}." if missed else "."
    record_property("summary", score)
    assert sum(seen) >= 0.95 * len(seen), score
