"""Ranking metrics, one per file, as values: `parse_metric("ndcg@10")` gives one, `str()` prints it back.

* `Metric`: one figure per list, `METRICS` by name; `parse_metric` reads one, `metric.per_list(lists, scores)` or, for
  several metrics on one order, `metric.values(ranking)` computes it
* `ContentMetric`: a `Metric` of lists that know what their documents are about (`eval.content.ContentLists`),
  `CONTENT_METRICS` by name; `parse_metric` reads these too
* `RunMetric`: a figure of all lists together, `RUN_METRICS` by name; `parse_run_metric`, `metric.measure(ranking,
  catalogue)`
* `parse_measure` reads any of them
* `CONTRACTS`: the choices of other tools, for `parse_metric`

Policies for gain, ties, empty lists, the ideal and missing queries are options of each metric that has them.
"""

from eval.metrics.alpha_ndcg import AlphaNDCG
from eval.metrics.auc import AUC
from eval.metrics.average_precision import AveragePrecision
from eval.metrics.average_relevance_position import AverageRelevancePosition
from eval.metrics.catalogue import Catalogue
from eval.metrics.content_metric import ContentMetric
from eval.metrics.contracts import CONTRACTS
from eval.metrics.coverage import Coverage
from eval.metrics.dcg import DCG
from eval.metrics.expected_reciprocal_rank import ExpectedReciprocalRank
from eval.metrics.gini import Gini
from eval.metrics.intra_list_diversity import IntraListDiversity
from eval.metrics.judged import Judged
from eval.metrics.metric import Metric
from eval.metrics.ndcg import NDCG
from eval.metrics.novelty import Novelty
from eval.metrics.pair_accuracy import PairAccuracy
from eval.metrics.parse import CONTENT_METRICS, METRICS, RUN_METRICS, parse_measure, parse_metric, parse_run_metric
from eval.metrics.precision import Precision
from eval.metrics.rank_biased_precision import RankBiasedPrecision
from eval.metrics.recall import Recall
from eval.metrics.reciprocal_rank import ReciprocalRank
from eval.metrics.run_metric import RunMetric
from eval.metrics.success import Success

__all__ = [
    "AUC",
    "CONTENT_METRICS",
    "CONTRACTS",
    "DCG",
    "METRICS",
    "NDCG",
    "RUN_METRICS",
    "AlphaNDCG",
    "AveragePrecision",
    "AverageRelevancePosition",
    "Catalogue",
    "ContentMetric",
    "Coverage",
    "ExpectedReciprocalRank",
    "Gini",
    "IntraListDiversity",
    "Judged",
    "Metric",
    "Novelty",
    "PairAccuracy",
    "Precision",
    "RankBiasedPrecision",
    "Recall",
    "ReciprocalRank",
    "RunMetric",
    "Success",
    "parse_measure",
    "parse_metric",
    "parse_run_metric",
]
