"""The metrics: pure functions of arrays, with an `rng` wherever ties are broken."""

from wsbench.metrics.identification import (
    adjusted_rand_index,
    average_precision_at_r,
    bcubed_f1,
    margin,
    margin_parts,
    model_means,
    nearest,
    purity,
    rank1,
    true_positive_rate,
)
from wsbench.metrics.ordering import by_decreasing, kendall_tau, ordered_initial, ordered_pairs

__all__ = [
    "adjusted_rand_index",
    "average_precision_at_r",
    "bcubed_f1",
    "by_decreasing",
    "kendall_tau",
    "margin",
    "margin_parts",
    "model_means",
    "nearest",
    "ordered_initial",
    "ordered_pairs",
    "purity",
    "rank1",
    "true_positive_rate",
]
