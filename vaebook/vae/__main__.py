"""Train, evaluate and sample a VAE from the command line: ``python -m vaebook.vae --help``."""

import argparse
import ast
import dataclasses
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vaebook import data
from vaebook.arguments import require_count
from vaebook.vae.checkpoints import CheckpointError
from vaebook.vae.config import PRESETS, Config
from vaebook.vae.evaluation import evaluate
from vaebook.vae.machine import choose_threads, is_lack_of_memory
from vaebook.vae.networks import VAE
from vaebook.vae.session import NonFiniteError, load_run
from vaebook.vae.training import train

FAILURES = (
    ValueError, OSError, MemoryError, data.DataError, CheckpointError, NonFiniteError,
)  # fmt: skip
DATA_OF_PRESET = {"book": "drawn-digits", "static": "mnist-static"}
EXAMPLES = """examples:
  python -m vaebook.vae train                                     the book's small model, offline
  python -m vaebook.vae train --preset mnist-cpu --max-seconds 180 --out runs/three-minutes
  torchrun --nproc-per-node=2 -m vaebook.vae train --preset mnist-cpu --out runs/two
  python -m vaebook.vae evaluate runs/three-minutes --images 10000 --importance 1000 --json
  python -m vaebook.vae sample runs/three-minutes --n 64
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status: 0, 1 after an error, 130 after Ctrl-C."""
    started = time.monotonic()
    options = _parser().parse_args(arguments)
    try:
        return options.command(options, started)
    except KeyboardInterrupt:
        print("Stopped at once; what was saved before is unharmed.", file=sys.stderr)
        return 130
    except (*FAILURES, RuntimeError, TypeError) as error:
        if not isinstance(error, FAILURES) and not is_lack_of_memory(error):
            raise
        print(f"vaebook.vae: {error}".splitlines()[0], file=sys.stderr)
        return 1


def train_command(options, started: float) -> int:
    """Train, or go on with a run that was interrupted."""
    name = options.data or DATA_OF_PRESET.get(options.preset, "mnist")
    changes = {"seed": options.seed, "max_seconds": options.max_seconds}
    given = {key: value for key, value in changes.items() if value is not None}
    config = dataclasses.replace(PRESETS[options.preset], **{**given, **dict(options.set)})
    out = options.out or Path("runs") / f"{options.preset}-{name}-seed{config.seed}"
    validation = data.load(name, "valid") if "valid" in data.SPLITS[name] else None
    run = train(
        config,
        data.load(name, "train"),
        validation=validation,
        data_name=name,
        out=out,
        device=options.device,
        started=started,
        progress=not options.quiet,
    )
    if int(os.environ.get("RANK", 0)) != 0:
        return 0
    if not run.finished:
        print(f"Stopped after step {run.step}; saved in {out}. The same command goes on from it.")
        return 130
    last = run.history[-1]
    bound = f", {last.validation_bound:.2f} on validation" if last.validation_bound else ""
    print(
        f"{run.step} steps, {last.epoch} epochs, {run.seconds:.1f} s, {run.precision}. "
        f"Bound: {last.bound:.2f} nats in training{bound}.\n"
        f"Saved in {out}. Next: python -m vaebook.vae evaluate {out} --images 1000 --importance 100"
    )
    return 0


def evaluate_command(options, _started: float) -> int:
    """Estimate the likelihood of test images."""
    choose_threads(torch.get_num_threads())
    run = load_run(options.run, best=not options.newest, device=options.device)
    name = options.data or run.data_name
    if name is None:
        raise ValueError("The run does not say what it was trained on; give --data.")
    result = evaluate(
        run.model,
        torch.as_tensor(data.load(name, "test").images),
        n_importance=options.importance,
        generator=_generator(run.model, options.seed),
        n_images=options.images,
        precision=options.precision,
        progress=not options.quiet,
    )
    if options.json:
        bits = result.bits_per_dimension
        print(json.dumps({**result._asdict(), "bits_per_dimension": bits}))
    else:
        print(
            f"-log p(x): {result.nll:.2f} nats, standard error {result.nll_se:.2f}, over "
            f"{result.images} test images with {result.importance} samples each, in "
            f"{result.precision}; {result.bits_per_dimension:.3f} bits per dimension\n"
            f"ELBO: {result.elbo:.2f} = {result.reconstruction:.2f} (reconstruction) "
            f"- {result.kl:.2f} (KL)"
        )
    return 0


