"""Randomness: initial weights and data order from the recipe and the model's number alone.

Both come from the raw 64-bit stream of Philox with the arithmetic below. NumPy's own
``normal`` and ``permutation`` may change between releases and call the C library's ``log`` and
``exp``, whose last bits differ between machines.
"""

import numpy as np
import numpy.typing as npt

from wsbench import Layout
from wsbench.seeding import bit_generator
from wsbench_zoos.training.kernels.numba_policy import kernel

# Wichura's PPND16 (Applied Statistics 37(3), 1988, algorithm AS 241): coefficients of numerator and
# denominator, ascending, in the centre, and in the near and far tail.
_CENTRE = (
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
     1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
     3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
     5.2264952788528545610e3),
)  # fmt: skip
_NEAR_TAIL = (
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
     3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
     2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
     1.05075007164441684324e-9),
)  # fmt: skip
_FAR_TAIL = (
    (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
     2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
     2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
     2.04426310338993978564e-15),
)  # fmt: skip

Doubles = npt.NDArray[np.float64]


def initial_weights(
    recipe_id: str, seed: int, model: int, layout: Layout
) -> npt.NDArray[np.float32]:
    """Return a model's weights at epoch 0, Kaiming normal: N(0, 2 / fan-in).

    Parameters
    ----------
    recipe_id, seed, model
        They alone determine the weights.
    layout
        Shapes of the tensors, outputs first; the fan-in is the product of the other axes.

    Returns
    -------
    weights
        ``(n_parameters,)`` float32. He et al. 2015 (arXiv 1502.01852), equation 10.
    """
    raw = bit_generator(seed, recipe_id, "init", model).random_raw(layout.n_parameters)
    normal = standard_normal(raw)
    for tensor in layout.tensors:
        fan_in = np.prod(tensor.shape[1:])
        normal[tensor.start : tensor.stop] *= np.sqrt(2.0 / fan_in)
    return normal.astype(np.float32)


def data_order(
    recipe_id: str, seed: int, model: int, epoch: int, n_samples: int
) -> npt.NDArray[np.intp]:
    """Return the order in which a model sees the training set in an epoch (1 is the first).

    A permutation ``(n_samples,)`` by Fisher and Yates's shuffle, fresh each epoch.
    """
    raw = bit_generator(seed, recipe_id, "order", model, epoch).random_raw(n_samples)
    order: npt.NDArray[np.intp] = permutation(raw)
    return order


def standard_normal(raw: npt.NDArray[np.uint64]) -> Doubles:
    """Return one standard normal for each raw word, by inversion, to about 1e-15.

    Only additions, multiplications, divisions and square roots, which IEEE 754 rounds the same
    everywhere.
    """
    uniform = ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52  # within (0, 1)
    q = uniform - 0.5
    centre = 0.180625 - q * q
    normal = q * _ratio(_CENTRE, centre)
    tail = np.abs(q) > 0.425
    r = np.sqrt(-_log(np.where(q[tail] < 0, uniform[tail], 1.0 - uniform[tail])))
    size = np.where(r <= 5.0, _ratio(_NEAR_TAIL, r - 1.6), _ratio(_FAR_TAIL, r - 5.0))
    normal[tail] = np.where(q[tail] < 0, -size, size)
    return normal


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Doubles) -> Doubles:
    numerator, denominator = (_polynomial(part, x) for part in coefficients)
    return numerator / denominator


def _polynomial(coefficients: tuple[float, ...], x: Doubles) -> Doubles:
    value = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = value * x + coefficient
    return value


def _log(x: Doubles) -> Doubles:
    """Natural logarithm of positive numbers: x = m·2ᵉ, log m = 2 artanh((m − 1) / (m + 1))."""
    m, e = np.frexp(x)
    low = m < np.sqrt(0.5)
    m = np.where(low, 2.0 * m, m)
    e = np.where(low, e - 1, e)
    s = (m - 1.0) / (m + 1.0)
    # |s| ≤ 0.172, so that the first omitted term, s²³/23, is below 1e-18.
    series = _polynomial(tuple(1.0 / (2 * k + 1) for k in range(11)), s * s)
    return e * 0.6931471805599453 + 2.0 * s * series


# raw (n) → (n)
@kernel
def permutation(raw):
    """Return the shuffle of 0 … n − 1 that n raw 64-bit words determine.

    A word chooses among i + 1 places by the upper half of its product with i + 1; that favours no
    place by more than 2⁻⁶⁴·n.
    """
    n = raw.size
    order = np.arange(n)
    for i in range(n - 1, 0, -1):
        places = np.uint64(i + 1)
        low = (raw[i] & np.uint64(0xFFFFFFFF)) * places
        high = (raw[i] >> np.uint64(32)) * places
        j = np.intp((high + (low >> np.uint64(32))) >> np.uint64(32))
        order[i], order[j] = order[j], order[i]
    return order
