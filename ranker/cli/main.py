"""The command `ranker`."""

from __future__ import annotations

import signal
import sys
from importlib import import_module

import click

from ranker.errors import RankerError

__all__ = ["main"]

_COMMANDS = (
    "demo",
    "init",
    "check",
    "prepare",
    "validate",
    "train",
    "evaluate",
    "compare",
    "measure",
    "score",
    "serve",
    "verify",
    "schema",
    "doctor",
)


class _Commands(click.Group):
    """Each command in the module of its name, imported when it is asked for."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        return import_module(f"ranker.cli.{name}").command if name in _COMMANDS else None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="ranker")
def _ranker() -> None:
    """Learning to rank, whole: raw queries and documents in, a served blend of rankers out.

    `ranker demo` does everything once on generated data.
    """


def main() -> None:
    """Run the command line; a user's mistake ends with its message and status 2, without a traceback.

    A request to end, SIGTERM, is heeded like Ctrl-C: what is half-written goes.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        _ranker()
    except RankerError as error:
        click.secho("error: ", fg="red", bold=True, nl=False, err=True)
        click.echo(str(error), err=True)
        sys.exit(2)
