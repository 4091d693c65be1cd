"""The command line: each command parses, calls one public function, and prints.

Results go to stdout (``--json`` for machines), progress to stderr. Exit status: 0 done, 1 an
evaluation failed or a check did not hold, 2 wrong input, 130 interrupted.
"""

import os
import sys
import threading
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import FunctionType
from typing import Annotated

import typer

import wsbench
from wsbench.cli import (
    comparison,
    conformance,
    evaluation,
    exchange,
    listing,
    reproduction,
    zoos,
)
from wsbench.cli.output import print_line
from wsbench.cli.streams import prepare_streams
from wsbench.errors import WsbenchError, escaped

_INTERRUPTED = 130

_ABOUT = """Benchmark suite and model zoos for weight-space methods.

Start with: wsbench evaluate"""


def application() -> typer.Typer:
    """Return the command line: the commands of this package and of every installed plugin."""
    app = typer.Typer(no_args_is_help=True)
    app.callback(help=_ABOUT)(_options)
    for command in (
        listing.list_,
        zoos.info,
        zoos.build,
        exchange.download,
        exchange.export,
        exchange.publish,
        zoos.verify,
        evaluation.evaluate_,
        comparison.compare,
        conformance.check,
        reproduction.reproduce,
        zoos.env,
    ):
        app.command(command.__name__.rstrip("_"))(command)
    taken = {command.name for command in app.registered_commands}
    for point in sorted(entry_points(group="wsbench.commands"), key=lambda point: point.name):
        try:
            if point.name in taken:
                raise ValueError("another command has this name")
            _add_plugin(app, point)
            taken.add(point.name)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # sys.exit() in a package ends no other command
            _leave_out(point, error)
    return app


def _print_version(asked: bool) -> None:
    if asked:
        print_line(f"wsbench {wsbench.__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    """Take the options that need no command."""


def _add_plugin(app: typer.Typer, point: EntryPoint) -> None:
    """Add a plugin's commands, a group or a function; raise any fault of it."""
    plugin = point.load()
    if not isinstance(plugin, typer.Typer | FunctionType):
        raise TypeError(
            f"{point.value} is a {type(plugin).__name__}, not a function or typer.Typer"
        )
    # Typer reads a signature when it makes the command: here, for this plugin alone.
    alone = typer.Typer()
    _register(alone, point.name, plugin)
    typer.main.get_command(alone)
    _register(app, point.name, plugin)


def _register(app: typer.Typer, name: str, plugin: typer.Typer | FunctionType) -> None:
    if isinstance(plugin, typer.Typer):
        app.add_typer(plugin, name=name)
    else:
        app.command(name)(plugin)


def _leave_out(point: EntryPoint, error: BaseException) -> None:
    package = point.dist.name if point.dist else point.value
    reason = escaped(" ".join(f"{type(error).__name__}: {error}".split()))
    sys.stderr.write(f"wsbench: command {point.name!r} of {package} is left out: {reason}\n")


def main() -> None:
    """Run the command line on this process's arguments and exit."""
    try:
        prepare_streams()
        status = application()(prog_name="wsbench", standalone_mode=False)
        if status == _INTERRUPTED:  # typer's status for a KeyboardInterrupt
            raise KeyboardInterrupt
        sys.stdout.flush()  # here, where a failure can still be reported
    except WsbenchError as error:
        status = _complain(str(error), error.exit_code)
    except typer.TyperException as error:
        status = _complain(error.format_message(), 2)
    except (typer.Abort, KeyboardInterrupt):
        status = _complain(
            "interrupted; finished work is kept, and the same command resumes", _INTERRUPTED
        )
        if threading.active_count() > 1:  # for instance in seconds of compiling a kernel;
            os._exit(status)  # nothing that a thread of ours does is kept
    except BrokenPipeError:  # the reader has closed the pipe (… | head)
        _drop_output()
        status = 1
    except MemoryError as error:
        reason = str(error) or "the memory that this process may use is full"
        status = _complain(f"out of memory: {reason}", 2)
    except OSError as error:  # stdout is on a full disk
        _drop_output()
        status = _complain(str(error), 2)
    sys.exit(status)


def _complain(message: str, status: int) -> int:
    if message:  # there is none after the help that a call without arguments gets
        sys.stderr.write(f"wsbench: {' '.join(message.splitlines())}\n")
    return status


def _drop_output() -> None:
    """Let the interpreter's last flush of stdout succeed, or it would complain and exit 120."""
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