def sample_command(options, _started: float) -> int:
    """Draw images from the model and write them as one picture."""
    from matplotlib import image

    n = require_count("--n", options.n, at_least=1)
    if options.out and options.out.suffix != ".png":
        raise ValueError(f"--out is {options.out}, expected a name that ends in .png.")
    run = load_run(options.run, best=not options.newest, device=options.device)
    pixels = run.model.sample(n, generator=_generator(run.model, options.seed))
    out = options.out or options.run / "samples.png"
    image.imsave(out, contact_sheet(pixels.cpu().numpy()), cmap="gray", vmin=0, vmax=1)
    print(f"{n} images in {out}")
    return 0


def contact_sheet(pixels: np.ndarray, gap: int = 2) -> np.ndarray:
    """Lay square images (n, side * side) out in rows, black between them."""
    n, side = len(pixels), round(pixels.shape[1] ** 0.5)
    if side * side != pixels.shape[1]:
        raise ValueError(f"Images have {pixels.shape[1]} pixels, expected a square number.")
    columns = int(np.ceil(np.sqrt(n)))
    rows = -(-n // columns)
    tiles = np.zeros((rows * columns, side + gap, side + gap), pixels.dtype)
    tiles[:n, :side, :side] = pixels.reshape(n, side, side)
    tiles = tiles.reshape(rows, columns, side + gap, side + gap).swapaxes(1, 2)
    return tiles.reshape(rows * (side + gap), columns * (side + gap))


def _generator(model: VAE, seed: int) -> torch.Generator:
    if not -(2**63) <= seed < 2**63:
        raise ValueError(f"--seed is {seed}, expected a whole number of 64 bits.")
    return torch.Generator(next(model.parameters()).device).manual_seed(seed)


def assignment(text: str) -> tuple[str, Any]:
    """Parse NAME=VALUE, a field of the configuration; the value is a Python literal or a word."""
    name, equals, value = text.partition("=")
    known = [field.name for field in dataclasses.fields(Config)]
    if not equals or name not in known:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no NAME=VALUE with a NAME out of {', '.join(known)}"
        )
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return name, value


def _path(text: str) -> Path:
    return Path(os.path.expanduser(text))


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message}; see --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m vaebook.vae",
        description="Train, evaluate and sample variational autoencoders.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="train | evaluate | sample")

    def command(name, function):
        added = commands.add_parser(name, help=function.__doc__, description=function.__doc__)
        added.set_defaults(command=function)
        added.add_argument("--device", default="auto", help="cpu, cuda, or auto (default)")
        added.add_argument("--quiet", action="store_true", help="show no progress bar")
        return added

    one = command("train", train_command)
    one.add_argument("--preset", choices=PRESETS, default="book", help="default: book")
    one.add_argument("--data", choices=data.SPLITS, help="default: what the preset is made for")
    one.add_argument("--seed", type=int, help="default: 1")
    one.add_argument(
        "--max-seconds",
        type=float,
        metavar="T",
        help="end after T seconds, the learning rate falling to zero within them; "
        "the number of epochs then plays no part",
    )
    one.add_argument("--out", type=_path, metavar="RUN", help="default: runs/PRESET-DATA-seedS")
    one.add_argument(
        "--set",
        type=assignment,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change a field of the preset, for example batch_size=125 or hidden=500,500",
    )

    two = command("evaluate", evaluate_command)
    two.add_argument("--images", type=int, metavar="N", help="the first N test images in a fixed "
                     "random order (default: all)")  # fmt: skip
    two.add_argument("--importance", type=int, default=1000, metavar="K", help="default: 1000")
    two.add_argument("--precision", choices=["float32", "bfloat16", "auto"], default="auto",
                     help="of the products; auto (default): bfloat16 where it is fast and agrees "
                     "within 0.02 nats")  # fmt: skip
    two.add_argument("--json", action="store_true", help="print one line of JSON")
    two.add_argument("--data", choices=data.SPLITS, help="default: what the run was trained on")

    three = command("sample", sample_command)
    three.add_argument("--n", type=int, default=64, help="default: 64")
    three.add_argument("--out", type=_path, metavar="PNG", help="default: RUN/samples.png")
    for added in (two, three):
        added.add_argument("run", type=_path, metavar="RUN", help="the --out of train")
        added.add_argument("--newest", action="store_true", help="take the newest checkpoint, "
                           "not the best on validation images")  # fmt: skip
        added.add_argument("--seed", type=int, default=1, help="of the samples; default: 1")
    return parser


if __name__ == "__main__":
    torch.set_flush_denormal(True)  # before the first threads start: they take it over
    sys.exit(main())
