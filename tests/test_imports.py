"""The package's imports go one way, and importing it stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "vaebook"

_NUMERICS = {"arguments", "gaussians", "quadrature", "mixture", "latent", "bounds"}
_NUMERICS |= {"approximation", "gradients", "importance"}
#: Module -> the modules of ours that it may import. Nothing imports checks.
ALLOWED = {
    "__init__": set(),
    "arguments": set(),
    "gaussians": {"arguments"},
    "quadrature": {"arguments", "gaussians"},
    "mixture": {"arguments", "gaussians", "quadrature"},
    "latent": {"arguments", "gaussians", "perceptron", "quadrature"},
    "bounds": {"arguments", "gaussians", "quadrature", "latent"},
    "approximation": {"arguments", "gaussians", "perceptron", "quadrature", "latent", "bounds"},
    "gradients": {"arguments", "gaussians", "quadrature"},
    "importance": {"arguments", "gaussians", "latent", "quadrature"},
    "perceptron": {"arguments"},
    "digits": set(),
    "scores": {"arguments"},
    "flows": {"arguments", "mixture"},
    "data": {"digits"},
    "results": _NUMERICS | {"perceptron", "results"},
    "vae": {"arguments", "data", "results", "vae"},
    "figures": {"figures"},
    "explorers": _NUMERICS | {"perceptron", "data", "flows", "results", "figures", "explorers"},
    "checks": _NUMERICS | {"data", "digits", "scores", "vae", "checks"},
}


def imported_modules(path):
    """Return the modules of the package that a file imports, by their first name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: import by full name, not relatively"
            names = [node.module]
            if node.module == "vaebook":
                names = [f"vaebook.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("vaebook.")}
    return found


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.relative_to(PACKAGE).as_posix()
)
def test_imports_go_one_way(path):
    module = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert module in ALLOWED, f"{module}: say in ALLOWED what it may import"
    more = sorted(imported_modules(path) - ALLOWED[module])
    assert not more, f"imports {more}; if CONTRIBUTING has them above {module}, add them to ALLOWED"


def test_torch_is_imported_by_vae_and_by_the_check_of_a_trained_model_alone():
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in [getattr(node, "module", None) or node.names[0].name]
        if name.split(".")[0] == "torch"
    }
    assert {user for user in users if not user.startswith("vae/")} == {"checks/trained.py"}


LIGHT = """
import sys
import numpy as np
before = np.random.get_state()[1].tobytes()
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
import vaebook
import vaebook.gaussians, vaebook.quadrature, vaebook.mixture, vaebook.latent, vaebook.explorers
heavy = {"torch", "matplotlib", "scipy.stats", "ipywidgets", "anywidget", "IPython"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert np.random.get_state()[1].tobytes() == before
from vaebook.results import failures, latent_space, mnist_runs, toy_run
records = [path for path in opened if "results" in path and path.endswith((".npz", ".json"))]
assert not records, records
mnist_runs.load()
assert any(path.endswith("mnist-runs.json") for path in opened)
import vaebook.figures
assert "matplotlib.pyplot" not in sys.modules
"""


def test_importing_light_modules_pulls_in_nothing_heavy_reads_no_record_and_seeds_nothing():
    subprocess.run([sys.executable, "-c", LIGHT], check=True)


def test_importing_the_package_takes_less_than_0_3_seconds():
    program = "import time; start = time.perf_counter(); import vaebook; "
    program += "print(time.perf_counter() - start)"
    # A busy machine makes an import slower, never faster.
    runs = [subprocess.check_output([sys.executable, "-c", program]) for _ in range(5)]
    assert min(map(float, runs)) < 0.3
