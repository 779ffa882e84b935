"""Where LETOR files are cut; that their parts read the same is tested with the lists."""

from __future__ import annotations

import numpy as np
import pytest

from ranker.data.letor.spans import Cuts, Span

LINES = [
    b"aaaa\n",
    b"\n",
    b"bb\n",
    b"cccccc\n",
    b"d\n",
    b"e\n",
]  # lists begin with lines 1, 3, 4 and 6; 2 has no document
LISTS, DOCUMENTS = np.array([1, 3, 4, 6]), np.array([1, 3, 4, 5, 6])


def spans(size: int, per_block: int) -> list[Span]:
    cuts, at = Cuts(size), Span()
    for first in range(0, len(LINES), per_block):
        block = b"".join(LINES[first : first + per_block])
        numbers = np.arange(first + 1, first + 1 + len(LINES[first : first + per_block]))
        inside = [lines[np.isin(lines, numbers)] for lines in (LISTS, DOCUMENTS)]
        cuts.look(block, at, *inside)
        at = Span(at.start + len(block), None, at.line + len(numbers), at.document + len(inside[1]))
    return cuts.spans


@pytest.mark.parametrize("per_block", [1, 2, 3, 6])
@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, [Span(0, 6, 1, 0), Span(6, 9, 3, 1), Span(9, 18, 4, 2), Span(18, None, 6, 4)]),
        (6, [Span(0, 6, 1, 0), Span(6, 18, 3, 1), Span(18, None, 6, 4)]),
        (7, [Span(0, 9, 1, 0), Span(9, 18, 4, 2), Span(18, None, 6, 4)]),
        (18, [Span(0, 18, 1, 0), Span(18, None, 6, 4)]),
        (19, [Span()]),
    ],
)
def test_parts_begin_with_the_first_list_behind_their_size(size, expected, per_block):
    assert spans(size, per_block) == expected
