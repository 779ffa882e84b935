"""Versions of what makes and runs artefacts."""

from __future__ import annotations

from importlib.metadata import version

__all__ = ["versions"]


def versions() -> dict[str, str]:
    """Version per package, as the manifests hold it."""
    packages = ("ranker", "tensorflow", "tensorflow-transform", "apache-beam", "lightgbm", "numpy")
    return {package: version(package) for package in packages}
