"""What was trained once and recorded: one module a record, whose ``load()`` reads it when asked.

``make record-toy``, ``record-failures``, ``record-latent``, ``record-rate``, ``record-epilogue``,
``record-epochs`` and ``record-runs`` write the records.
"""

import json
from importlib import resources
from typing import Any

import numpy as np


def read_arrays(name: str) -> dict[str, Any]:
    """Return the arrays of a record, read-only, and under "about" how it was made."""
    with (resources.files(__name__) / name).open("rb") as file, np.load(file) as record:
        arrays = dict(record)
    about = json.loads(str(arrays.pop("about")))
    for array in arrays.values():
        array.flags.writeable = False
    return arrays | {"about": about}
