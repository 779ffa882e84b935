"""What `train` refuses before it trains."""

from __future__ import annotations

import shutil

import pytest

from ranker.bundle import verify
from ranker.data.artefacts import ArtefactError
from ranker.data.dataset import Dataset
from ranker.errors import RankerError
from ranker.spec import Blend, load_spec
from ranker.workflows.prepare import prepare
from ranker.workflows.train import train
from training.export import export


def test_a_mistyped_metric_is_named_before_the_training(dataset, progress, tmp_path):
    spec = dataset.spec.model_copy(
        update={"evaluation": dataset.spec.evaluation.model_copy(update={"metrics": ["ndcg@10", "ndgc@5"]})}
    )
    stages = len(progress.stages)
    with pytest.raises(RankerError, match=r"evaluation\.metrics: metric 'ndgc@5': unknown name .* did you mean ndcg"):
        train(dataset, tmp_path / "bundle", progress, spec)
    assert len(progress.stages) == stages


def test_a_metric_that_is_there_twice_is_named(dataset, progress, tmp_path):
    evaluation = dataset.spec.evaluation.model_copy(update={"metrics": ["ndcg@10", "ndcg@10"]})
    with pytest.raises(RankerError, match="ndcg@10 is there twice"):
        train(dataset, tmp_path / "bundle", progress, dataset.spec.model_copy(update={"evaluation": evaluation}))


@pytest.mark.parametrize(
    ("label", "message"),
    [("1.5", "whole numbers from 0 to 30; 1 of 6 are not, e.g. 1.5"), ("31", "whole numbers from 0 to 30")],
)
def test_labels_that_no_model_can_take_are_named_before_the_training(dataset, progress, tmp_path, label, message):
    copied = Dataset(shutil.copytree(dataset.path, tmp_path / "dataset"))
    copied.manifest["splits"]["train"]["labels"][label] = 1
    stages = len(progress.stages)
    with pytest.raises(RankerError, match=message):
        train(copied, tmp_path / "bundle", progress)
    assert len(progress.stages) == stages


def test_a_folder_that_is_no_bundle_is_refused_before_the_training(dataset, progress, tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    stages = len(progress.stages)
    with pytest.raises(ArtefactError, match="neither an artefact nor an empty folder"):
        train(dataset, tmp_path, progress)
    assert len(progress.stages) == stages


def test_an_export_that_is_not_the_trained_model_is_refused(dataset, progress, tmp_path, monkeypatch):
    """The scorers in the graph are shifted; what they are compared with is not."""

    def shifted(directory, transform, columns, layout, members, blend):
        wrong = {name: (lambda f, m, scorer=scorer: 1.001 * scorer(f, m) + 0.01) for name, scorer in members.items()}
        for name, scorer in members.items():
            wrong[name].variables = scorer.variables
        export(directory, transform, columns, layout, wrong, blend)

    models = [m for m in dataset.spec.models if m.kind != "self_attention"]
    models = [m.model_copy(update={"trees": 3}) if m.kind == "lambdamart" else m for m in models]
    spec = dataset.spec.model_copy(update={"models": models, "blend": Blend(members=["trees"])})
    monkeypatch.setattr("ranker.workflows.train.export", shifted)
    with pytest.raises(ArtefactError, match="the exported trees differs from the trained one by up to"):
        train(dataset, tmp_path / "bundle", progress, spec)
    assert list(tmp_path.iterdir()) == []


def test_other_features_than_the_datasets_are_refused(dataset, progress, tmp_path):
    features = dataset.spec.features
    spec = dataset.spec.model_copy(update={"features": features.model_copy(update={"document": features.document[:1]})})
    with pytest.raises(ArtefactError, match=r"another 'features' section .*ranker prepare"):
        train(dataset, tmp_path / "bundle", progress, spec)
    assert list(tmp_path.iterdir()) == []


def test_a_spec_of_letor_files_can_be_given_again(tmp_path, progress):
    """The dataset knows how many features the files have, the spec does not."""
    rows = [f"{d % 3} qid:{q} 1:{d}.{q} 2:{q}" for q in range(60) for d in range(6)]
    (tmp_path / "train.txt").write_text("\n".join(rows))
    (tmp_path / "test.txt").write_text("\n".join(row.replace("qid:", "qid:9") for row in rows[:90]))
    (tmp_path / "ranker.yaml").write_text(
        "version: 1\n"
        "data: {sources: [{kind: letor, train: train.txt, test: test.txt}], split: {valid: 0.3}}\n"
        "models: [{name: trees, kind: lambdamart, trees: 3}]\n"
        "blend: {members: [trees]}\n"
    )
    prepare(load_spec(tmp_path / "ranker.yaml"), tmp_path / "dataset", progress)
    spec = load_spec(tmp_path / "ranker.yaml", ["models.0.leaves=5"])
    manifest = train(Dataset(tmp_path / "dataset"), tmp_path / "bundle", progress, spec)
    assert manifest["spec"]["models"][0]["leaves"] == 5
    assert manifest["columns"] == [
        {"name": "features", "scope": "document", "dtype": "float32", "width": 2, "multivalued": False}
        | {"separator": None}
    ]
    assert verify(tmp_path / "bundle") == 15
