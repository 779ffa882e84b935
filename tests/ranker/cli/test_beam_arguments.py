"""Paths and options of Beam, told apart."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from ranker.cli.beam_arguments import paths_and_beam_options


@pytest.mark.parametrize(
    ("given", "paths", "options"),
    [
        (["scores"], ["scores"], []),
        (["a", "b"], ["a", "b"], []),
        (["scores", "--flink_master=h:1"], ["scores"], ["--flink_master=h:1"]),
        (["--flink_master=h:1", "scores"], ["scores"], ["--flink_master=h:1"]),
        (["scores", "--flink_master", "h:1"], ["scores"], ["--flink_master", "h:1"]),
        (["a", "--x=1", "b", "--y"], ["a", "b"], ["--x=1", "--y"]),
    ],
)
def test_values_of_options_are_no_paths(given, paths, options):
    assert paths_and_beam_options(given, "FlinkRunner") == (list(map(Path, paths)), tuple(options))


def test_without_a_runner_an_option_is_one_that_does_not_exist():
    @click.command(context_settings={"ignore_unknown_options": True})
    @click.argument("given", nargs=-1)
    @click.option("--runner")
    def command(given, runner):
        click.echo(paths_and_beam_options(given, runner))

    from click.testing import CliRunner

    done = CliRunner().invoke(command, ["scores", "--runer=x"])
    assert done.exit_code == 2
    assert "No such option" in done.output
    assert "--runner" in done.output
    assert CliRunner().invoke(command, ["scores"]).exit_code == 0
