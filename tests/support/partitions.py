"""Pairs of partitions of the same rows, for properties of metrics."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def partitions(draw, n_partitions=2):
    n_rows = draw(st.integers(1, 25))
    one = st.lists(st.integers(-3, 3), min_size=n_rows, max_size=n_rows).map(np.array)
    return [draw(one) for _ in range(n_partitions)]
