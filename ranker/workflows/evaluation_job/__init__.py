"""The evaluation as Beam jobs over shards of scores: the figures of `eval`, on any number of workers.

The first job reads the shards and shares their rows out among partitions, files in a folder that all workers see; a
partition has whole lists of whole units. Each pass that `eval.evaluate` makes over the lists is a job more: workers
take partitions, what `eval` computes of them adds up. Nothing is computed here.
"""

from ranker.workflows.evaluation_job.start import Job, share_scores_out

__all__ = ["Job", "share_scores_out"]
