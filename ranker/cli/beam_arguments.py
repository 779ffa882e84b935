"""Options of Apache Beam among the arguments of a command that takes several paths."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import click

__all__ = ["paths_and_beam_options"]


def paths_and_beam_options(given: Sequence[str], runner: str | None) -> tuple[list[Path], tuple[str, ...]]:
    """Tell paths from options that the command does not know.

    Args:
        given: both, in their order; the value of an option may follow it.
        runner: of Beam; None: Beam does not run, so that it takes no options.

    Raises:
        click.NoSuchOption: an option, though Beam does not run.
    """
    paths: list[Path] = []
    options: list[str] = []
    for before, here in zip(["", *given], given, strict=False):
        value_of_option = before.startswith("--") and "=" not in before
        if here.startswith("-") or value_of_option:
            options.append(here)
        else:
            paths.append(Path(here))
    if options and runner is None:
        name = options[0].partition("=")[0]
        context = click.get_current_context()
        known = [option for parameter in context.command.params for option in parameter.opts if option.startswith("-")]
        raise click.NoSuchOption(name, possibilities=get_close_matches(name, known), ctx=context)
    return paths, tuple(options)
