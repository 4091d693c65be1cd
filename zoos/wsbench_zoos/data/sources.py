"""Data sources: the same arrays on every machine, checked against their sha256."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wsbench import DataOrigin, IntegrityError
from wsbench_zoos.data.mnist import read_mnist

N_CLASSES = 10


@dataclass(frozen=True, eq=False)
class Data:
    """A classification data set of 14×14 grey images.

    Attributes
    ----------
    train_images, test_images
        ``(n, 14, 14)`` float32 in [0, 1].
    train_labels, test_labels
        ``(n,)`` uint8, classes 0 … 9.
    """

    train_images: npt.NDArray[np.float32]
    train_labels: npt.NDArray[np.uint8]
    test_images: npt.NDArray[np.float32]
    test_labels: npt.NDArray[np.uint8]

    def sha256(self) -> str:
        """Return the sha256 of the four arrays, in hexadecimal."""
        sha = hashlib.sha256()
        for array in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            sha.update(f"{array.dtype.str}{array.shape}".encode())
            sha.update(np.ascontiguousarray(array).data)
        return sha.hexdigest()


@dataclass(frozen=True)
class Source:
    """Origin of a data set, and the sha256 of its arrays."""

    read: Callable[[], Data]
    sha256: str
    license: str
    origin: str
    url: str
    preparation: str
    embedded: bool

    def describe(self, data: Data) -> DataOrigin:
        """Return the origin of these data, for the card of a zoo."""
        return DataOrigin(
            name=self.origin,
            url=self.url,
            license=self.license,
            preparation=self.preparation,
            n_train=len(data.train_images),
            n_test=len(data.test_images),
        )


def load_data(name: str) -> Data:
    """Return the data of a source in `SOURCES`.

    Raises
    ------
    IntegrityError
        If the arrays are not the published ones.
    """
    source = SOURCES[name]
    data = source.read()
    if data.sha256() != source.sha256:
        raise IntegrityError(
            f"data source {name!r} gave arrays with sha256 {data.sha256()[:12]}…, expected"
            f" {source.sha256[:12]}…: {source.origin} is not the published version; reinstall it"
        )
    return data


def _digits() -> Data:
    """Scikit-learn's 8×8 digits at 14×14 by nearest neighbour; the first 1,437 images train."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    near = np.arange(14) * 8 // 14
    images = (digits.images[:, near][:, :, near] / 16).astype(np.float32)  # sixteenths are exact
    labels = digits.target.astype(np.uint8)
    return Data(images[:1437], labels[:1437], images[1437:], labels[1437:])


def _mnist() -> Data:
    """MNIST at 14×14: each pixel the mean of 2×2."""
    train_images, train_labels, test_images, test_labels = read_mnist()
    return Data(_halved(train_images), train_labels, _halved(test_images), test_labels)


def _halved(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return (n, 14, 14) in [0, 1]: sums of four bytes are exact, and one division rounds."""
    n, rows, columns = images.shape
    squares = images.reshape(n, rows // 2, 2, columns // 2, 2)
    means: npt.NDArray[np.float32] = squares.sum(axis=(2, 4), dtype="f4") / np.float32(4 * 255)
    return means


SOURCES: Mapping[str, Source] = {
    "digits": Source(
        _digits,
        sha256="185af581c91d96c7a010f160ecd04dac5c69e15e5687576111e433e50f0bea85",
        license="CC-BY-4.0",
        origin="scikit-learn's copy of the UCI optical recognition of handwritten digits",
        url="https://doi.org/10.24432/C50P49",
        preparation="Images of 8×8 pixels at 14×14 by nearest neighbour, pixels in [0, 1]; the"
        " first of the 1,797 train, in scikit-learn's order.",
        embedded=True,
    ),
    "mnist": Source(
        _mnist,
        sha256="049f4975acb65c6186c3ef190a03d3eb8268d9467c48b706c13951046c33d047",
        license="CC-BY-SA-3.0",
        origin="the MNIST database of handwritten digits (LeCun, Cortes, Burges)",
        url="https://huggingface.co/datasets/ylecun/mnist",
        preparation="Images of 28×28 pixels at 14×14, each pixel the mean of 2×2, in [0, 1]; the"
        " published training and test sets.",
        embedded=False,
    ),
}
