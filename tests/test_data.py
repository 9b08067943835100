"""Data that are right or not there: drawn digits, IDX files, and downloads through every fault."""

import contextlib
import errno
import gzip
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from vaebook import data, digits
from vaebook.digits import DigitFactors, draw_digits, sample_factors

# ------------------------------------------------------------------------------ Old Faithful


def test_old_faithful_is_the_published_table():
    table = data.old_faithful()
    assert table.shape == (272, 2)
    np.testing.assert_allclose(table[:3], [[3.6, 79], [1.8, 54], [3.333, 74]])
    np.testing.assert_allclose(table.mean(axis=0), [3.4878, 70.897], atol=1e-3)  # R's summary
    np.testing.assert_allclose(table.std(axis=0, ddof=1), [1.1414, 13.595], atol=1e-3)
    assert np.corrcoef(table.T)[0, 1] == pytest.approx(0.9008, abs=1e-4)


# ------------------------------------------------------------------------------ drawn digits


def neutral(n):
    """Factors that leave a glyph upright, 20 pixels high and where it is."""
    zeros = np.zeros(n, np.float32)
    return DigitFactors(
        font=np.zeros(n, np.uint8),
        slant=zeros,
        shift=np.zeros((n, 2), np.float32),
        scale=np.ones((n, 2), np.float32),
        thickness=zeros,
        elastic=np.zeros((n, 2, 5, 5), np.float32),
    )


