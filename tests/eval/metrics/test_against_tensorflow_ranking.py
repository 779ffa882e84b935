import numpy as np
import pytest

from eval.metrics import parse_metric
from tests.eval.metrics.reference import as_lists

K = 5


@pytest.fixture(scope="module")
def their_metrics():
    """TensorFlow Ranking's metric of padded labels and scores, by the text of ours."""
    from ranker.models.tensorflow_ranking import tfr

    keras = tfr.keras.metrics
    return {
        f"ndcg@{K}(empty=zero)": keras.NDCGMetric(topn=K),
        "ndcg(empty=zero)": keras.NDCGMetric(),
        f"dcg@{K}(empty=zero)": keras.DCGMetric(topn=K),
        f"mrr@{K}(relevant=1,empty=zero)": keras.MRRMetric(topn=K),
        f"p@{K}(relevant=1,empty=zero)": keras.PrecisionMetric(topn=K),
        f"recall@{K}(relevant=1,empty=zero)": keras.RecallMetric(topn=K),
        f"hits@{K}(relevant=1,empty=zero)": keras.HitsMetric(topn=K),
        f"map@{K}(relevant=1,empty=zero)": keras.MeanAveragePrecisionMetric(topn=K),
        "arp": keras.ARPMetric(),
        "pair_accuracy": keras.OPAMetric(),
    }


def test_agrees_with_tensorflow_ranking_list_by_list(their_metrics):
    """Without ties, which it breaks at random."""
    random = np.random.default_rng(5)
    sizes = random.integers(K, 14, size=40)
    lists = [list(zip(random.integers(0, 4, n).tolist(), random.permutation(n).tolist(), strict=True)) for n in sizes]
    lists += [[(0, n) for n in range(6)]]
    batch, scores = as_lists(lists)
    for text, metric in their_metrics.items():
        expected = []
        for one in lists:
            metric.reset_state()
            labels, given = (np.array([column], dtype=np.float32) for column in zip(*one, strict=True))
            metric.update_state(labels, given)
            expected.append(float(metric.result()))
        found = parse_metric(text).per_list(batch, scores)
        counted = ~np.isnan(found)
        assert counted.sum() >= 40, text
        np.testing.assert_allclose(found[counted], np.array(expected)[counted], rtol=1e-5, err_msg=text)
