"""What was trained once and recorded: one module a record, whose ``load()`` reads it when asked.

``make record-toy``, ``record-failures``, ``record-latent``, ``record-rate``, ``record-epilogue``,
``record-epochs`` and ``record-runs`` write the records.
"""

import json
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray


def read_arrays(name: str) -> dict[str, Any]:
    """Return the arrays of a record, read-only, and under "about" how it was made."""
    with (resources.files(__name__) / name).open("rb") as file, np.load(file) as record:
        arrays = {key: read_only(array) for key, array in record.items()}
    return arrays | {"about": json.loads(str(arrays["about"]))}


def read_only(array: NDArray) -> NDArray:
    """Return the array, which cannot be changed any more."""
    array.flags.writeable = False
    return array
