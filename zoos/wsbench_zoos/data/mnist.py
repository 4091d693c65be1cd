"""MNIST from Hugging Face's ``datasets`` or from IDX files, the same arrays either way."""

import gzip
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from wsbench import DataError

Bytes = npt.NDArray[np.uint8]

# sha256 of the uncompressed IDX files.
_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
_HUB_ID = "ylecun/mnist"


def read_mnist() -> tuple[Bytes, Bytes, Bytes, Bytes]:
    """Return MNIST's training images and labels and test images and labels, as they were published.

    The source is the IDX files in ``$WSBENCH_DATA/mnist``, gzipped or not, if that folder exists.
    Otherwise it is ``ylecun/mnist``, through Hugging Face's ``datasets`` and its cache. Both are
    checked against the sha256 of the published files.

    Returns
    -------
    train_images, train_labels, test_images, test_labels
        ``(60000, 28, 28)``, ``(60000,)``, ``(10000, 28, 28)`` and ``(10000,)``, uint8.

    Raises
    ------
    DataError
        If neither is there, or one of them is not what was published.
    """
    folder = os.environ.get("WSBENCH_DATA")
    if folder and (Path(folder) / "mnist").is_dir():
        read = _idx_reader(Path(folder) / "mnist")
    else:
        read = _hub_reader()
    train_images, train_labels, test_images, test_labels = (_checked(n, read) for n in _SHA256)
    return train_images, train_labels, test_images, test_labels


def _checked(name: str, read: Callable[[str], bytes]) -> Bytes:
    content = read(name)
    found = hashlib.sha256(content).hexdigest()
    if found != _SHA256[name]:
        raise DataError(
            f"MNIST {name}: sha256 {found[:12]}…, the published file has {_SHA256[name][:12]}…;"
            " fetch it again"
        )
    n_axes = content[3]
    shape = np.frombuffer(content, ">u4", n_axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_axes).reshape(shape)


def _idx_reader(folder: Path) -> Callable[[str], bytes]:
    def read(name: str) -> bytes:
        try:
            if (folder / name).is_file():
                return (folder / name).read_bytes()
            with gzip.open(folder / f"{name}.gz") as file:
                return file.read()
        except (OSError, EOFError) as error:
            raise DataError(f"{folder / name}[.gz]: cannot read it: {error}") from None

    return read


def _hub_reader() -> Callable[[str], bytes]:
    """Read from the hub, and return the bytes of the IDX files, whose sha256 is known."""
    if os.environ.get("WSBENCH_OFFLINE") == "1":
        os.environ["HF_HUB_OFFLINE"] = "1"  # read when datasets is imported: it opens no socket
    import datasets

    try:
        splits = {
            "train": datasets.load_dataset(_HUB_ID, split="train"),
            "t10k": datasets.load_dataset(_HUB_ID, split="test"),
        }
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise DataError(
            "MNIST is not on this machine: set WSBENCH_DATA to a folder whose mnist/ holds the four"
            f" IDX files, or let datasets fetch {_HUB_ID} (it said: {reason})"
        ) from None

    def read(name: str) -> bytes:
        split = splits[name.partition("-")[0]]
        if "labels" in name:
            labels = np.asarray(split["label"], np.uint8)
            return b"\0\0\x08\x01" + np.array(labels.shape, ">u4").tobytes() + labels.tobytes()
        images = np.stack([np.asarray(image, np.uint8) for image in split["image"]])
        return b"\0\0\x08\x03" + np.array(images.shape, ">u4").tobytes() + images.tobytes()

    return read