def with_agg(text, font):
    """Draw one digit with matplotlib's own text outlines and its own rasteriser."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import PathPatch
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    file = folder / f"{font}.ttf"
    if font == digits._SHIPPED and not file.exists():
        pytest.skip(f"this Matplotlib has no {font}: there is nothing to compare with")
    path = TextPath((0, 0), text, size=100, prop=FontProperties(fname=file))
    box = path.get_extents()
    figure = Figure((28, 28), dpi=1, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    centre = (box.x0 + box.width / 2, box.y0 + box.height / 2)
    place = Affine2D().translate(-centre[0], -centre[1]).scale(20 / box.height).translate(14, 14)
    figure.add_artist(PathPatch(path, transform=place, fc="black", lw=0))
    canvas.draw()
    return 255 - np.asarray(canvas.buffer_rgba())[..., 0]


@pytest.mark.parametrize("font", digits.FONTS)
def test_undistorted_digits_are_the_glyphs_that_matplotlib_draws(font):
    factors = neutral(10)._replace(font=np.full(10, digits.FONTS.index(font), np.uint8))
    ours = draw_digits(np.arange(10), factors) / 255
    theirs = np.stack([with_agg(str(digit), font) for digit in range(10)]) / 255
    difference = np.abs(ours - theirs).sum((1, 2)) / theirs.sum((1, 2))
    assert (difference < 0.08).all(), difference  # grey edges differ, shapes do not
    assert (np.abs(ours - theirs).max((1, 2)) < 0.5).all()


def test_the_digits_are_the_recorded_ones():
    for split, sha256 in [
        ("train", "833c18c3efa0bb5c16e442b2bbb85d33b93073f535d20c325373d443516e98db"),
        ("test", "8511b5ea4ed677165a40f34f4d834633a9a3713cd3f3443caa8d4c29fe759600"),
    ]:
        n, seed = data._DRAWN[split]
        labels, factors = sample_factors(n, rng=np.random.default_rng(seed))
        images = draw_digits(labels[:500], factors.rows(slice(500)))
        assert hashlib.sha256(images).hexdigest() == sha256, "a pixel changed: raise VERSION"


def centre_of_ink(images):
    """Where the ink lies on average, to the right and up, in pixels."""
    ink = images / images.sum((1, 2), keepdims=True, dtype=float)
    right, down = np.arange(images.shape[2]), np.arange(images.shape[1])[:, None]
    return np.stack([(ink * right).sum((1, 2)), -(ink * down).sum((1, 2))], -1)


def spread_of_ink(images):
    """Standard deviation of where the ink lies, across and along, in pixels."""
    centre, spread = centre_of_ink(images) * [1, -1], []
    for axis in (0, 1):
        place = np.arange(28) - centre[:, axis, None]
        ink = images.sum(1 + axis, dtype=float)
        spread.append(np.sqrt((ink * place**2).sum(1) / ink.sum(1)))
    return np.stack(spread, -1)


def test_each_factor_does_what_its_name_says():
    labels, plain = np.arange(10), neutral(10)
    images = draw_digits(labels, plain)

    shifted = draw_digits(labels, plain._replace(shift=np.tile(np.float32([2, -3]), (10, 1))))
    np.testing.assert_array_equal(shifted, np.roll(images, (3, 2), (1, 2)))

    thick = draw_digits(labels, plain._replace(thickness=np.full(10, 0.5, np.float32)))
    assert (thick >= images).all()
    assert (thick.sum((1, 2)) > 1.1 * images.sum((1, 2))).all()

    leaning = draw_digits(labels, plain._replace(slant=np.full(10, 0.4, np.float32)))
    lean = [centre_of_ink(half)[:, 0] for half in (leaning[:, :14], leaning[:, 14:])]
    upright = [centre_of_ink(half)[:, 0] for half in (images[:, :14], images[:, 14:])]
    assert ((lean[0] - lean[1]) - (upright[0] - upright[1]) > 2).all()

    wide = draw_digits(labels, plain._replace(scale=np.tile(np.float32([1.2, 0.9]), (10, 1))))
    ratio = spread_of_ink(wide) / spread_of_ink(images)
    np.testing.assert_allclose(ratio, np.tile([1.2, 0.9], (10, 1)), rtol=0.03)

    bend = plain.elastic + np.float32([1.5, -0.5])[:, None, None]
    bent = draw_digits(labels, plain._replace(elastic=bend))
    moved = centre_of_ink(bent) - centre_of_ink(images)
    np.testing.assert_allclose(moved, np.tile([1.5, -0.5], (10, 1)), atol=0.1)


def test_an_image_depends_on_its_own_row_alone():
    labels, factors = sample_factors(600, rng=np.random.default_rng(7))
    images = draw_digits(labels, factors)
    np.testing.assert_array_equal(draw_digits(labels[37:311], factors.rows(slice(37, 311))),
                                  images[37:311])  # fmt: skip
    other = draw_digits(*sample_factors(600, rng=np.random.default_rng(8)))
    assert (images != other).any((1, 2)).all()


def test_the_drawn_set_is_varied_inside_its_frame_and_like_mnist_in_ink():
    labels, factors = sample_factors(4_000, rng=np.random.default_rng(3))
    images = draw_digits(labels, factors)
    counts = np.bincount(labels, minlength=10)
    assert ((counts - 400) ** 2 / 400).sum() < 45.0  # chi2 with 9 degrees: 1e-6 of false alarms
    assert len(np.unique(images.reshape(4_000, -1), axis=0)) == 4_000
    assert 0.12 < images.mean() / 255 < 0.17  # MNIST: 0.13
    border = np.concatenate([images[:, [0, -1]], images[:, :, [0, -1]].swapaxes(1, 2)], 1)
    assert (border.max((1, 2)) > 127).mean() < 0.06  # few digits are cut
    assert (images.max((1, 2)) > 200).all()  # and none is too thin to be seen
    for factor, low, high in [
        (factors.slant, -0.15, 0.5), (factors.shift, -2, 2), (factors.thickness, -0.1, 0.8),
        (factors.scale, 0.8, 1.1), (factors.elastic, -2, 2), (factors.font, 0, 11),
    ]:  # fmt: skip
        assert low <= factor.min() + 1e-6
        assert factor.max() - 1e-6 <= high


@pytest.mark.parametrize(
    ("labels", "rows", "message"),
    [([3, 10], 2, "expected a list of digits"), ([[3]], 1, "digits"), ([1, 2, 3], 2, "3 labels")],
)
def test_bad_labels_are_named(labels, rows, message):
    with pytest.raises(ValueError, match=message):
        draw_digits(labels, neutral(rows))


@pytest.fixture
def few(monkeypatch):
    """Shrink the drawn set, so that drawing it anew costs nothing."""
    monkeypatch.setattr(data, "_DRAWN", {"train": (40, [1, 0]), "test": (30, [1, 1])})


def same(a, b):
    """Whether two image sets hold the same images, labels and factors."""
    return all(
        np.array_equal(x, y) and x.dtype == y.dtype
        for x, y in zip([a.images, a.labels, *a.factors], [b.images, b.labels, *b.factors],
                        strict=True)
    )  # fmt: skip


def test_a_folder_of_the_reader_stays_whatever_its_name(few, tmp_path):
    (tmp_path / "partial-results").mkdir()
    data.load("drawn-digits", "test", root=tmp_path)
    assert (tmp_path / "partial-results").exists()


def test_drawn_digits_are_kept_and_read_back(few, tmp_path, monkeypatch):
    drawn = data.load("drawn-digits", "test", root=tmp_path / "new" / "folder")
    assert drawn.images.shape == (30, 28, 28)
    assert drawn.images.dtype == np.uint8
    assert drawn.labels.shape == (30,)
    np.testing.assert_array_equal(draw_digits(drawn.labels, drawn.factors), drawn.images)
    train = data.load("drawn-digits", "train", root=tmp_path)
    assert (train.images[:30] != drawn.images).any((1, 2)).all()
    monkeypatch.setattr(data, "draw_digits", None)
    kept = data.load("drawn-digits", "test", root=tmp_path / "new" / "folder")
    assert same(kept, drawn)
    kept.images[0] = 0  # writable, as torch wants it


@pytest.mark.parametrize("damage", ["flipped byte", "truncated", "empty", "a folder"])
def test_damaged_drawn_digits_are_drawn_anew(few, tmp_path, damage):
    drawn = data.load("drawn-digits", "test", root=tmp_path)
    (path,) = tmp_path.glob("*.npz")
    whole = path.read_bytes()
    middle = len(whole) // 2
    if damage == "flipped byte":
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    elif damage == "a folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(whole[: middle if damage == "truncated" else 0])
    with pytest.warns(RuntimeWarning, match="kept") if path.is_dir() else contextlib.nullcontext():
        assert same(data.load("drawn-digits", "test", root=tmp_path), drawn)
    assert path.is_dir() or path.read_bytes() == whole


def test_without_a_place_to_keep_them_digits_are_drawn_and_it_is_said(few, tmp_path, monkeypatch):
    drawn = data.load("drawn-digits", "test", root=tmp_path / "kept")
    (tmp_path / "file").touch()
    with pytest.warns(RuntimeWarning, match=r"cannot be kept .*file: .*VAEBOOK_DATA"):
        assert same(data.load("drawn-digits", "test", root=tmp_path / "file"), drawn)

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.warns(RuntimeWarning, match="No space left"):
        assert same(data.load("drawn-digits", "test", root=tmp_path / "full"), drawn)
    assert visible(tmp_path / "full") == []


@pytest.mark.slow
def test_all_drawn_digits(tmp_path):
    started = time.perf_counter()
    drawn = data.load("drawn-digits", "train", root=tmp_path)
    print(f"60,000 digits drawn and kept in {time.perf_counter() - started:.1f} s")
    assert drawn.images.shape == (60_000, 28, 28)
    assert data.load("drawn-digits", "test", root=tmp_path).images.shape == (10_000, 28, 28)


# --------------------------------------------------------- a small MNIST and a server with faults


def idx(array):
    """Write an array of bytes as IDX."""
    array = np.asarray(array, np.uint8)
    lengths = b"".join(length.to_bytes(4, "big") for length in array.shape)
    return bytes([0, 0, 8, array.ndim]) + lengths + array.tobytes()


RNG = np.random.default_rng(5)
IMAGES = RNG.integers(256, size=(9, 28, 28), dtype=np.uint8)
LABELS = RNG.integers(10, size=9, dtype=np.uint8)
BITS = RNG.integers(2, size=(4, 784), dtype=np.uint8)
TEXT = "".join(" ".join(map(str, row)) + "\n" for row in BITS).encode()
FILES = {
    "t10k-images-idx3-ubyte.gz": gzip.compress(idx(IMAGES), mtime=0),
    "t10k-labels-idx1-ubyte.gz": gzip.compress(idx(LABELS), mtime=0),
    "t10k-images-idx3-ubyte": idx(IMAGES),
    "t10k-labels-idx1-ubyte": idx(LABELS),
    "binarized_mnist_valid.amat": TEXT,
}
IMAGE_FILE = "t10k-images-idx3-ubyte.gz"


def sums(files):
    return {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}


class Server(ThreadingHTTPServer):
    """Two mirrors, /a/ and /b/, that do what ``script`` says, request by request.

    ``script[mirror]`` is a list of faults; the last one stays. A fault that stalls waits for
    ``go_on``; ``stalled`` is set meanwhile.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = {"a": ["right"], "b": ["right"]}
        self.requests = []
        self.stalled, self.go_on = threading.Event(), threading.Event()

    def handle_error(self, *args):
        """Keep quiet about clients that hang up, which some of them are meant to."""

    def mirrors(self):
        return [f"http://127.0.0.1:{self.server_port}/{mirror}/" for mirror in "ab"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        _, mirror, file = self.path.split("/")
        script = self.server.script[mirror]
        fault = script.pop(0) if len(script) > 1 else script[0]
        self.server.requests.append((mirror, file, fault))
        content = FILES[file]
        self.close_connection = True
        if fault.isdigit():
            return self.send_error(int(fault))
        if fault == "wrong":
            content = content[:-9] + bytes(9)
        self.send_response(200)
        if fault != "cut without a length":
            self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        half = content[: len(content) // 2]
        if fault == "stall":
            self.wfile.write(half)
            self.wfile.flush()
            self.server.stalled.set()
            self.server.go_on.wait(60)
        elif fault.startswith("cut"):
            self.wfile.write(half)
        else:
            self.wfile.write(content)


@pytest.fixture
def server(monkeypatch):
    """Serve the small MNIST in place of the real one, with short waits."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("VAEBOOK_DATA", raising=False)
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setattr(data, "MIRRORS", dict.fromkeys(data.MIRRORS, server.mirrors()))
        monkeypatch.setattr(data, "SHA256", sums(FILES))
        monkeypatch.setattr(data, "PAUSE", 0.01)
        monkeypatch.setattr(data, "TIMEOUT", (2, 0.3))
        yield server
        server.go_on.set()
        server.shutdown()


def visible(folder):
    """Names of all files under a folder but the locks."""
    return sorted(p.name for p in Path(folder).rglob("*") if p.is_file() and p.name != ".lock")


def assert_right(loaded):
    np.testing.assert_array_equal(loaded.images, IMAGES)
    np.testing.assert_array_equal(loaded.labels, LABELS)
    assert loaded.factors is None


BOTH = [IMAGE_FILE, "t10k-labels-idx1-ubyte.gz"]


# ------------------------------------------------------------------------------ faults on the way


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (["right"], ["404"]),
        (["503", "right"], ["503", "right"]),
        (["503"], ["503", "503", "right"]),
        (["404"], ["right"]),
        (["403"], ["right"]),
        (["stall"], ["right"]),
        (["cut"], ["right"]),
        (["cut without a length"], ["right"]),
        (["wrong"], ["right"]),
        (["wrong", "cut", "right"], ["stall", "503", "404"]),
    ],
    ids=str,
)
def test_a_fault_that_passes_or_a_second_mirror_ends_in_right_data(server, tmp_path, a, b):
    server.script.update(a=a, b=b)
    assert_right(data.load("mnist", "test", root=tmp_path))
    assert visible(tmp_path) == BOTH
    before = len(server.requests)
    assert_right(data.load("mnist", "test", root=tmp_path))
    assert len(server.requests) == before, "kept files are not asked for again"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("503", "answered 503"),
        ("404", "answered 404"),
        ("stall", "was too slow"),
        ("cut", "broke off"),
        ("cut without a length", "sent a file with another SHA-256"),
        ("wrong", "sent a file with another SHA-256"),
    ],
)
def test_a_fault_that_stays_ends_in_one_message_with_the_way_by_hand(
    server, tmp_path, capfd, fault, words
):
    server.script.update(a=[fault], b=[fault])
    with pytest.raises(data.DataError) as caught:
        data.load("mnist", "test", root=tmp_path)
    message = str(caught.value)
    for part in [IMAGE_FILE, words, *server.mirrors(), f"by hand from one of these addresses into "
                 f"{tmp_path / 'mnist'}", "drawn-digits"]:  # fmt: skip
        assert part in message
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None, "a traceback of one error, not of six"
    assert visible(tmp_path) == []
    assert len(server.requests) == 2 * data.ROUNDS
    assert "Traceback" not in capfd.readouterr().err


def test_offline(server, tmp_path):
    server.shutdown()
    server.server_close()
    with pytest.raises(data.DataError, match=r"(?s)could not be reached.*by hand.*drawn-digits"):
        data.load("mnist", "test", root=tmp_path)
    assert visible(tmp_path) == []
    for file in BOTH:  # the way by hand
        (tmp_path / "mnist" / file).write_bytes(FILES[file])
    assert_right(data.load("mnist", "test", root=tmp_path))


def test_a_trickle_is_given_up(monkeypatch, capfd):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    progress = data._Progress("file")
    progress.total = 10**6
    now[0] = 29.0
    progress.update(100)
    now[0] = 31.0
    with pytest.raises(TimeoutError, match="200 bytes in 31 s"):
        progress.update(100)
    progress.update(10**6)
    assert "file: 1.0 MB" in capfd.readouterr().err


# ------------------------------------------------------------------------------ faults at home

CHILD = """
import json, os, sys
import numpy, pooch, requests, requests.models
from vaebook import data
given = json.loads(sys.argv[1])
data.MIRRORS = dict.fromkeys(data.MIRRORS, given["mirrors"])
data.SHA256, data.PAUSE, data.TIMEOUT = given["sums"], 0.01, (5, 30)
{before}
try:
    print(data.load("mnist", "test", root=given["root"]).images.sum())
except data.DataError as error:
    print("DataError:", error)
"""


def start(server, root, before=""):
    """Load the small MNIST in a process of its own."""
    given = {"mirrors": server.mirrors(), "sums": sums(FILES), "root": str(root)}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", CHILD.format(before=before), json.dumps(given)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


RIGHT = f"{IMAGES.sum()}\n"


def test_kill_9_in_the_middle_then_run_again(server, tmp_path):
    server.script.update(a=["stall", "right"])
    child = start(server, tmp_path)
    assert server.stalled.wait(30)
    time.sleep(0.2)  # let it write what it has got
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert IMAGE_FILE not in visible(tmp_path)
    assert list(tmp_path.glob("mnist/partial-*")), "it was killed before it wrote anything"
    assert_right(data.load("mnist", "test", root=tmp_path))
    assert visible(tmp_path) == BOTH
    assert not list(tmp_path.glob("mnist/partial-*"))


def test_two_processes_at_once_download_once(server, tmp_path):
    server.script.update(a=["stall", "right"])
    children = [start(server, tmp_path) for _ in range(2)]
    assert server.stalled.wait(30)
    time.sleep(1.5)  # the second one comes to the lock
    server.script.update(b=["right"])
    server.go_on.set()  # the first gets half a file, and goes to the second mirror
    for child in children:
        out, err = child.communicate(timeout=60)
        assert out == RIGHT, err
    assert visible(tmp_path) == BOTH
    assert [mirror for mirror, _, _ in server.requests] == ["a", "b", "a"]


def test_two_processes_draw_at_once(tmp_path):
    program = (
        "from vaebook import data; import sys, hashlib; data._DRAWN = {'test': (500, [1, 1])};"
        "print(hashlib.sha256(data.load('drawn-digits', 'test', root=sys.argv[1]).images)"
        ".hexdigest())"
    )
    command = [sys.executable, "-W", "error", "-c", program, str(tmp_path)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outs = {child.communicate(timeout=120)[0] for child in children}
    assert len(outs) == 1
    assert len(outs.pop()) == 65
    assert len(visible(tmp_path)) == 1


def test_a_full_disk(server, tmp_path):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))"
    out, err = start(server, tmp_path, before=limit).communicate(timeout=60)
    assert out.startswith(f"DataError: {IMAGE_FILE} cannot be kept: {tmp_path}"), out + err
    assert "File too large" in out
    assert "Make room" in out
    assert "by hand" in out
    assert visible(tmp_path) == []
    assert_right(data.load("mnist", "test", root=tmp_path))


def test_a_folder_that_cannot_be_written(server):
    with tempfile.TemporaryDirectory() as root:  # not tmp_path: nobody else may enter that
        os.chmod(root, stat.S_IRUSR | stat.S_IXUSR | stat.S_IROTH | stat.S_IXOTH)
        as_nobody = "os.getuid() or os.setuid(65534)"  # no permission stops root
        out, err = start(server, root, before=as_nobody).communicate(timeout=60)
        assert out.startswith(f"DataError: {IMAGE_FILE} cannot be kept: {root}"), out + err
        assert "Permission denied" in out
        assert "set VAEBOOK_DATA to a folder that can be written" in out


def test_a_full_disk_of_the_first_folder_leads_to_the_second(server, tmp_path, monkeypatch):
    import pooch

    (tmp_path / "file").touch()
    monkeypatch.setenv("VAEBOOK_DATA", str(tmp_path / "file"))
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    assert_right(data.load("mnist", "test"))
    assert visible(tmp_path / "cache" / "vaebook" / "mnist") == BOTH


def test_a_damaged_file_is_replaced_and_not_lost(server, tmp_path):
    data.load("mnist", "test", root=tmp_path)
    path = tmp_path / "mnist" / IMAGE_FILE
    damaged = path.read_bytes()[:-1] + b"x"
    path.write_bytes(damaged)
    server.script.update(a=["404"], b=["404"])
    with pytest.raises(data.DataError, match="answered 404"):
        data.load("mnist", "test", root=tmp_path)
    assert path.read_bytes() == damaged
    server.script.update(b=["right"])
    assert_right(data.load("mnist", "test", root=tmp_path))
    assert path.with_name(f"{IMAGE_FILE}.wrong").read_bytes() == damaged


# ------------------------------------------------------------------------------ files at hand


@pytest.mark.parametrize(
    ("by", "sub", "packed"),
    [
        ("root", ".", True),
        ("root", "mnist", False),
        ("root", "MNIST/raw", True),
        ("VAEBOOK_DATA", ".", False),
        ("VAEBOOK_DATA", "MNIST/raw", False),
        ("cache", "mnist", True),
    ],
)
def test_files_at_hand_are_used_without_a_network(server, tmp_path, monkeypatch, by, sub, packed):
    server.script.update(a=["404"], b=["404"])
    (tmp_path / sub).mkdir(exist_ok=True, parents=True)
    files = BOTH if packed else [file.removesuffix(".gz") for file in BOTH]
    for file in files:
        (tmp_path / sub / file).write_bytes(FILES[file])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    root = tmp_path if by == "root" else None
    if by == "VAEBOOK_DATA":
        monkeypatch.setenv("VAEBOOK_DATA", str(tmp_path))
    if by == "cache":
        monkeypatch.setattr("pooch.os_cache", lambda _name: tmp_path)
    loaded = data.load("mnist", "test", root=root)
    assert_right(loaded)
    assert str(tmp_path / sub / files[0]) in loaded.source
    loaded.images[0] = 0  # writable, as torch wants it
    assert server.requests == []
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert after == before, "left as they were"


def test_a_file_of_the_same_name_is_left_alone(server, tmp_path):
    """Other data sets use the names of MNIST's files."""
    (tmp_path / IMAGE_FILE).write_bytes(b"fashion")
    assert_right(data.load("mnist", "test", root=tmp_path))
    assert (tmp_path / IMAGE_FILE).read_bytes() == b"fashion"


def test_static_binarisation_as_text_and_packed(server, tmp_path):
    text = data.load("mnist-static", "valid", root=tmp_path)
    np.testing.assert_array_equal(text.images.reshape(4, 784), 255 * BITS)
    assert text.images.dtype == np.uint8
    assert text.labels is None
    assert len(server.requests) == 1

    packed = tmp_path / "packed" / "binarized-mnist" / "binarized_mnist_packbits.npz"
    packed.parent.mkdir(parents=True)
    np.savez(packed, valid=np.packbits(BITS, axis=1))
    again = data.load("mnist-static", "valid", root=tmp_path / "packed")
    np.testing.assert_array_equal(again.images, text.images)
    assert len(server.requests) == 1
    again.images[0] = 0

    for wrong in [1 - BITS, BITS[::-1], BITS[:3], BITS[:, :780]]:
        np.savez(packed, valid=np.packbits(wrong, axis=1))
        server.script.update(a=["404"], b=["404"])
        with pytest.raises(data.DataError):
            data.load("mnist-static", "valid", root=tmp_path / "packed")
    np.savez(packed, valid=np.array([object()], dtype=object), allow_pickle=True)
    with pytest.raises(data.DataError):
        data.load("mnist-static", "valid", root=tmp_path / "packed")


GOOD = idx(IMAGES)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (IMAGE_FILE, b"", "begins with"),
        (IMAGE_FILE, GOOD[:7], "begins with"),
        (IMAGE_FILE, b"\x00\x00\x09" + GOOD[3:], "begins with 00 00 09 03, expected 00 00 08 03"),
        (IMAGE_FILE, b"\x01" + GOOD[1:], "begins with 01"),
        (IMAGE_FILE, idx(LABELS), "begins with 00 00 08 01"),
        (IMAGE_FILE, GOOD[:-1], r"has 7071 bytes, but its header \(9, 28, 28\) asks for 7072"),
        (IMAGE_FILE, GOOD + b"\x00", "has 7073 bytes"),
        (IMAGE_FILE, GOOD[:4] + b"\xff" * 4 + GOOD[8:], "asks for 3367254359296"),
        (IMAGE_FILE, idx(IMAGES[:8]), r"images \(8, 28, 28\) with labels \(9,\)"),
        (IMAGE_FILE, idx(IMAGES.reshape(9, 14, 56)), r"images \(9, 14, 56\)"),
        ("binarized_mnist_valid.amat", TEXT[:-1], "not lines of 784"),
        ("binarized_mnist_valid.amat", TEXT.replace(b"0", b"2"), "not lines of 784"),
        ("binarized_mnist_valid.amat", TEXT.replace(b" ", b","), "not lines of 784"),
        ("binarized_mnist_valid.amat", TEXT.replace(b"\n", b" "), "not lines of 784"),
    ],
)
def test_files_are_read_strictly(server, tmp_path, monkeypatch, file, content, message):
    """Even a file whose SHA-256 was recorded by mistake is not read as something that it is not."""
    stored = gzip.compress(content) if file.endswith(".gz") else content
    files = {**FILES, file: stored}
    monkeypatch.setattr(data, "SHA256", sums(files))
    for name, inside in files.items():
        (tmp_path / name).write_bytes(inside)
    name, split = ("mnist", "test") if file == IMAGE_FILE else ("mnist-static", "valid")
    with pytest.raises(data.DataError, match=message):
        data.load(name, split, root=tmp_path)


