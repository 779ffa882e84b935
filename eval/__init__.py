"""Evaluation: scored lists in, metrics with intervals and paired comparisons out. Plain numpy, no TensorFlow or Beam.

`eval.evaluate.evaluate` makes of scored lists an `eval.evaluation.Evaluation`; `eval.runs.compare_runs` makes one of
tables of figures per query, of several runs. `eval.report.build.report_of` turns it into a report, `eval.gate.decide`
into a decision. The way of the data:

* `eval.score_files`, `eval.score_table`, `eval.score_parts`: files of scores, read and checked, in memory or in parts;
  `eval.trec`: judgements and runs of TREC
* `eval.survey`, `eval.slices`: what has to be known of all lists first, and what they are cut into
* `eval.measuring`: a part of the lists, measured: `eval.lists`, `eval.ranking`, `eval.metrics` (each metric is a value;
  `parse_metric("ndcg@10")`), `eval.slice_values`
* `eval.tally`: what parts add up to: `eval.sums`, of random numbers from `eval.resampling`; `eval.per_query`: figures
  of each list
* `eval.figures`: from sums to figures: `eval.intervals`, `eval.compare` (tests), `eval.multiplicity`, `eval.power`;
  `eval.changes` and `eval.calibration`: how differences are spread, and how labels go with scores

Importing this package loads nothing else.
"""
