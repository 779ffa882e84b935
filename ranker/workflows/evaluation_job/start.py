"""How an evaluation is run as Beam jobs; nothing of Beam is loaded before one is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eval.evaluate import Request
from eval.passes import Passes
from eval.score_files import ScoreFile
from eval.score_parts import Scores
from ranker.data.tally import Tally
from ranker.workflows.progress import Progress, watching

__all__ = ["Job", "share_scores_out"]


@dataclass(frozen=True)
class Job:
    """What a run on Beam is told.

    Attributes:
        options: as Beam's command line takes them, e.g. `--runner=FlinkRunner`.
        rows_of_part: about so many documents are wanted in a partition, of which a worker holds one at a time.
    """

    options: tuple[str, ...]
    rows_of_part: int = 200_000


def share_scores_out(
    scores: ScoreFile, request: Request, job: Job, folder: Path, progress: Progress
) -> tuple[Scores, Passes]:
    """Share the rows out among partitions, in a first job; passes over these are further ones.

    Args:
        scores: the shards.
        request: what is measured.
        job: how.
        folder: an empty folder that all workers see.
        progress: told of the stage.

    Raises:
        RankerError: for an option that Beam does not have.
        ValueError: the scores cannot be measured; a file that is at fault is named.
    """
    with progress.stage("load Beam"):
        from ranker.workflows.beam_options import pipeline_options
        from ranker.workflows.evaluation_job.folder import SharedFolder
        from ranker.workflows.evaluation_job.job import BeamPasses
        from ranker.workflows.evaluation_job.sharing import Shards, share_out

    options = pipeline_options(job.options, "ranker evaluate", "BUNDLE and DATASET, or SCORES")
    files = ScoreFile(scores.path.absolute(), scores.renamed)  # workers may stand in another folder
    shards = Shards(files, request.columns, request.numbers)
    shared, done = SharedFolder(folder.absolute()), Tally(folder.absolute() / "done")
    with progress.stage("share the scores out") as stage, watching(stage, done, "documents", scores.rows()):
        parts = share_out(shards, shared, options, done, job.rows_of_part)
    return parts, BeamPasses(parts, shared, options)
