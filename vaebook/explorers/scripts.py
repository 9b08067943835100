"""The explorers' scripts: plain files, joined in a fixed order for a notebook and for a page."""

import functools
from pathlib import Path

FOLDER = Path(__file__).parent / "js"
STYLE = FOLDER / "kit.css"

#: What every explorer needs, each file after those that it uses.
KIT = (
    "dom", "numbers", "scales", "bitmap", "marks", "lens", "handles", "drawing", "chart",
    "controls", "motion", "card", "share", "full", "api", "mount",
)  # fmt: skip
FORMS = (
    "normal", "mixture", "jensen", "latent", "perceptron", "climb", "slope", "gradients", "plane",
    "importance", "exact", "tiny_vae", "tiny_bound", "sketch", "pixels", "handwriting",
    "latent_state", "flow",
)  # fmt: skip


def names():
    """Return the names of all explorers: each has a script of its own."""
    return sorted(path.stem for path in FOLDER.glob("*.js"))


@functools.cache
def kit():
    """Return the kit and the formulas, which all explorers share."""
    return _joined(*(f"kit/{name}" for name in KIT), *(f"forms/{name}" for name in FORMS))


def explorer(name):
    """Return the script of one explorer, after the parts in a folder of its name, if it has one."""
    parts = sorted(path.stem for path in (FOLDER / name).glob("*.js"))
    return _joined(*(f"{name}/{part}" for part in parts), name)


@functools.cache
def module(name):
    """Return a widget's module: the kit, the explorer, and the one export."""
    return (
        kit()
        + explorer(name)
        + _joined("kit/widget")
        + f'export default vaebook.widget("{name}");\n'
    )


def write(folder):
    """Write what pages load into a folder: ``kit.js``, ``kit.css``, ``<name>.js`` and ``page.js``.

    Four classic scripts at most for a page: a browser refuses modules of a page opened as a file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kit.js").write_text(kit(), "utf-8")
    (folder / "page.js").write_text(_joined("kit/page"), "utf-8")
    (folder / STYLE.name).write_bytes(STYLE.read_bytes())
    for name in names():
        (folder / f"{name}.js").write_text(explorer(name), "utf-8")


def _joined(*files):
    return "".join((FOLDER / f"{file}.js").read_text("utf-8") for file in files)
