"""`matching-canonical`: `matching` of networks in a canonical form of their own.

A network has many equal ones beside its permutations. A hidden unit may be split into copies that
share its outgoing weights; where the activation is positively homogeneous (ReLU, leaky ReLU), its
incoming weights may be scaled, and the outgoing ones by the inverse. Layer by layer, from the input
on, units are scaled to incoming norm 1 and copies are joined again. Then the norms of the weights
from each hidden unit (and tap) are divided out, and those of whole layers. They grow with training,
and say little about which model it is.

The norms were chosen on the val models, every second epoch: the mean over the four tracks of suite
standard 2, each the mean of MAP@R over dense and sparse epochs, on mnist-mlp-v1 | mnist-cnn-v1.

- `matching` .890 | .816; layers' norms alone .906 | .882; these norms .908 | .906.
- A weight of .5 on the last layer, too: .894 | .916; without the norms from units .902 | .895.
- Worse than layers' norms alone on one of the zoos: other weights of layers (.5, 2 or none of the
  last; .5 or 2 of the first or middle one), norms from inputs (.891 | .882), rows and columns
  balanced in turn (.904 | .906), the power .5 of every weight (.894 | .899). The best for the CNNs,
  balanced, the power .7 and a last layer of .5, is .889 | .930.
- Centred weights, or incoming norms of 1 where that changes the function: within .004.
- Layers matched again until nothing changes, three epochs: .842 becomes .838 | .840 stays .840.

No choice reaches .95, because of three epochs alone (2, 10 and 50): MAP@R is .842 | .840 as
written, and .974 | .983 with all. The networks of these zoos have no biases.
"""

import numpy as np
import numpy.typing as npt

import wsbench
from wsbench_baselines.matching import Matching

Array = npt.NDArray[np.float64]

_HOMOGENEOUS = ("identity", "leaky-relu", "relu")
_EQUAL = 1e-5  # of their norms: the incoming weights of copies differ by rounding alone


class MatchingCanonical:
    """The distance of `matching`, after each network is brought to its canonical form."""

    info = wsbench.MethodInfo(
        name="matching-canonical",
        version="1",
        description="matching of networks whose units and layers are scaled and copies joined",
        invariances={"hidden-permutation", "positive-rescaling"},
        paper_url="https://arxiv.org/abs/2209.04836",
    )

    def pairwise(self, checkpoints: wsbench.Checkpoints) -> Array:
        """Return the distances, ``(n_checkpoints, n_checkpoints)``; raise as `Matching` does."""
        return Matching().pairwise(canonical(checkpoints))

    def order(self, checkpoints: wsbench.Checkpoints) -> npt.NDArray[np.intp]:
        """Put one model's checkpoints in the order of the curve that they lie on."""
        if len(checkpoints) < 3:  # no distance tells which of two came first
            return np.arange(len(checkpoints))
        return wsbench.spectral_order(self.pairwise(checkpoints))


def canonical(checkpoints: wsbench.Checkpoints) -> wsbench.Checkpoints:
    """Return the networks in canonical form, as wide as the one with the most distinct units."""
    layout = checkpoints.layout
    tensors = {
        tensor.name: checkpoints.tensors(tensor.name).astype(np.float64)
        for tensor in layout.tensors
    }
    is_scaled = layout.activation in _HOMOGENEOUS and not any(
        tensor.role in ("scale", "variance") for tensor in layout.tensors
    )
    sizes = {}
    for group in layout.hidden_units:
        before = [tensor for tensor in layout.tensors if tensor.axes[0] == group]
        after = [tensor for tensor in layout.tensors if group in tensor.axes[1:]]
        if is_scaled:
            norms = np.linalg.norm(_incoming(tensors, before), axis=2)
            _multiply(tensors, before, group, np.divide(1, norms, where=norms > 0, out=norms * 0))
            _multiply(tensors, after, group, norms)
        sizes[group] = _join_copies(tensors, before, after, group)
    for tensor in layout.tensors:
        if tensor.role == "weight":
            values = tensors[tensor.name]
            if sizes.keys() & tensor.axes[1:]:
                _divide_norms_out(values, (1,))
            _divide_norms_out(values, tuple(range(1, values.ndim)))
    flat = [tensors[tensor.name].reshape(len(checkpoints), -1) for tensor in layout.tensors]
    shapes = [
        (
            tensor.name,
            tuple(sizes.get(a, n) for a, n in zip(tensor.axes, tensor.shape, strict=True)),
            tensor.axes,
            tensor.role,
        )
        for tensor in layout.tensors
    ]
    smaller = wsbench.Layout.of(shapes, layout.activation, layout.convolutions)
    return wsbench.Checkpoints(np.concatenate(flat, axis=1).astype(np.float32), smaller)


def _divide_norms_out(values: Array, axes: tuple[int, ...]) -> None:
    """Divide by the norms over some axes, in place, where they are not 0."""
    norms = np.sqrt(np.sum(np.square(values), axis=axes, keepdims=True))
    np.divide(values, norms, out=values, where=norms > 0)


def _incoming(tensors: dict[str, Array], before: list[wsbench.Tensor]) -> Array:
    """Return the incoming weights of a layer's units, ``(n_checkpoints, n_units, n_weights)``."""
    parts = [tensors[tensor.name] for tensor in before]
    return np.concatenate([part.reshape(*part.shape[:2], -1) for part in parts], axis=2)


def _multiply(
    tensors: dict[str, Array], some: list[wsbench.Tensor], group: str, factors: Array
) -> None:
    """Multiply, in place, each unit's weights in some tensors by its factor."""
    for tensor in some:
        axis = 1 + tensor.axes.index(group)
        shape = [len(factors), *[1] * len(tensor.axes)]
        shape[axis] = factors.shape[1]
        tensors[tensor.name] *= factors.reshape(shape)


def _join_copies(
    tensors: dict[str, Array],
    before: list[wsbench.Tensor],
    after: list[wsbench.Tensor],
    group: str,
) -> int:
    """Replace, in place, copies of a unit by one that has all their outgoing weights.

    The units that are left come first. Where networks have fewer than others, zeros follow. Returns
    the number of units.
    """
    incoming = _incoming(tensors, before)
    norms = np.linalg.norm(incoming, axis=2)
    apart = np.linalg.norm(incoming[:, :, None] - incoming[:, None], axis=3)
    is_copy = apart <= _EQUAL * (norms[:, :, None] + norms[:, None])
    first = np.argmax(is_copy, axis=2)  # the first unit that each is a copy of
    is_first = first == np.arange(first.shape[1])
    n_units = int(is_first.sum(axis=1).max())
    place = np.where(is_first, np.cumsum(is_first, axis=1) - 1, -1)
    goes_to = np.take_along_axis(place, first, axis=1)[:, :, None] == np.arange(n_units)
    for tensor in (*before, *after):
        axis = 1 + tensor.axes.index(group)
        values = np.moveaxis(tensors[tensor.name], axis, -1)
        moved = goes_to & is_first[:, :, None] if tensor in before else goes_to
        joined = np.einsum("n...i,nij->n...j", values, moved.astype(np.float64))
        tensors[tensor.name] = np.ascontiguousarray(np.moveaxis(joined, -1, axis))
    return n_units
