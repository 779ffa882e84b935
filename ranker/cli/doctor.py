"""`ranker doctor`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ranker.cli.terminal import TerminalProgress, load_tensorflow

if TYPE_CHECKING:
    from ranker.workflows.doctor import Package

__all__ = ["command"]


@click.command("doctor")
def command() -> None:
    """Show versions, machine and devices, and what is wrong with them; status 1 if anything is."""
    from ranker.workflows import doctor

    console = Console(highlight=False, soft_wrap=True)
    packages, machine = doctor.packages(), doctor.machine()
    console.print(_package_table(packages))
    facts = doctor.python_and_platform() | {
        "cores": str(machine.cores),
        "memory": f"{machine.memory / (1 << 30):.1f} GiB",
        **{f"free in {folder}": f"{free / (1 << 30):.1f} GiB" for folder, free in machine.disk.items()},
    }
    for name, value in facts.items():
        console.print(Text(f"{name}: {value}"))
    problems = [
        *doctor.python_problems(),
        *(package.problem for package in packages if package.problem),
        *doctor.environment_problems(),
        *doctor.machine_problems(machine),
    ]
    try:  # the last, since it takes seconds, and a TensorFlow that does not fit the processor ends the process
        with TerminalProgress().stage("load TensorFlow"):
            load_tensorflow()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what has to be told
        problems.append(doctor.tensorflow_problem(error))
    else:
        console.print(Text(f"TensorFlow's devices: {', '.join(doctor.devices())}"))
        problems += doctor.ranking_problems()
    for problem in problems:
        console.print(Text.assemble(("problem: ", "bold red"), problem.what, "\n    mend: ", problem.mend))
    if problems:
        sys.exit(1)
    console.print(Text("no problems", "green"))


def _package_table(packages: list[Package]) -> Table:
    table = Table("package", "installed", "wanted", "")
    for package in packages:
        mark = ("✗", "bold red") if package.problem else ("✓", "green")
        table.add_row(package.name, package.installed or "", package.wanted, Text(*mark))
    return table
