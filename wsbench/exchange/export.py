"""Export: one checkpoint as a file that other software reads."""

from pathlib import Path

from wsbench.errors import FormatError
from wsbench.storage.atomic import atomic_write
from wsbench.storage.npz import pack
from wsbench.zoo.zoo import Zoo

SUFFIXES = (".safetensors", ".pt", ".pth", ".npz")


def export_checkpoint(zoo: Zoo, model: int, epoch: int, to: Path) -> Path:
    """Write the tensors of a checkpoint to a file, by name, and return its path.

    Parameters
    ----------
    zoo
        From `load_zoo`.
    model, epoch
        Which checkpoint.
    to
        The ending says how: ``.safetensors``, with zoo, model, epoch and layout in its metadata;
        ``.pt`` or ``.pth``, a ``state_dict`` of torch; ``.npz``, arrays of numpy.

    Raises
    ------
    UnknownIdError
        If the zoo has no such checkpoint.
    FormatError
        If the ending is another.
    StorageError
        If the file cannot be written.

    Examples
    --------
    >>> export_checkpoint(wsbench.load_zoo("digits-mlp-v1"), 17, 30, Path("m.safetensors"))
    PosixPath('m.safetensors')
    """
    if to.suffix not in SUFFIXES:
        raise FormatError(f"{to}: expected a file that ends in {', '.join(SUFFIXES)}")
    tensors = zoo.state_dict(model, epoch)
    with atomic_write(to) as temporary:
        if to.suffix == ".safetensors":
            from safetensors.numpy import save_file

            metadata = {
                "zoo": zoo.id, "content_digest": zoo.content_digest, "model": str(model),
                "epoch": str(epoch), "layout": zoo.layout.to_json(), "license": zoo.license,
            }  # fmt: skip
            save_file(tensors, temporary, metadata)
        elif to.suffix == ".npz":
            temporary.write_bytes(pack(tensors))
        else:
            import torch

            torch.save({name: torch.from_numpy(t) for name, t in tensors.items()}, temporary)
    return to
