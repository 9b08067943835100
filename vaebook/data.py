"""Old Faithful's eruptions, and images of digits: drawn by code, or MNIST by verified download.

``old_faithful`` reads a small file of the package. ``load`` is the one call for images: they come
with labels and, where they are drawn here, the factors behind them. Drawn digits need no network.
A downloaded file is used only if its SHA-256 is the recorded one, whoever sent it and whenever it
arrived; a file is whole or it is not there.
"""

import contextlib
import gzip
import hashlib
import math
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaebook.digits import FONTS, SIZE, VERSION, DigitFactors, draw_digits, sample_factors

_DRAWN = {"train": (60_000, [1, 0]), "test": (10_000, [1, 1])}  # images, seed
MIRRORS = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    "mnist-static": (
        "https://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/",
        "https://raw.githubusercontent.com/mingzhang-yin/ARM-gradient/"
        "bac893cfcec486bbd00b755b12cf8402053b0e84/",
    ),
}
# Where files may lie in a folder; new ones go to the first place. torchvision keeps the last one.
FOLDERS = {"mnist": ("mnist", ".", "MNIST/raw"), "mnist-static": ("binarized-mnist", ".")}
SPLITS = {
    "drawn-digits": ("train", "test"),
    "mnist": ("train", "test"),
    "mnist-static": ("train", "valid", "test"),
}
_SHA256_SUMS = """
440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609  train-images-idx3-ubyte.gz
3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c  train-labels-idx1-ubyte.gz
8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6  t10k-images-idx3-ubyte.gz
f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6  t10k-labels-idx1-ubyte.gz
ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db  train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5  train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7  t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2  t10k-labels-idx1-ubyte
ad693b29f94c14277b095f5238ddefbbdaaae0939789dd2f4f0205278cee3e4d  binarized_mnist_train.amat
1de3d397c40fe8eeb33dafd4099a1f665ec01e96d9be234aaeeac8a34930e2e2  binarized_mnist_valid.amat
e6687bfea3f820c174f33b7865140b2a2dd2930ef786f35d45795fc193b5ab2c  binarized_mnist_test.amat
"""  # as sha256sum writes them
SHA256 = {file: sha256 for sha256, file in map(str.split, _SHA256_SUMS.strip().split("\n"))}
TIMEOUT = (10, 20)  # seconds to connect, and without a byte
SLOWEST = 5_000  # bytes a second, after the first half minute
ROUNDS = 3  # times through the mirrors
PAUSE = 1.0  # seconds before the second round, twice that before the third
_PARTIAL = "partial-vaebook-"  # of our unfinished folders; nobody else's may be removed


class DataError(RuntimeError):
    """A data set cannot be had; the message says why and how to place the file by hand."""


class ImageSet(NamedTuple):
    """Images of digits, and all that is known about them.

    ``images`` uint8 (N, 28, 28), 0 is paper and 255 is ink; ``labels`` uint8 (N,) or None;
    ``factors`` a ``DigitFactors`` or None; ``source`` says in words where they come from.
    """

    images: NDArray
    labels: NDArray | None
    factors: DigitFactors | None
    source: str


def old_faithful() -> NDArray:
    """Eruptions of the geyser Old Faithful in Yellowstone National Park, both columns in minutes.

    Returns
    -------
    ndarray (272, 2)
        How long each eruption lasted, and the waiting time to the next one.

    Source: the 272 observations that Härdle (1991), Smoothing Techniques, printed and that R calls
    ``faithful``; Azzalini and Bowman (1990), Applied Statistics 39, 357-365, analyse a fuller
    record. Measurements are facts: no licence restricts their use.
    """
    return np.loadtxt(Path(__file__).with_name("old-faithful.csv"), delimiter=",", skiprows=1)


