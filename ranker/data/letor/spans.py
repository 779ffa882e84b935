"""Parts of a LETOR file that are read by themselves: cut where a list begins, so that no list is in two of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ranker.data.tables.id_groups import Ints

__all__ = ["WHOLE", "Cuts", "Span"]


@dataclass(frozen=True)
class Span:
    """A part of a plain file.

    Attributes:
        start: its first byte.
        stop: the byte behind its last, None at the end of the file.
        line: the line that begins at `start`, from 1.
        document: how many lines with a document, valid or not, come before.
    """

    start: int = 0
    stop: int | None = None
    line: int = 1
    document: int = 0


WHOLE = Span()


class Cuts:
    """Finds where to cut a file, block by block, into parts of at least `size` bytes and a list at most more."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._cuts: list[Span] = [WHOLE]

    def look(self, block: bytes, first: Span, lists: Ints, documents: Ints) -> None:
        """Look into the next block.

        Args:
            block: whole lines, as they are in the file.
            first: where it starts.
            lists: lines in it with which a list begins, ascending.
            documents: all lines in it with a document, ascending.
        """
        wanted = self._cuts[-1].start + self._size
        if first.start + len(block) < wanted or not len(lists):
            return
        begins = np.append(0, np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n")) + 1) + first.start
        of_lists = begins[lists - first.line]
        while (place := int(np.searchsorted(of_lists, wanted))) < len(lists):
            line, start = int(lists[place]), int(of_lists[place])
            before = first.document + int(np.searchsorted(documents, line))
            self._cuts.append(Span(start, None, line, before))
            wanted = start + self._size

    @property
    def spans(self) -> list[Span]:
        """The parts, in their order."""
        stops = [*(span.start for span in self._cuts[1:]), None]
        return [Span(span.start, stop, span.line, span.document) for span, stop in zip(self._cuts, stops, strict=True)]
