"""Records in parts, against the messages of TensorFlow Serving."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_serving.apis import input_pb2

from ranker.data.elwc.parts import parts_of, split_record


def example(**features) -> bytes:
    elwc = input_pb2.ExampleListWithContext()
    for name, values in features.items():
        feature = elwc.context.features.feature[name]
        kinds = {float: feature.float_list, int: feature.int64_list, bytes: feature.bytes_list}
        kinds[type(values[0])].value.extend(values)
    return elwc.context.SerializeToString()


def record(examples: list[bytes], context: bytes) -> bytes:
    elwc = input_pb2.ExampleListWithContext()
    for one in examples:
        elwc.examples.add().ParseFromString(one)
    elwc.context.ParseFromString(context)
    return elwc.SerializeToString()


@given(st.lists(st.sampled_from([0, 1, 127, 128, 20_000]), max_size=5), st.integers(0, 200))
def test_examples_and_context_are_those_of_the_message(sizes, of_context):
    examples = [example(text=[b"x" * size]) for size in sizes]
    context = example(text=[b"y" * of_context])
    assert split_record(record(examples, context)) == (examples, context)


def test_a_record_without_anything_is_a_list_without_documents():
    assert split_record(b"") == ([], b"")


def test_fields_of_other_versions_are_passed_over():
    unknown = b"\x18\x85\x01" + b"\x21" + b"8bytes.." + b"\x2a\x02ab" + b"\x35" + b"4by."
    assert split_record(unknown + record([b""], b"") + unknown) == ([b""], b"")


def test_the_parts_of_a_context_are_one():
    """Protocol Buffers merge a field that comes twice."""
    first, second = example(a=[1.0]), example(b=[2.0])
    _, context = split_record(record([], first) + record([], second))
    [(_, batch)] = parts_of([context])
    assert batch.to_pylist() == [{"a": [1.0], "b": [2.0]}]


@pytest.mark.parametrize(
    "damaged",
    [
        b"\x0a",
        b"\x0a\x05abc",
        b"\x0a\x80",
        b"\x0b",
        b"\x0c",
        b"\x21abc",
        b"text that is no message",
        b"\x0a" + b"\xff" * 11,
    ],
)
def test_what_is_no_message_is_refused(damaged):
    with pytest.raises(ValueError, match=r"ends within a field|wire type|more than 64 bits"):
        split_record(damaged)


def test_the_features_of_a_batch_are_columns():
    examples = [example(a=[1.5], b=[b"x", b"y"]), example(), example(a=[2.5], c=[7])]
    [(count, batch)] = parts_of(examples)
    assert count == 3
    assert batch.to_pylist() == [
        {"a": [1.5], "b": [b"x", b"y"], "c": None},
        {"a": None, "b": None, "c": None},
        {"a": [2.5], "b": None, "c": [7]},
    ]


@pytest.mark.parametrize("bad", range(7))
def test_one_bad_example_does_not_spoil_the_others(bad):
    examples = [example(a=[float(number)]) for number in range(7)]
    examples[bad] = b"\x0a\x05abc"
    found = []
    for count, batch in parts_of(examples):
        found += [None] if batch is None else [row["a"][0] for row in batch.to_pylist()]
        assert batch is not None or count == 1
    assert found == [None if number == bad else float(number) for number in range(7)]


def test_a_feature_of_two_kinds_is_read_in_parts():
    examples = [example(a=[1.0]), example(a=[2]), example(a=[b"3"]), example(a=[4.0])]
    rows = [row["a"] for _, batch in parts_of(examples) for row in batch.to_pylist()]
    assert rows == [[1.0], [2], [b"3"], [4.0]]


def test_no_examples_have_no_parts():
    assert list(parts_of([])) == []