def load(name: str, split: str, *, root: str | os.PathLike[str] | None = None) -> ImageSet:
    """Images of digits by name: "drawn-digits", "mnist" or "mnist-static".

    Drawn digits are rendered on first use (some seconds) and kept. MNIST is by LeCun, Cortes and
    Burges (CC BY-SA 3.0); "mnist-static" is Larochelle's binarisation of it: pixels 0 or 255 and
    no labels. Both are looked for on disk first and downloaded only if they are not there.

    Parameters
    ----------
    name : str
    split : str
        "train" or "test"; of "mnist-static" also "valid".
    root : path, optional
        The folder to look in and to keep files in. Without it, the folder that the environment
        variable VAEBOOK_DATA names, then the system's cache for the user. Files may lie in a
        subfolder (``mnist/``, ``binarized-mnist/``, torchvision's ``MNIST/raw/``) or in the folder
        itself, those of MNIST also unpacked.

    Returns
    -------
    ImageSet
        60,000 and 10,000 images; of "mnist-static" 50,000, 10,000 and 10,000.

    Raises
    ------
    ValueError
        If there is no such name or split.
    DataError
        If a file can neither be found nor downloaded; the message says what to do by hand.

    Source: chapter "variational-autoencoder".
    """
    if name not in SPLITS:
        raise ValueError(f"No data set {name!r}; choose one of {', '.join(SPLITS)}.")
    if split not in SPLITS[name]:
        raise ValueError(f"{name} has no split {split!r}; choose {' or '.join(SPLITS[name])}.")
    folders = _folders(root)
    if name == "drawn-digits":
        return _load_drawn(split, folders)
    if name == "mnist":
        stem = {"train": "train", "test": "t10k"}[split]
        path = _fetch(name, f"{stem}-images-idx3-ubyte.gz", folders)
        images = _read_idx(path, 3)
        labels = _read_idx(_fetch(name, f"{stem}-labels-idx1-ubyte.gz", folders), 1)
        if images.shape[1:] != (SIZE, SIZE) or labels.shape != images.shape[:1]:
            raise DataError(
                f"{path} holds images {images.shape} with labels {labels.shape}, expected "
                "(N, 28, 28) and (N,); delete both files and run again."
            )
        return ImageSet(images, labels, None, f"MNIST {split} images, {path}")
    bits, path = _load_static(f"binarized_mnist_{split}.amat", split, folders)
    images = bits.reshape(-1, SIZE, SIZE) * np.uint8(255)
    return ImageSet(images, None, None, f"MNIST {split} images, static binarisation, {path}")


def _load_drawn(split: str, folders: list[Path]) -> ImageSet:
    """Read the drawn digits, or draw and keep them."""
    file = f"drawn-digits-{VERSION}-{split}.npz"
    source = f"{split} digits drawn from {len(FONTS)} fonts of matplotlib, version {VERSION}"
    for folder in folders:
        # The archive's own check sums tell a damaged file, which is then drawn anew.
        with contextlib.suppress(Exception), open(folder / file, "rb") as stream:
            kept = np.load(stream, allow_pickle=False)
            factors = DigitFactors(*(kept[field] for field in DigitFactors._fields))
            return ImageSet(kept["images"], kept["labels"], factors, source)
    n, seed = _DRAWN[split]
    labels, factors = sample_factors(n, rng=np.random.default_rng(seed))
    images = draw_digits(labels, factors)
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _alone(folder), tempfile.TemporaryDirectory(prefix=_PARTIAL, dir=folder) as tmp:
                np.savez(Path(tmp) / file, images=images, labels=labels, **factors._asdict())
                os.replace(Path(tmp) / file, folder / file)
            break
        except OSError as error:
            reason = f"{folder}: {error.strerror or error}"
    else:
        warnings.warn(
            f"The drawn digits cannot be kept ({reason}) and will be drawn at every call; "
            "give a root that can be written or, without a root, name one in VAEBOOK_DATA.",
            RuntimeWarning,
            stacklevel=3,
        )
    return ImageSet(images, labels, factors, source)


# ------------------------------------------------------------------------------ files of others


