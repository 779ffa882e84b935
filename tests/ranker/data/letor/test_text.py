"""The text of LETOR files: lines read in blocks and one by one, and what stands before the first of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranker.data.letor import text as letor_text
from ranker.data.letor.blocks import read_letor, scan_letor
from ranker.data.letor.text import Rules

# --- the two ways agree ---------------------------------------------------------------------------------------------

WORDS = [
    "1",
    "qid:1",
    "qid:x",
    "qid:",
    "qid:1:1",
    "1:1",
    "2:0.5",
    "3:-1e3",
    "2:nan",
    "4:inf",
    "9:1",
    "0:1",
    "0x1:1",
    "1:0x1",
]
WORDS += [
    "1:+2",
    "+1:2",
    "-0:2",
    "1:nan(1)",
    "1:",
    ":",
    ":1",
    "1:1:1",
    "3:1e39",
    "3:1e",
    "é",
    "1.5",
    "-1",
    "nan",
    "inf",
]
WORDS += [
    "#",
    "# docid = a",
    "\n",
    "\r\n",
    "1 qid:1 1:1 2:2",
    "1 1:1 3:5",
    "99999999999:1",
    "4294967295:1",
    "2:1_0",
    "\0",
]
LINES = st.lists(st.one_of(st.sampled_from(WORDS), st.text("0123456789+-.:e#naqid \t", max_size=8)), max_size=30)


@given(LINES, st.booleans(), st.booleans(), st.integers(0, 1))
@settings(deadline=None, max_examples=1000)
def test_blocks_and_single_lines_are_read_alike(words, by_query, missing_nan, base):
    block = (" ".join(words) + "\n").encode()
    rules = Rules(base, 5, missing_nan, by_query)
    fast = letor_text.parse(1, block, rules)
    convert = letor_text._convert
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(letor_text, "_convert", lambda *given: (letor_text.joined([]), convert(*given)[1]))
        slow = letor_text.parse(1, block, rules)
    assert fast.rejected == slow.rejected
    assert str(fast.rows.to_pylist()) == str(slow.rows.to_pylist())  # nan == nan
    assert fast.lines.tolist() == slow.lines.tolist()


# --- byte order marks -----------------------------------------------------------------------------------------------


def rows(path):
    """(query, document, label, line, features) of each document, and the lines set aside."""
    found, aside = [], []
    for block, rejected in read_letor(path, features=1, base=1, documents_per_block=9):
        ids = block.query_ids.to_numpy(zero_copy_only=False).repeat(np.diff(block.offsets)).tolist()
        columns = [block.document_ids.to_pylist(), block.labels.tolist(), block.lines.tolist(), block.features.tolist()]
        found += zip(ids, *columns, strict=True)
        aside += [row.line for row in rejected]
    return found, aside


@pytest.mark.parametrize("block", [1, 7, 1000])
@pytest.mark.parametrize(
    "content",
    [b"1 qid:1 1:2\n1 qid:1 1:3\n", b"1 qid:1 1:2\n1 qid:1 1:3", b"# a comment\n1 qid:1 1:2\n", b"1 qid:1 1:2"],
)
def test_a_byte_order_mark_is_not_part_of_the_first_line(tmp_path, monkeypatch, block, content):
    monkeypatch.setattr(letor_text, "_BLOCK", block)
    plain, marked = tmp_path / "plain", tmp_path / "marked"
    plain.write_bytes(content)
    marked.write_bytes(b"\xef\xbb\xbf" + content)
    expected, aside = rows(plain)
    assert (len(expected), aside) == (content.count(b"qid"), [])
    assert rows(marked) == (expected, [])
    assert scan_letor(marked).documents == len(expected)


def test_a_byte_order_mark_inside_a_file_is_a_fault(tmp_path):
    path = tmp_path / "twice"
    path.write_text("\ufeff1 qid:1 1:2\n\ufeff1 qid:1 1:3\n", encoding="utf-8")
    assert rows(path) == ([("1", "0", 1.0, 1, [2.0])], [2])
