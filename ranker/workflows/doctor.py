"""`ranker doctor`: what this machine and installation have, and what is wrong with them."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

__all__ = [
    "Machine",
    "Package",
    "Problem",
    "devices",
    "environment_problems",
    "machine",
    "machine_problems",
    "packages",
    "python_and_platform",
    "python_problems",
    "ranking_problems",
    "tensorflow_problem",
]

_GIB = 1 << 30
_LEAST_MEMORY = 4 * _GIB  # TensorFlow, Beam and LightGBM in one process take about 1.5 before any data
_LEAST_DISK = 2 * _GIB  # of the work folder and the temporary one
_MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container


@dataclass(frozen=True)
class Problem:
    """What is wrong, and how to mend it."""

    what: str
    mend: str


@dataclass(frozen=True)
class Package:
    """A dependency: the version that is installed (None: it is missing) and those that are wanted."""

    name: str
    installed: str | None
    wanted: str

    @property
    def problem(self) -> Problem | None:
        """What is wrong with it, if anything."""
        requirement = Requirement(f"{self.name}{self.wanted}")
        mend = f"pip install --no-deps '{requirement}', or make setup"
        if self.installed is None:
            return Problem(f"package {self.name} is missing", mend)
        if not requirement.specifier.contains(self.installed, prereleases=True):
            return Problem(f"package {self.name}: expected {self.wanted}, found {self.installed}", mend)
        return None


@dataclass(frozen=True)
class Machine:
    """What there is to work with; sizes in bytes, free space by folder."""

    cores: int
    memory: int
    disk: Mapping[Path, int]


def packages(requirements: Sequence[str] | None = None) -> list[Package]:
    """The installed ranker and its dependencies, or those given, as far as they are for this platform."""
    if requirements is None:
        installed = _installed("ranker")
        requirements = ["ranker", *(metadata.requires("ranker") or [])] if installed else ["ranker"]
    wanted = sorted(map(Requirement, requirements), key=lambda requirement: requirement.name)
    return [
        Package(requirement.name, _installed(requirement.name), str(requirement.specifier))
        for requirement in wanted
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    ]


def _installed(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def python_and_platform() -> dict[str, str]:
    """What runs this."""
    return {"python": f"{platform.python_version()} ({sys.executable})", "platform": platform.platform()}


def python_problems(version: tuple[int, int] = sys.version_info[:2]) -> list[Problem]:
    """Whether this Python is one that the dependencies are made for."""
    if (3, 11) <= version <= (3, 13):
        return []
    what = f"Python {version[0]}.{version[1]}: expected 3.11 to 3.13"
    return [Problem(what, "make clean, then make setup PYTHON=python3.12")]


def environment_problems(environment: Mapping[str, str] = os.environ) -> list[Problem]:
    """Variables that turn the engine's choices round. To be asked before `ranker.models` is imported: it sets one."""
    value = environment.get("TF_USE_LEGACY_KERAS", "1")
    if value.lower() in ("1", "true"):
        return []
    what = f"environment variable TF_USE_LEGACY_KERAS is {value!r}: TensorFlow would load Keras 3; expected 1"
    return [Problem(what, "unset TF_USE_LEGACY_KERAS")]


def machine() -> Machine:
    """This machine, or what the container may use of it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _MEMORY_LIMIT.read_text(encoding="ascii").strip() if _MEMORY_LIMIT.exists() else "max"
    folders = (Path.cwd(), Path(tempfile.gettempdir()))
    free = {folder: shutil.disk_usage(folder).free for folder in folders}
    return Machine(cores, memory if limit == "max" else min(memory, int(limit)), free)


def machine_problems(found: Machine) -> list[Problem]:
    """Whether memory and disk are enough for small data."""
    problems = []
    if found.memory < _LEAST_MEMORY:
        what = f"{found.memory / _GIB:.1f} GiB of memory: expected at least {_LEAST_MEMORY / _GIB:.0f}"
        problems.append(Problem(what, "use a larger machine, or raise the limit of the container"))
    for folder, free in found.disk.items():
        if free < _LEAST_DISK:
            what = f"{folder}: {free / _GIB:.1f} GiB free: expected at least {_LEAST_DISK / _GIB:.0f}"
            problems.append(Problem(what, "make room, work elsewhere, or set TMPDIR to another folder"))
    return problems


def devices() -> list[str]:
    """What TensorFlow computes on. It has to be loaded before."""
    import tensorflow as tf

    found = []
    for device in tf.config.list_physical_devices():
        details = tf.config.experimental.get_device_details(device) if device.device_type == "GPU" else {}
        found.append(f"{device.name.removeprefix('/physical_device:')} {details.get('device_name', '')}".strip())
    if Path("/dev/nvidia0").exists() and not any("GPU" in name for name in found):
        found.append("/dev/nvidia0 is there but not used: for it, pip install 'tensorflow[and-cuda]'")
    return found


def tensorflow_problem(error: Exception) -> Problem:
    """That TensorFlow could not be loaded."""
    return Problem(f"tensorflow does not import: {type(error).__name__}: {error}", "make clean, then make setup")


def ranking_problems() -> list[Problem]:
    """Whether TensorFlow Ranking can be imported the way the engine does. TensorFlow has to be loaded before."""
    try:
        from ranker.models.tensorflow_ranking import tfr

        tfr.keras.losses.ApproxNDCGLoss()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what has to be told
        what = f"tensorflow_ranking does not import: {type(error).__name__}: {error}"
        return [Problem(what, "install what requirements.lock says, with --no-deps: make setup")]
    return []
