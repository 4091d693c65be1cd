import inspect

import pytest

import wsbench
from wsbench import errors

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, wsbench.WsbenchError) and kind is not wsbench.WsbenchError
]


@pytest.mark.parametrize("kind", KINDS)
def test_errors__are_exported_and_also_a_builtin(kind):
    assert getattr(wsbench, kind.__name__) is kind
    builtins = {"builtins"} & {base.__module__ for base in kind.__mro__ if base is not Exception}
    assert builtins
    assert kind.exit_code == 2


def test_errors__are_sentences_not_reprs():
    """KeyError alone would put its message in quotes."""
    assert str(wsbench.UnknownIdError("no 'x' here")) == "no 'x' here"
    assert str(wsbench.StorageError("full")) == "full"


def test_format_error__keeps_every_fault():
    assert wsbench.FormatError("one").faults == ["one"]
    assert wsbench.FormatError("one, and more", ["one", "two"]).faults == ["one", "two"]