@pytest.mark.parametrize(
    ("name", "split", "message"),
    [
        ("mnits", "train", "No data set 'mnits'; choose one of drawn-digits, mnist, mnist-static"),
        ("mnist", "valid", "mnist has no split 'valid'; choose train or test"),
        ("drawn-digits", "validation", "choose train or test"),
        ("mnist-static", "dev", "choose train or valid or test"),
    ],
)
def test_unknown_names_are_named(name, split, message):
    with pytest.raises(ValueError, match=message):
        data.load(name, split)


def test_mirrors_are_https_on_two_hosts_and_every_file_has_its_sum():
    for mirrors in data.MIRRORS.values():
        assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in mirrors)
        assert len({mirror.split("/")[2] for mirror in mirrors}) >= 2
    assert len(data.SHA256) == 11
    assert all(len(sha256) == 64 for sha256 in data.SHA256.values())


def real_data():
    """The folder of the real files, where there is one."""
    for folder in [os.environ.get("VAEBOOK_DATA"), ROOT.parent / "shared" / "data"]:
        if folder and (Path(folder) / "mnist" / IMAGE_FILE).exists():
            return folder
    return None


@pytest.mark.skipif(real_data() is None, reason="no MNIST files at hand")
def test_the_real_files():
    test = data.load("mnist", "test", root=real_data())
    assert test.images.shape == (10_000, 28, 28)
    assert test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    train = data.load("mnist", "train", root=real_data())
    assert train.images.shape == (60_000, 28, 28)
    assert np.bincount(train.labels).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip
    for file in data.SHA256:
        if file.endswith(".gz"):
            content = gzip.decompress((Path(real_data()) / "mnist" / file).read_bytes())
            assert hashlib.sha256(content).hexdigest() == data.SHA256[file.removesuffix(".gz")]
    for split, n in [("train", 50_000), ("valid", 10_000), ("test", 10_000)]:
        static = data.load("mnist-static", split, root=real_data())
        assert static.images.shape == (n, 28, 28)
        assert set(np.unique(static.images)) == {0, 255}
    # The static test images are one draw from the grey ones, in another order: pixel by pixel
    # their number of ones has the mean and the variance that the grey values give.
    grey, ones = test.images.reshape(10_000, 784) / 255, static.images.reshape(10_000, 784) / 255
    z = (ones - grey).sum(0) / np.sqrt((grey * (1 - grey)).sum(0) + 1e-9)
    assert np.abs(z).max() < 5.73
    assert 0.8 < z[grey.sum(0) > 0].std() < 1.2
