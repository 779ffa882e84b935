"""What `train` refuses before it trains."""

from __future__ import annotations

import pytest

from ranker.data.artefacts import ArtefactError
from ranker.errors import RankerError
from ranker.workflows.train import train


def test_a_mistyped_metric_is_named_before_the_training(dataset, progress, tmp_path):
    spec = dataset.spec.model_copy(
        update={"evaluation": dataset.spec.evaluation.model_copy(update={"metrics": ["ndcg@10", "ndgc@5"]})}
    )
    stages = len(progress.stages)
    with pytest.raises(RankerError, match=r"evaluation\.metrics: metric 'ndgc@5': unknown name .* did you mean ndcg"):
        train(dataset, tmp_path / "bundle", progress, spec)
    assert len(progress.stages) == stages


def test_other_features_than_the_datasets_are_refused(dataset, progress, tmp_path):
    features = dataset.spec.features
    spec = dataset.spec.model_copy(update={"features": features.model_copy(update={"document": features.document[:1]})})
    with pytest.raises(ArtefactError, match=r"another 'features' section .*ranker prepare"):
        train(dataset, tmp_path / "bundle", progress, spec)
    assert list(tmp_path.iterdir()) == []
