"""Errors caused by input. The command line prints these, and only these, in one line."""

import re
from collections.abc import Sequence

# Control and format characters of Unicode, except newline and tab: they move the cursor, reverse
# the direction of writing, or hide text.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def escaped(text: str) -> str:
    r"""Return a text with its control characters as escape sequences, for a terminal.

    Examples
    --------
    >>> escaped("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


class WsbenchError(Exception):
    """Base of every error caused by input: a name, a file, a recipe, a method."""

    exit_code = 2

    def __str__(self) -> str:
        # KeyError would quote its argument; every message here is a sentence.
        return escaped(" ".join(str(part) for part in self.args))


class UnknownIdError(WsbenchError, KeyError):
    """A zoo, method or record of this name does not exist."""


class FormatError(WsbenchError, ValueError):
    """A file does not follow its format, or has a format that this version does not read.

    The message names the first fault; ``faults`` lists all.
    """

    def __init__(self, message: str, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.faults = [*faults] or [message]


class IntegrityError(WsbenchError, ValueError):
    """A file's content differs from the digest it was published or written with."""


class ZooError(WsbenchError, ValueError):
    """A zoo lacks something that is needed, for instance test models."""


class RecipeError(WsbenchError, ValueError):
    """A recipe has a missing, unknown, mistyped or out-of-range key."""


class DataError(WsbenchError, LookupError):
    """A zoo's training data are not on this machine, or are not the published ones."""


class MethodError(WsbenchError, TypeError):
    """A method cannot be found, imported, or does not follow the protocol."""


class MethodFailedError(MethodError):
    """A method's own code failed: it raised, crashed, or gave no answer.

    Attributes
    ----------
    report
        The traceback, and what the method printed last.
    """

    def __init__(self, message: str, report: str) -> None:
        super().__init__(message)
        self.report = report


class StorageError(WsbenchError, OSError):
    """A file cannot be written or read: full disk, read-only folder, no permission."""


class TransferError(WsbenchError, RuntimeError):
    """A file cannot be fetched: no connection, no such address, a server that refuses."""


class WorkerError(WsbenchError, RuntimeError):
    """The workers of a build cannot be reached, cannot train, or were lost."""


class UndeclaredNeedError(MethodError, AttributeError):
    """A method read something of the checkpoints that it has not declared in ``info.needs``."""

    def __init__(self, attribute: str, need: str) -> None:
        super().__init__(
            f"checkpoints.{attribute} is only there for methods that declare it (and labels only"
            f' in fit): add needs={{"{need}"}} to the method\'s wsbench.MethodInfo(...)'
        )
