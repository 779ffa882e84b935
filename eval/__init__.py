"""Evaluation: score tables in, metrics with intervals and paired comparisons out. Plain numpy, no TensorFlow or Beam.

Start at `eval.evaluate.evaluate`, which turns a score table into an `eval.report.Report`. Below it:

* `eval.metrics`: each metric is a value; `parse_metric("ndcg@10")`
* `eval.lists`: `Lists`, the ragged lists every metric reads; `eval.ranking`: their order by score, ties marked
* `eval.score_table`: reads and checks an Arrow score table
* `eval.intervals`: the Poisson bootstrap over queries; `eval.compare`: tests of paired differences

Importing this package loads nothing else.
"""

__all__ = ["compare", "evaluate", "intervals", "lists", "metrics", "ranking", "report", "score_table"]
