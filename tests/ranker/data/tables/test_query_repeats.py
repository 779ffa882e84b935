"""Numbers of the lists of a query, against a dictionary."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ranker.data.tables.query_repeats import QueryRepeats, write_repeats

LARGEST = 2**64 - 1


@given(st.lists(st.lists(st.sampled_from([0, 1, 5, 2**63, LARGEST]), max_size=8), max_size=4), st.integers(1, 3))
def test_lists_of_a_query_are_numbered_over_all_files(tmp_path_factory, files, size):
    folder = tmp_path_factory.mktemp("repeats")
    hashes = [np.array(file, np.uint64) for file in files]
    paths = [folder / f"{number}.npz" for number in range(len(files))]
    noted = write_repeats(hashes, paths)
    seen: Counter[int] = Counter()
    several = {query for query, count in Counter(query for file in files for query in file).items() if count > 1}
    for file, path, note in zip(files, paths, noted, strict=True):
        assert note == bool(several & set(file)) == path.exists()
        expected = []
        for query in file:
            seen[query] += 1
            expected.append(seen[query])
        if not note:
            assert expected == [1] * len(file)
            continue
        repeats = QueryRepeats(path)
        parts = [np.array(file[at : at + size], np.uint64) for at in range(0, len(file), size)]
        assert np.concatenate([repeats.numbers(part) for part in parts]).tolist() == expected
