"""The source of a spec, opened with all that it needs, and the progress shown."""

from __future__ import annotations

from pathlib import Path

from ranker.data.rejected_rows import RejectedRows
from ranker.data.source import OpenedSource, open_source
from ranker.spec import Bm25Candidates, Spec
from ranker.workflows.progress import Progress

__all__ = ["opened"]


def opened(spec: Spec, directory: Path, rejected: RejectedRows, progress: Progress) -> OpenedSource:
    """Open the source; candidates from bm25 are found first.

    Args:
        spec: names the source.
        directory: for what is needed on the way.
        rejected: takes the rows that are set aside now, and what is left out.
        progress: told of each stage.

    Raises:
        RankerError: for faults of whole files, and of the files of computed features.
    """
    if spec.features.computed:
        from features.computed import with_computed_widths  # these two load TensorFlow

        spec = with_computed_widths(spec)
    candidates = _retrieved(spec, directory, rejected, progress)
    with progress.stage("read and check the source") as stage:

        def tell(rows: int) -> None:
            stage.count(rows, "rows", note=f"{rejected.total:,} set aside" if rejected.total else "")

        return open_source(spec, directory, rejected, tell, candidates)


def _retrieved(spec: Spec, directory: Path, rejected: RejectedRows, progress: Progress) -> Path | None:
    """File of the candidates from bm25, if the spec wants them."""
    if not isinstance(spec.data.candidates, Bm25Candidates):
        return None
    from features.retrieval import retrieve

    with progress.stage("find candidates by BM25") as stage:
        found = retrieve(
            spec,
            directory,
            lambda documents: stage.count(documents, "documents read"),
            lambda done, total: stage.count(done, "documents scored", total),
        )
    counts = {"query without a word for BM25": found.wordless, "query that BM25 finds nothing for": found.unmatched}
    rejected.unused.update({what: count for what, count in counts.items() if count})
    return found.path
