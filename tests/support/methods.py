"""Small methods, and loading a method that is in no file."""

import numpy as np

import wsbench


class FirstThree:
    """An embedding that tells models apart, but not perfectly."""

    def transform(self, checkpoints):
        return checkpoints.weights[:, :3]


class Failing:
    """A method that raises when it is asked."""

    def transform(self, checkpoints):
        raise RuntimeError("no luck")


class Spy:
    """A method that keeps the checkpoints of every call."""

    def __init__(self):
        self.fitted, self.transformed, self.ordered = [], [], []

    def fit(self, train, *, rng):
        self.fitted.append(train)

    def transform(self, checkpoints):
        self.transformed.append(checkpoints)
        return checkpoints.weights

    def order(self, checkpoints):
        self.ordered.append(checkpoints)
        return np.arange(len(checkpoints))


def loaded(
    method: object,
    name: str = "mine",
    *,
    spec: str = "a test",
    parameters: dict[str, object] | None = None,
    settings: tuple[str, ...] = (),
    **info: object,
) -> wsbench.LoadedMethod:
    """Return a method as `wsbench.load_method` does; ``info`` are fields of its `MethodInfo`."""
    description = wsbench.MethodInfo(name, **info)
    return wsbench.LoadedMethod(method, description, spec, "0" * 64, parameters or {}, settings)
