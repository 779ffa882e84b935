"""What the lists of a query are called where it has several, and which query a list is of.

A score is known by its list and document, so no two lists have one name:

query/impression   an impression of a click log; in the id of the query, "%" is "%25" and "/" is "%2F"
query, query#2     the first list of a query in ELWC files, and its second; the first is `query#1` if the id of the
                   query itself ends like that

Lists of other sources are called as their query: each has one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ranker.spec import ClicksSource, ElwcSource, Spec

__all__ = ["impression_names", "numbered_names", "queries_of"]

_ESCAPED = (("%", "%25"), ("/", "%2F"))  # in this order
_NUMBER = "#[0-9]+$"


def impression_names(queries: pa.StringArray, impressions: pa.StringArray) -> pa.StringArray:
    """Names of impressions by the ids of their queries and their own."""
    for character, escaped in _ESCAPED:
        queries = pc.replace_substring(queries, character, escaped)
    return pc.binary_join_element_wise(queries, impressions, "/")


def numbered_names(queries: pa.StringArray, numbers: npt.NDArray[np.int64] | None = None) -> pa.StringArray:
    """Names of lists by the ids of their queries, and their numbers from 1 among the lists of a query; None: all 1."""
    first = np.ones(len(queries), bool) if numbers is None else numbers == 1
    plain = pc.and_(pa.array(first), pc.invert(pc.match_substring_regex(queries, _NUMBER)))
    if pc.all(plain, min_count=0).as_py():
        return queries
    texts = pa.array(first.astype(np.int64) if numbers is None else numbers).cast(pa.string())
    return pc.if_else(plain, queries, pc.binary_join_element_wise(queries, texts, "#"))


def queries_of(spec: Spec, ids: pa.StringArray) -> pa.StringArray:
    """The query of each list.

    Args:
        spec: of the lists.
        ids: their names, `query_id` in a batch of lists.
    """
    source = spec.data.sources[0]
    if isinstance(source, ElwcSource):
        return pc.replace_substring_regex(ids, _NUMBER, "")
    if isinstance(source, ClicksSource) and source.lists == "impression":
        queries = pc.list_element(pc.split_pattern(ids, "/", max_splits=1), 0)
        for character, escaped in reversed(_ESCAPED):
            queries = pc.replace_substring(queries, escaped, character)
        return queries
    return ids
