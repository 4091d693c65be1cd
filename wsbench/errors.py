"""The errors that tell of wrong input; the command line prints these, and only these, in a line."""

from collections.abc import Sequence


class WsbenchError(Exception):
    """Base of every error caused by input: a name, a file, a recipe, a method."""

    exit_code = 2

    def __str__(self) -> str:
        # KeyError would quote its argument; every message here is a sentence.
        return " ".join(str(part) for part in self.args)


class UnknownIdError(WsbenchError, KeyError):
    """A zoo, method or record of this name does not exist."""


class FormatError(WsbenchError, ValueError):
    """A file is not what its format says, or of a format this version does not read.

    The message tells of the first fault; ``faults`` lists all that were found.
    """

    def __init__(self, message: str, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.faults = [*faults] or [message]


class IntegrityError(WsbenchError, ValueError):
    """A file's content differs from the digest it was published or written with."""


class ZooError(WsbenchError, ValueError):
    """A zoo does not hold what is asked of it, for instance test models."""


class RecipeError(WsbenchError, ValueError):
    """A recipe has a missing, unknown, mistyped or out-of-range key."""


class DataError(WsbenchError, LookupError):
    """The data that a zoo is trained on are not on this machine, or are not the published ones."""


class MethodError(WsbenchError, TypeError):
    """A method cannot be found, imported, or does not follow the protocol."""


class StorageError(WsbenchError, OSError):
    """A file cannot be written or read: full disk, read-only folder, no permission."""


class WorkerError(WsbenchError, RuntimeError):
    """The workers of a build cannot be reached, cannot train, or were lost."""


class UndeclaredNeedError(MethodError, AttributeError):
    """A method read something of the checkpoints that it has not declared in ``info.needs``."""

    def __init__(self, attribute: str, need: str) -> None:
        super().__init__(
            f"checkpoints.{attribute} is only there for methods that declare it (and labels only"
            f' in fit): add needs={{"{need}"}} to the method\'s wsbench.MethodInfo(...)'
        )