def _read_idx(path: Path, n_axes: int) -> NDArray:
    """Read an IDX file of bytes strictly: every byte of it is accounted for."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    header = 4 + 4 * n_axes
    if data[:4] != bytes([0, 0, 8, n_axes]) or len(data) < header:
        raise DataError(
            f"{path} begins with {data[:4].hex(' ')}, expected {bytes([0, 0, 8, n_axes]).hex(' ')}"
            f" and {n_axes} lengths; delete it and run again."
        )
    shape = tuple(int.from_bytes(data[k : k + 4], "big") for k in range(4, header, 4))
    expected = header + math.prod(shape)
    if len(data) != expected:
        raise DataError(
            f"{path} has {len(data)} bytes, but its header {shape} asks for {expected}; "
            "delete it and run again."
        )
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape).copy()


def _load_static(file: str, split: str, folders: list[Path]) -> tuple[NDArray, Path]:
    """Return bits (N, 784) of the static binarisation and the path, packed or as text."""
    for path in _candidates("mnist-static", "binarized_mnist_packbits.npz", folders):
        # The packed bits are right if they spell the text file, whose SHA-256 is recorded.
        with contextlib.suppress(Exception), open(path, "rb") as stream:
            bits = np.unpackbits(np.load(stream, allow_pickle=False)[split], axis=1)
            text = np.full((*bits.shape, 2), ord(" "), np.uint8)
            text[..., 0] = bits + ord("0")
            text[:, -1, 1] = ord("\n")
            if hashlib.sha256(text.data).hexdigest() == SHA256[file]:
                return bits, path
    path = _fetch("mnist-static", file, folders)
    text = np.frombuffer(path.read_bytes(), np.uint8)
    if text.size % (2 * SIZE * SIZE) == 0:
        text = text.reshape(-1, SIZE * SIZE, 2)
        bits = text[..., 0] - ord("0")
        ends = np.append(np.full(SIZE * SIZE - 1, ord(" ")), ord("\n"))
        if (bits <= 1).all() and (text[..., 1] == ends).all():
            return bits, path
    raise DataError(f"{path} is not lines of 784 zeros and ones; delete it and run again.")


def _folders(root: str | os.PathLike[str] | None) -> list[Path]:
    """The folders to look in, and to keep files in: the first that can be written."""
    if root is not None:
        return [Path(os.path.expanduser(root))]
    import pooch

    named = os.environ.get("VAEBOOK_DATA")
    own = [Path(os.path.expanduser(named))] if named else []
    return [*own, Path(pooch.os_cache("vaebook"))]


def _candidates(name: str, file: str, folders: list[Path]) -> list[Path]:
    """Where a file may lie, packed or unpacked."""
    files = dict.fromkeys((file, file.removesuffix(".gz")))
    return [at / place / one for at in folders for place in FOLDERS[name] for one in files]


def _has_right_content(path: Path) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == SHA256[path.name]
    except OSError:  # not there, or not to be read
        return False


def _fetch(name: str, file: str, folders: list[Path]) -> Path:
    """Return the path of a file with the recorded SHA-256, downloaded if need be."""
    reasons = []
    for path in _candidates(name, file, folders):
        if _has_right_content(path):
            return path
    for folder in folders:
        folder = folder / FOLDERS[name][0]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _alone(folder):
                if not _has_right_content(folder / file):  # another process may have been
                    _download(name, file, folder)
            return folder / file
        except OSError as error:
            reasons.append(f"{folder} cannot be written ({error.strerror or error})")
    raise DataError(
        f"{file} cannot be kept: {'; '.join(reasons)}. Make room, give another root or, without a "
        "root, set VAEBOOK_DATA to a folder that can be written; or download "
        f"{MIRRORS[name][0]}{file} by hand and name its folder in the same way."
    )


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time work in a folder; the lock of a killed process is free again."""
    try:
        import fcntl
    except ImportError:  # Windows: two processes download twice, and each file is still whole
        yield
        return
    with open(folder / ".lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:  # a file system without locks
            yield
            return
        for left_over in folder.glob(f"{_PARTIAL}*"):  # by a process that was killed
            shutil.rmtree(left_over, ignore_errors=True)
        yield


def _download(name: str, file: str, folder: Path) -> None:
    """Download one file through the mirrors and put it in place whole, or raise DataError."""
    import pooch
    import requests

    failures = {}
    for attempt in range(ROUNDS):
        time.sleep(attempt * PAUSE)
        for mirror in MIRRORS[name]:
            # A .gz must arrive as it is stored; a text may be packed on its way.
            coding = "identity" if file.endswith(".gz") else "gzip"
            get = pooch.HTTPDownloader(
                progressbar=_Progress(file),
                chunk_size=2**12,
                timeout=TIMEOUT,
                headers={"Accept-Encoding": coding},
            )
            with tempfile.TemporaryDirectory(prefix=_PARTIAL, dir=folder) as partial:
                try:
                    known = f"sha256:{SHA256[file]}"
                    pooch.retrieve(mirror + file, known, file, partial, downloader=get)
                except (requests.RequestException, TimeoutError, ValueError) as error:
                    failures[mirror] = _reason(error)
                else:
                    target = folder / file
                    if target.exists():  # not ours to lose, whatever it is
                        target.replace(target.with_name(f"{file}.wrong"))
                    os.replace(Path(partial) / file, target)
                    return
    reasons = ", ".join(f"{mirror} {failure}" for mirror, failure in failures.items())
    raise DataError(
        f"{file} could not be downloaded: {reasons}. Check the network and run again; or download "
        f"the file by hand from one of these addresses into {folder}; or load "
        '"drawn-digits", which needs no network.'
    )


def _reason(error: Exception) -> str:
    """Say in words what went wrong with a mirror."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"answered {error.response.status_code}"
    if isinstance(error, TimeoutError | requests.Timeout) or "timed out" in str(error):
        return "was too slow"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "broke off"
    if isinstance(error, requests.RequestException):
        return f"could not be reached ({type(error).__name__})"
    return "sent a file with another SHA-256"


class _Progress:
    """A line on stderr that says how far a download is; pooch calls it as it would call tqdm."""

    def __init__(self, file):
        self.file, self.total, self.done, self.shown = file, 0, 0, -1
        self.started = time.monotonic()

    def update(self, n_bytes):
        self.done += n_bytes
        seconds = time.monotonic() - self.started
        if seconds > 30 and self.done < SLOWEST * seconds:
            raise TimeoutError(f"{self.file}: {self.done} bytes in {seconds:.0f} s")
        tenth = 10 * self.done // self.total if self.total else self.done // 10**7
        if tenth > self.shown:
            self.shown = tenth
            print(f"{self.file}: {self.done / 1e6:.1f} MB", end="\r", file=sys.stderr, flush=True)

    def reset(self):
        self.done, self.started = 0, time.monotonic()

    def close(self):
        print(file=sys.stderr)
