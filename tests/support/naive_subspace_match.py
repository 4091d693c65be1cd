"""The algorithms of Wang et al. 2018 with a least-squares fit for every sweep."""

import numpy as np


def span_distances(x, y):
    """Distance of each row of x, relative to its length, from the span of y's."""
    x, y = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (x, y))
    coefficients = np.linalg.lstsq(y.T, x.T, rcond=1e-7)[0]
    return np.linalg.norm(x.T - y.T @ coefficients, axis=0)


def naive_maximum(x, y, epsilon, in_x, in_y, seen=None):
    """Algorithm 1 within given rows: a least-squares fit for every sweep."""
    in_x, in_y = [i for i in in_x if x[i].any()], [j for j in in_y if y[j].any()]
    while in_x and in_y:
        found = span_distances(x[in_x], y[in_y])
        left_x = [i for i, d in zip(in_x, found, strict=True) if d <= epsilon]
        back = span_distances(y[in_y], x[left_x]) if left_x else np.ones(len(in_y))
        left_y = [j for j, d in zip(in_y, back, strict=True) if d <= epsilon]
        if seen is not None:
            seen += [*found, *back]
        if (left_x, left_y) == (in_x, in_y):
            return in_x, in_y
        in_x, in_y = left_x, left_y
    return [], []


def naive_minimum(x, y, epsilon, v, seen=None):
    """Algorithm 2: try to remove every neuron, as long as v stays."""

    def holds_v(match):
        return v in match[0] or v - len(x) in match[1]

    match = naive_maximum(x, y, epsilon, range(len(x)), range(len(y)), seen)
    if not holds_v(match):
        return [], []
    for neuron in range(len(x) + len(y)):
        in_x = [i for i in match[0] if i != neuron]
        in_y = [j for j in match[1] if j + len(x) != neuron]
        smaller = naive_maximum(x, y, epsilon, in_x, in_y, seen)
        match = smaller if holds_v(smaller) else match
    return match
