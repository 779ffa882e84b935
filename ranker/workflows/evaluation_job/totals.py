"""Sums of whatever adds up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import apache_beam as beam

from ranker.workflows.evaluation_job.folder import SharedFolder

__all__ = ["Put", "total"]


class _Add(beam.CombineFn):
    """The sum of elements that have `+`; None is that of none."""

    def create_accumulator(self) -> Any:
        """No element."""

    def add_input(self, mutable_accumulator: Any, element: Any) -> Any:
        """One element more."""
        return element if mutable_accumulator is None else mutable_accumulator + element

    def merge_accumulators(self, accumulators: Iterable[Any]) -> Any:
        """The sum of sums."""
        found = None
        for one in accumulators:
            if one is not None:
                found = self.add_input(found, one)
        return found

    def extract_output(self, accumulator: Any) -> Any:
        """The sum."""
        return accumulator


def total() -> beam.PTransform:
    """The sum of a collection, as its only element."""
    return beam.CombineGlobally(_Add())


class Put(beam.DoFn):
    """Keeps the only element of a collection for whoever started the job."""

    def __init__(self, folder: SharedFolder, name: str) -> None:
        self._folder, self._name = folder, name

    def process(self, element: Any) -> None:
        """Keep it."""
        self._folder.put(self._name, element)
