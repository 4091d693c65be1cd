"""The command line: each command parses, calls one public function, and prints.

Results go to stdout (``--json`` for machines), progress to stderr. Exit status: 0 done, 1 an
evaluation failed or a check did not hold, 2 wrong input, 130 interrupted.
"""

import sys
from importlib.metadata import entry_points

import typer

from wsbench.cli import evaluation, reproduction, zoos
from wsbench.errors import WsbenchError

_ABOUT = """Benchmark suite and model zoos for weight-space methods.

Start with: wsbench evaluate"""


def application() -> typer.Typer:
    """Return the command line: the commands of this package and of every installed plugin."""
    app = typer.Typer(help=_ABOUT, no_args_is_help=True, add_completion=False)
    for command in (
        zoos.list_,
        zoos.info,
        zoos.build,
        zoos.verify,
        evaluation.evaluate_,
        reproduction.reproduce,
        zoos.env,
    ):
        app.command(command.__name__.rstrip("_"))(command)
    for point in sorted(entry_points(group="wsbench.commands"), key=lambda point: point.name):
        app.add_typer(point.load(), name=point.name)
    return app


def main() -> None:
    """Run the command line on this process's arguments and exit."""
    try:
        status = application()(standalone_mode=False)
    except WsbenchError as error:
        status = _complain(str(error), error.exit_code)
    except typer.TyperException as error:
        status = _complain(error.format_message().replace("\n", " "), 2)
    except (typer.Abort, KeyboardInterrupt):
        status = _complain("interrupted; what was done is kept, the same command goes on", 130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone (… | head): nobody is left to tell
        status = 1
    sys.exit(status)


def _complain(message: str, status: int) -> int:
    sys.stderr.write(f"wsbench: {message}\n")
    return status
