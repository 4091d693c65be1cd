"""Array types by their role.

Axis letters: n checkpoints, p parameters. Shapes that an alias leaves open stand in the docstring
of the function.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
"""Single precision: weights ``(n, p)``, activations, probe inputs."""

Doubles = NDArray[np.float64]
"""Double precision: scores, heights, and everything computed on the way to them."""

Distances = NDArray[np.float64]
"""Distances between checkpoints, ``(n, n)``, symmetric, zero on the diagonal."""

Reals = NDArray[np.floating]
"""Floating point of any precision, as a caller may pass it."""

Integers = NDArray[np.integer]
"""Integers of any width: models, epochs, cluster numbers, ranks."""

Indices = NDArray[np.intp]
"""Platform integers: indices into an array, counts, cluster numbers."""

Rows = NDArray[np.intp]
"""Indices of a zoo's rows, its checkpoints."""

Mask = NDArray[np.bool_]
"""One truth value per entry."""

Columns = Mapping[str, NDArray[Any]]
"""The arrays of a zoo, or some of them, by the names of `schema.COLUMNS`."""
