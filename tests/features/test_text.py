"""Words: against literal cases, against Python's own Unicode tables, and under other languages of the process."""

import json
import os
import subprocess
import sys
import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from features.text import hash_ids, tokenize


def words(text: str | bytes) -> list[str]:
    return [word.decode() for word in tokenize(tf.constant([text])).to_list()[0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \t\n", []),
        ("...!?", []),
        ("Oak-Table, 3m", ["oak", "table", "3m"]),
        ("don't it’s", ["don", "t", "it", "s"]),
        ("snake_case", ["snake", "case"]),
        ("ÉCOLE Straße", ["école", "straße"]),
        ("cafe\u0301 naïve", ["cafe\u0301", "naïve"]),
        ("ДОМ-2", ["дом", "2"]),
        ("日本語 テスト。東京", ["日本語", "テスト", "東京"]),
        ("हिन्दी", ["हिन्दी"]),
        ("ΟΔΟΣ ΣΑΣ", ["οδος", "σας"]),
        ("x² ½ Ⅷ ٣", ["x²", "½", "ⅷ", "٣"]),
        ("a\u00a0b\u2003c\u3000d", ["a", "b", "c", "d"]),
        ("İstanbul TITLE Ìñ", ["i\u0307stanbul", "title", "ìñ"]),
        (b"ab\xff\xfeCD \xc3", ["ab", "cd"]),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


SCRIPTS = [
    (0x20, 0x17F),
    (0x300, 0x36F),
    (0x391, 0x3C9),
    (0x400, 0x45F),
    (0x5D0, 0x5EA),
    (0x904, 0x939),
    (0x4E00, 0x4E20),
]
LETTERS = st.one_of(*(st.characters(min_codepoint=low, max_codepoint=high) for low, high in SCRIPTS))


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text(LETTERS, max_size=30))
def test_words_are_runs_of_letters_marks_and_digits(text):
    spaced = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in text.lower())
    assert words(text) == spaced.split()


def test_the_language_of_the_process_changes_nothing():
    """TensorFlow's own `lower` makes "tıtle" of "TITLE" in a Turkish process."""
    text = "TITLE İ Ì Í Ĩ Į\u0301 J\u0301 I\u0307"
    program = (
        "import sys, json, tensorflow as tf\n"
        "from features.text import tokenize\n"
        "text = sys.argv[1]\n"
        "unsafe = tf.strings.lower(text, 'utf-8').numpy().decode()\n"
        "print(json.dumps([unsafe, [w.decode() for w in tokenize(tf.constant([text])).to_list()[0]]]))\n"
    )
    started = {
        language: subprocess.Popen(
            [sys.executable, "-c", program, text],
            env=os.environ | {"LC_ALL": language},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for language in ("tr_TR.UTF-8", "lt_LT.UTF-8")
    }
    expected = ["title", "i\u0307", "ì", "í", "ĩ", "į\u0301", "j\u0301", "i\u0307"]
    assert words(text) == expected
    for language, process in started.items():
        unsafe, got = json.loads(process.communicate(timeout=120)[0])
        assert unsafe != " ".join(expected), f"{language} no longer matters to TensorFlow"
        assert got == expected, language


def test_ids_are_between_1_and_buckets_and_all_are_used():
    tokens = tf.RaggedTensor.from_row_lengths([f"word{i}" for i in range(1000)], [400, 0, 600])
    ids = hash_ids(tokens, 16, 600)
    assert ids.row_lengths().numpy().tolist() == [400, 0, 600]
    assert set(ids.flat_values.numpy().tolist()) == set(range(1, 17))


def test_later_words_are_left_out():
    tokens = tf.ragged.constant([["a", "b", "c"], [], ["c"]])
    everything = hash_ids(tokens, 4096, 9).to_list()
    assert hash_ids(tokens, 4096, 2).to_list() == [everything[0][:2], [], everything[2]]


def test_ids_are_pinned():
    """Farmhash64 of the word, modulo the buckets: another TensorFlow has to give the same, or old bundles break."""
    ids = hash_ids(tf.ragged.constant([["oak", "table"], ["oak"]]), 4096, 9).to_list()
    assert ids[0][0] == ids[1][0] != ids[0][1]
    fingerprints = tf.fingerprint(["oak", "table"], "farmhash64").numpy()
    assert ids[0] == [int.from_bytes(bytes(fingerprint), "little") % 4096 + 1 for fingerprint in fingerprints]
