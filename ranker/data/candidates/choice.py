"""The choice of the documents of each list, partition by partition: rows of numbers, and the heads of the lists."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ranker.data.candidates.candidate_lists import DOCUMENT_PLACE, LIST, Candidates, Judged, candidate_rows
from ranker.data.candidates.collection import Collection
from ranker.data.candidates.sampling import draw
from ranker.data.id_hash import hash_ids, partition_of
from ranker.data.spill import Spill
from ranker.data.split import SPLITS, SplitBounds
from ranker.data.tables.id_groups import repeated, take
from ranker.data.tables.join import TableJoin, Tables
from ranker.data.tables.list_files import heads_of, lists_file
from ranker.data.tables.list_partitions import ListPartitions, PartLists, Queries
from ranker.data.tables.partitions import parts_for, size_of
from ranker.data.tables.source_table import DOCUMENT, LABEL, PLACE, QUERY, TIMESTAMP, SourceTable
from ranker.data.tables.whole_lists import whole_directory, write_judged
from ranker.spec import Bm25Candidates, SampledCandidates, TableCandidates

__all__ = ["Choice", "choose"]

_SAMPLED = 1 << 19  # documents that are drawn at once
_TRAIN = SPLITS.index("train")


@dataclass
class Choice:
    """The documents of the lists of a join, as numbers.

    Attributes:
        rows: documents of lists, spread by the hash of the document: LIST, DOCUMENT_PLACE, what was judged, and pair
            features.
        heads: of the lists, one behind the other; the number of a list is its place.
        lists: how many these are.
        whole: number of lists of the whole collection; they are in none of these.
        bounds: of a split by time.
    """

    rows: Spill
    heads: Spill
    lists: int = 0
    whole: int = 0
    bounds: SplitBounds | None = None

    def add(self, heads: pa.RecordBatch, rows: pa.RecordBatch, collection: Collection) -> int:
        """Add lists.

        Args:
            heads: of lists.
            rows: their documents; LIST is the place of the head. Lists without documents are passed over.
            collection: has the hashes of the documents.

        Returns:
            the number of those that were passed over.
        """
        lists = rows[LIST].to_numpy()
        there = np.bincount(lists, minlength=heads.num_rows) > 0
        number = pa.array((self.lists + np.cumsum(there) - 1)[lists])
        numbered = rows.set_column(rows.schema.names.index(LIST), self.rows.schema.field(LIST), number)
        hashes = collection.hashes[rows[DOCUMENT_PLACE].to_numpy()]
        self.rows.write(numbered, partition_of(hashes, self.rows.partitions))
        kept = take(heads, there)
        self.heads.write(kept, np.zeros(kept.num_rows, np.int64))
        self.lists += kept.num_rows
        return heads.num_rows - kept.num_rows


def choose(join: TableJoin, tables: Tables, collection: Collection, pairs: SourceTable | None, ways: int) -> Choice:
    """Choose the documents of all lists, and write what was judged of lists of the whole collection.

    Args:
        join: says what is joined, and what the candidates are.
        tables: of the join.
        collection: the ids of all documents.
        pairs: candidates as pairs of query and document; None if documents are drawn.
        ways: number of partitions of the documents, and so of the rows.
    """
    return _Chooser(join, tables, collection, pairs).choose(ways)


class _Chooser:
    def __init__(self, join: TableJoin, tables: Tables, collection: Collection, pairs: SourceTable | None) -> None:
        self._join, self._tables, self._collection, self._pairs = join, tables, collection, pairs
        self._unused = join.rejected.unused
        self._judged = [n for n in tables.judgments.schema.names if n not in (QUERY, DOCUMENT, TIMESTAMP, PLACE)]
        self._of_pair = [] if pairs is None else [column.name for column in pairs.columns]

    def choose(self, ways: int) -> Choice:
        join, tables = self._join, self._tables
        files = [join.files["queries"], join.files["judgments"], *([self._pairs.files] if self._pairs else [])]
        parts = parts_for(size_of(*files), join.shards)
        queries = tables.queries.spill(join.directory / "queries", QUERY, parts, join.rejected)
        judgments = self._with_places(tables.judgments, "judgments", parts)
        pairs = None if self._pairs is None else self._with_places(self._pairs, "candidates", parts)
        partitions = ListPartitions(tables.judgments, judgments, Queries(tables.queries, queries), DOCUMENT_PLACE)
        if partitions.by_time:
            partitions = partitions.with_bounds()
        choice = self._empty(ways)
        for part in range(parts):
            found = partitions.read(part, join.rejected)
            if pairs is None:
                self._sample(found, choice, part, parts)
            else:
                candidates = self._candidates(found, pairs.read_whole(part))
                self._add(found.heads, self._judgments(found, 0, len(found.splits)), candidates, choice)
        choice.rows.close()
        choice.heads.close()
        choice.bounds = partitions.bounds
        return choice

    def _empty(self, ways: int) -> Choice:
        tables, directory = self._tables, self._join.directory
        none = pa.RecordBatch.from_pylist([], tables.queries.schema)
        heads = heads_of(self._join.spec, none, np.empty(0, np.int8), np.empty(0, np.int64))
        fields = [pa.field(LIST, pa.int64()), pa.field(DOCUMENT_PLACE, pa.int64())]
        fields += [tables.judgments.schema.field(name) for name in self._judged]
        fields += [self._pairs.schema.field(name) for name in self._of_pair] if self._pairs else []
        return Choice(Spill(directory / "chosen", pa.schema(fields), ways), Spill(directory / "heads", heads.schema, 1))

    def _with_places(self, table: SourceTable, name: str, parts: int) -> Spill:
        """The rows of a table whose documents are there, with their places, spread by query."""
        spill = Spill(self._join.directory / name, table.schema.append(pa.field(DOCUMENT_PLACE, pa.int64())), parts)
        rejected = None if table.own_names else self._join.rejected
        for rows in table.rows(rejected):
            places = self._collection.places(rows[DOCUMENT])
            table.reject(rows, places < 0, "unknown document id", rejected)
            known = take(rows, places >= 0).columns
            batch = pa.RecordBatch.from_arrays([*known, pa.array(places[places >= 0])], schema=spill.schema)
            spill.write(batch, partition_of(hash_ids(batch[QUERY]), parts))
        spill.close()
        return spill

    # --- the rows of a partition --------------------------------------------------------------------------------------

    def _judgments(self, found: PartLists, first: int, end: int) -> Judged:
        """What was judged for some of the lists, numbered from the first of them."""
        listed = found.listed
        bounds = np.searchsorted(listed.of_row[listed.order], [first, end])
        order = listed.order[bounds[0] : bounds[1]]
        rows = listed.rows.select([*self._judged, DOCUMENT_PLACE]).take(pa.array(order))
        lists = listed.of_row[order]
        kept = np.ones(len(order), bool)
        if not isinstance(self._join.spec.data.candidates, SampledCandidates):
            kept = (found.splits[lists] == _TRAIN) & (rows[LABEL].to_numpy() > 0)
        return Judged(rows.select(self._judged), lists - first, rows[DOCUMENT_PLACE].to_numpy(), kept)

    def _candidates(self, found: PartLists, rows: pa.RecordBatch) -> Candidates:
        """Rows of the table of candidates for the lists of their queries."""
        table, listed = self._pairs, found.listed
        assert table is not None  # noqa: S101 - narrows the type
        rejected = None if table.own_names else self._join.rejected
        of_query = pc.index_in(rows[QUERY], value_set=found.queries[QUERY])
        unknown = pc.is_null(of_query).to_numpy(zero_copy_only=False)
        table.reject(rows, unknown, "unknown query id", rejected)
        rows, query = take(rows, ~unknown), of_query.drop_null().to_numpy().astype(np.int64)
        order = np.argsort(rows[PLACE].to_numpy())
        again = np.zeros(len(order), bool)
        again[order] = repeated(query[order], rows[DOCUMENT_PLACE].to_numpy()[order])
        table.reject(rows, again, "duplicate (query, document) pair", rejected)
        rows, query = take(rows, ~again), query[~again]
        list_of = np.full((len(SPLITS), found.queries.num_rows), -1)
        list_of[listed.file, listed.query] = np.arange(len(listed.query))
        row = [np.flatnonzero(of[query] >= 0) for of in list_of]
        lists = np.concatenate([of[query[some]] for of, some in zip(list_of, row, strict=True)])
        rows = rows.take(pa.array(np.concatenate(row)))
        return Candidates(lists, rows[DOCUMENT_PLACE].to_numpy(), rows.select(self._of_pair) if self._of_pair else None)

    def _add(self, heads: pa.RecordBatch, judged: Judged, candidates: Candidates, choice: Choice) -> None:
        """Add the documents of lists, and count what is left out."""
        spec = self._join.spec.data.candidates
        drop = isinstance(spec, Bm25Candidates | TableCandidates) and spec.unjudged == "drop"
        chosen = candidate_rows(judged, candidates, len(self._collection), drop_unjudged=drop)
        empty = choice.add(heads, chosen.rows, self._collection)
        for what, count in (
            ("judged document that is no candidate", chosen.not_relevant),
            ("relevant document that is no candidate", chosen.relevant),
            ("candidate without judgment", chosen.unjudged),
            ("list without documents", empty),
        ):
            if count:
                self._unused[what] += count

    # --- samples ------------------------------------------------------------------------------------------------------

    def _sample(self, found: PartLists, choice: Choice, part: int, parts: int) -> None:
        """Lists with documents drawn for them; but those for validation and test with all, or with those judged."""
        spec = self._join.spec.data.candidates
        assert isinstance(spec, SampledCandidates)  # noqa: S101 - narrows the type
        if spec.test == "all":
            found = self._without_whole(found, choice, part, parts)
        per_step = max(1, _SAMPLED // spec.n)
        for first in range(0, len(found.splits), per_step):
            splits = found.splits[first : first + per_step]
            judged = self._judgments(found, first, first + len(splits))
            heads = found.heads.slice(first, len(splits))
            self._add(heads, judged, self._drawn(heads, judged, splits, spec), choice)

    def _drawn(self, heads: pa.RecordBatch, judged: Judged, splits: np.ndarray, spec: SampledCandidates) -> Candidates:
        """Documents for the training lists."""
        train = np.flatnonzero(splits == _TRAIN)
        own = splits[judged.lists] == _TRAIN
        queries = hash_ids(heads[QUERY].take(pa.array(train)))
        lists = np.searchsorted(train, judged.lists[own])
        drawn, documents = draw(queries, spec.n, len(self._collection), lists, judged.documents[own], spec.seed)
        return Candidates(train[drawn], documents)

    def _without_whole(self, found: PartLists, choice: Choice, part: int, parts: int) -> PartLists:
        """The training lists; what was judged of the others is written."""
        whole = found.splits != _TRAIN
        join, listed = self._join, found.listed.only(whole)
        directory = whole_directory(join.directory)
        directory.mkdir(exist_ok=True)
        files = [lists_file(directory, part, parts, join.shards, split) for split in SPLITS]
        write_judged(take(found.heads, whole), listed, self._judged, files)
        choice.whole += int(whole.sum())
        return PartLists(found.queries, found.listed.only(~whole), take(found.heads, ~whole), found.splits[~whole])
