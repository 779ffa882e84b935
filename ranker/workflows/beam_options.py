"""Options of Apache Beam on the command line."""

from __future__ import annotations

from collections.abc import Sequence

from apache_beam.options.pipeline_options import PipelineOptions

from ranker.errors import RankerError

__all__ = ["pipeline_options"]


def pipeline_options(given: Sequence[str], command: str, takes: str) -> PipelineOptions:
    """The options; Beam itself passes over one that it does not know.

    Args:
        given: as Beam's command line takes them, e.g. `--runner=FlinkRunner`.
        command: that they were given to, such as `ranker prepare`.
        takes: what else the command takes, for a message.

    Raises:
        RankerError: for an option that Beam does not have, or an argument that is none.
    """
    options = PipelineOptions(list(given))
    for before, here in zip(["", *given], given, strict=False):
        if not here.startswith("-") and (not before.startswith("-") or "=" in before):
            raise RankerError(f"unexpected argument {here!r}: `{command}` takes {takes}, and options of Beam")
    unknown = set(options.get_all_options(retain_unknown_options=True)) - set(options.get_all_options())
    if unknown:
        raise RankerError(f"unknown option --{min(unknown)}: neither `{command}` nor Apache Beam has it")
    return options
