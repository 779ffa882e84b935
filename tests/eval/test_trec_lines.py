"""Fields of lines, against Python's own splitting of bytes, which knows the same blanks as C."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval import trec_lines
from eval.trec_lines import Form, parse_block

FILE = Path("file")
FORMS = [
    Form("query document label", ("query_id", "document_id", "label")),
    Form("query Q0 score tag", ("query_id", None, "score", "tag"), more=True),
]

blanks = st.text(" \t\v\f\r", min_size=1, max_size=2)
words = st.text("aé#\u00a0\u3000\x1c\"',0\\\\", min_size=1, max_size=3)
numbers = st.sampled_from(["0", "-1", "2.5", "1e3", "+7", ".5", "5.", "-inf", "1_0", "x"])


@st.composite
def line(draw):
    between = draw(st.one_of(st.just(" "), st.just("\t"), blanks))
    fields = [draw(words), draw(words), draw(numbers), *draw(st.lists(words, max_size=2))]
    return draw(st.sampled_from(["", "", "", " ", "#"])) + between.join(fields) + draw(st.sampled_from(["", "", "\r"]))


def oracle(text, form):
    """Columns and line numbers, or None where a line has another form."""
    found = {"line": [], **{name: [] for name in form.fields if name}}
    for number, one in enumerate(text.encode().split(b"\n"), start=5):
        fields = one.split()
        if not fields or fields[0].startswith(b"#"):
            continue
        if len(fields) < len(form.fields) or (len(fields) > len(form.fields) and not form.more):
            return None
        found["line"].append(number)
        for name, field in zip(form.fields, fields, strict=False):
            if name in ("label", "score"):
                if b"_" in field:
                    return None
                try:
                    found[name].append(float(field))
                except ValueError:
                    return None
            elif name:
                found[name].append(field.decode())
    return found


@given(st.lists(line(), min_size=1, max_size=4), st.sampled_from(FORMS))
def test_what_python_splits(lines, form):
    text = "\n".join(lines)
    expected = oracle(text, form)
    if expected is None:
        with pytest.raises(ValueError, match=r"^file:[5-8]: (expected|label:|score:)"):
            parse_block(FILE, text.encode(), 5, form)
    else:
        table, count = parse_block(FILE, text.encode() + b"\n", 5, form)
        assert (table.to_pydict(), count) == (expected, len(lines))


@given(st.sampled_from([" ", "\t"]), st.lists(st.tuples(words, words), min_size=1, max_size=4))
def test_plain_blocks_take_the_quick_way(blank, pairs):
    lines = [f"q{query}{blank}{document}{blank}1" for query, document in pairs]
    block = "\n".join(lines).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(trec_lines, "_any")
        table, _ = parse_block(FILE, block, 1, FORMS[0])
    assert table["document_id"].to_pylist() == [document for _, document in pairs]
    assert table["query_id"].to_pylist() == [f"q{query}" for query, _ in pairs]
