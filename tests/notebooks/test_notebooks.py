"""The generated notebooks as a reader runs them: stored numbers are compared, sliders are alive."""

import ast
import json
import subprocess

import nbformat
import pytest
from conftest import ROOT
from IPython.core.inputtransformer2 import TransformerManager
from jupyter_client.manager import start_new_kernel

CHAPTERS = sorted(ROOT.glob("chapters/*.ipynb"))
STORED = "nbval-check-output"
#: Chapter whose sliders are moved in every run of the tests; it needs a kernel for ten seconds.
AT_ONCE = "latent-variable-models"

each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def tags(cell):
    return cell.metadata.get("tags", [])


@each_chapter
def test_a_chapter_stores_numbers_for_nbval_to_compare(path):
    stored = [cell for cell in nbformat.read(path, 4).cells if STORED in tags(cell)]
    assert stored
    for cell in stored:
        texts = [output.get("text") or output.data["text/plain"] for output in cell.outputs]
        assert any(character.isdigit() for character in "".join(texts))


MOVE_SLIDERS = """
import ipywidgets
import json

def _move(widget):
    moved = {}
    for slider in widget.kwargs_widgets:
        before = widget.result
        start = slider.value
        slider.value = slider.max if start != slider.max else slider.min
        moved[slider.description] = [before, widget.result]
        slider.value = start
    return moved

_live = [value for value in dict(globals()).values() if isinstance(value, ipywidgets.interactive)]
print(json.dumps([_move(value) for value in {id(value): value for value in _live}.values()]))
"""


def names(cell, *kinds):
    """Return the names that a cell uses (``ast.Load``) or gives a value (``ast.Store``)."""
    found = set()
    for node in ast.walk(ast.parse(TransformerManager().transform_cell(cell.source))):
        if isinstance(node, ast.Name) and isinstance(node.ctx, kinds):
            found.add(node.id)
        elif ast.Store in kinds and isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif ast.Store in kinds and isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
    return found


def without_assertions(code):
    """Return the code of a cell that asserts nothing: the book's build has held all that."""
    code = TransformerManager().transform_cell(code)
    lines = code.splitlines()
    for node in ast.walk(ast.parse(code)):
        called = getattr(getattr(node, "value", None), "func", None)
        if isinstance(node, ast.Assert) or getattr(called, "attr", "").startswith("assert_"):
            length = node.end_lineno - node.lineno + 1
            blank = [" " * node.col_offset + "pass", *[""] * (length - 1)]
            lines[node.lineno - 1 : node.end_lineno] = blank
    return "\n".join(lines)


def with_what_they_need(live, cells):
    """Return the cells of a notebook that the live ones build on, in their order, and these."""
    kept, wanted = [], set()
    for cell in reversed(cells):
        stored = names(cell, ast.Store)
        if cell in live or stored & wanted or "setup" in tags(cell):
            kept.append(cell)
            wanted = (wanted - stored) | names(cell, ast.Load)
    return kept[::-1]


#: Each page begins with nothing but this: its trainings take a tenth of their epochs.
BEGIN = """
%reset -f
def _shorten():
    import dataclasses, os
    import vaebook.vae as vae
    os.chdir(PATH)
    def train(config, *data, **options):
        config = dataclasses.replace(config, epochs=max(1, config.epochs // 10))
        return vae.training.train(config, *data, **options)
    vae.train = train
_shorten()
"""


@pytest.fixture(scope="module")
def run():
    """Run code in a kernel that stays; return what it prints."""
    manager, client = start_new_kernel(kernel_name="python3", stderr=subprocess.DEVNULL)

    def run(code):
        printed = []

        def note(message):
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        reply = client.execute_interactive(code, output_hook=note, timeout=300)["content"]
        assert reply["status"] == "ok", "\n".join(reply["traceback"])
        return "".join(printed)

    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[] if path.stem == AT_ONCE else pytest.mark.slow)
        for path in CHAPTERS
    ],
    ids=lambda path: path.stem,
)
def test_every_slider_of_the_live_cells_changes_the_result(path, run):
    code = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    live = [cell for cell in code if "live-only" in tags(cell)]
    assert live
    run(BEGIN.replace("PATH", repr(str(path.parent))))
    for cell in with_what_they_need(live, code):
        run(without_assertions(cell.source))
    widgets = json.loads(run(MOVE_SLIDERS).splitlines()[-1])
    assert len(widgets) == len(live)
    for sliders in widgets:
        assert sliders
        for name, (before, after) in sliders.items():
            assert isinstance(before, float), name
            assert before != after, f"{name} leaves the result at {before}"
