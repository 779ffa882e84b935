"""Reading `ranker.yaml`: what is right loads, what is wrong is said with its place, all at once."""

from __future__ import annotations

import re

import pytest

from ranker.errors import RankerError
from ranker.spec import LambdaMart, SelfAttention, SingleFeature, SpecError, load_spec


def line_of(text: str, fragment: str) -> int:
    """1-based number of the only line that holds `fragment`."""
    numbers = [number for number, line in enumerate(text.splitlines(), start=1) if fragment in line]
    assert len(numbers) == 1, (fragment, numbers)
    return numbers[0]


def test_a_good_spec_loads_with_what_it_says_and_the_defaults(load):
    spec = load()
    assert [type(model) for model in spec.models] == [SelfAttention, LambdaMart, SingleFeature]
    assert spec.data.split.valid == 0.2
    assert spec.data.label == "label"
    assert spec.models[0].width == 32
    assert spec.models[0].heads == 4
    assert spec.features.dense_names == ["price", "bm25_query_title"]
    assert spec.evaluation.baseline == "bm25"
    assert spec.training.epochs == 20
    assert spec.serving.rest_port == 8501


# --- faults in the file ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "wrong", "where", "nearest"),
    [
        ("training:", "trianing:", "trianing", "training"),
        ("epochs:", "epoch:", "training.epoch", "epochs"),
        ("width:", "widht:", "models.0.widht", "width"),
        ("top_k:", "topk:", "features.query.1.vocabulary.topk", "top_k"),
        ("judgments:", "judgements:", "data.sources.0.judgements", "judgments"),
        ("transform:", "transforms:", "features.document.1.transforms", "transform"),
    ],
)
def test_an_unknown_key_names_the_nearest_right_one_and_its_line(text, faults, right, wrong, where, nearest):
    changed = text.replace(right, wrong)
    line = line_of(changed, wrong)
    assert f"ranker.yaml:{line}: {where}: unknown key; did you mean {nearest!r}?" in faults(changed)


def test_a_key_near_none_lists_those_of_its_kind_only(text, faults):
    [fault] = faults(text.replace("kind: lambdamart", "kind: lambdamart, zzz: 1"))
    place = f"ranker.yaml:{line_of(text, 'lambdamart')}: models.1.zzz: unknown key; known here: "
    assert fault.startswith(place)
    known = fault.removeprefix(place).split(", ")
    assert {"trees", "leaves", "name", "kind"} <= set(known)
    assert not {"width", "feature"} & set(known)


def test_all_faults_come_in_one_report(text, faults):
    changed = text.replace("epochs: 20", "epochs: 0").replace("width: 32", "width: wide").replace("version: 1\n", "")
    changed = changed.replace("model_name: store", "modelname: store")
    assert faults(changed) == [
        "ranker.yaml:2: version: Field required",
        f"ranker.yaml:{line_of(changed, 'wide')}: models.0.width: Input should be a valid integer, got 'wide'",
        f"ranker.yaml:{line_of(changed, 'epochs')}: training.epochs: Input should be greater than or equal to 1, got 0",
        f"ranker.yaml:{line_of(changed, 'modelname')}: serving.modelname: unknown key; did you mean 'model_name'?",
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "where", "message"),
    [
        ("epochs: 20", "epochs: '20'", "training.epochs", "Input should be a valid integer, got '20'"),
        ("epochs: 20", "epochs: 20.0", "training.epochs", "Input should be a valid integer, got 20.0"),
        ("epochs: 20", "epochs: true", "training.epochs", "Input should be a valid integer, got True"),
        ("valid: 0.2", "valid: .nan", "data.split.valid", "finite number, got nan"),
        ("valid: 0.2", "valid: 1.5", "data.split.valid", "less than 1, got 1.5"),
        ("width: 32", "width: null", "models.0.width", "Input should be a valid integer, got None"),
        ("model_name: store", "model_name: no", "serving.model_name", "valid string, got False"),
        ("name: price", "name: p rice", "features.document.1.name", "got 'p rice'"),
        ("[log1p]", "[log]", "features.document.1.transform.0", "'zscore' or 'minmax', got 'log'"),
        ("kind: lambdamart", "kind: forest", "models.1", "'self_attention', 'gam', 'lambdamart', 'single_feature'"),
        ("version: 1", "version: 2", "version", "Input should be 1, got 2"),
        ("training: {epochs: 20}", "training:", "training", "got None"),
        ("metrics: [ndcg@10]", "metrics: ndcg@10", "evaluation.metrics", "valid list, got 'ndcg@10'"),
        ("metrics: [ndcg@10]", "metrics: []", "evaluation.metrics", "at least 1 item"),
    ],
)
def test_a_wrong_value_is_told_with_its_line_and_what_it_was(text, faults, right, wrong, where, message):
    changed = text.replace(right, wrong)
    [fault] = faults(changed)
    assert fault.startswith(f"ranker.yaml:{line_of(changed, wrong)}: {where}: ")
    assert message in fault


@pytest.mark.parametrize("key", ["1", "~", "on", "2020-01-01"])
def test_a_key_that_is_no_text_is_refused(text, faults, key):
    [fault] = faults(f"{text}{key}: 3\n")
    assert "Keys should be strings" in fault


def test_a_fault_of_a_whole_section_names_its_line(text, faults):
    changed = text.replace("width: 32", "width: 33")
    assert faults(changed) == [
        f"ranker.yaml:{line_of(changed, 'width: 33')}: models.0: width 33 is not a multiple of heads 4"
    ]


# --- YAML -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "wrong", "key"),
    [
        ("evaluation:", "training: {seed: 1}  # again\nevaluation:", "training"),
        ("[net, trees]}", "[net], members: [trees]}  # again", "members"),
        ("width: 32}", "width: 32, width: 32}  # again", "width"),
    ],
)
def test_a_repeated_key_is_refused_at_every_depth(text, faults, right, wrong, key):
    changed = text.replace(right, wrong)
    report = "\n".join(faults(changed))
    assert f"key {key!r} is there twice" in report
    assert f"line {line_of(changed, '# again')}," in report


def test_a_merge_is_no_repeated_key(text, load):
    assert load(text.replace("{epochs: 20}", "{<<: {epochs: 3, seed: 4}, seed: 5}")).training.model_dump() == {
        **load().training.model_dump(),
        "epochs": 3,
        "seed": 5,
    }


@pytest.mark.parametrize(("written", "number"), [("1e-3", 0.001), ("1E-3", 0.001), ("2.5e-1", 0.25), ("1", 1.0)])
def test_numbers_with_an_exponent_are_numbers(text, load, written, number):
    """PyYAML alone takes 1e-3 for a text."""
    assert load(text.replace("epochs: 20", f"learning_rate: {written}")).training.learning_rate == number
    assert load(text, [f"training.learning_rate={written}"]).training.learning_rate == number


@pytest.mark.parametrize(
    "broken",
    ["a: [1", "a:\n\t- b", "a: *b", "a: !!python/object:os.system {}", "a: 1\n---\nb: 1", "? [a]\n: 1", "a: \x01"],
)
def test_what_is_not_plain_yaml_is_refused(faults, broken):
    assert faults(broken)[0].startswith("ranker.yaml: not valid YAML: ")


@pytest.mark.parametrize(("content", "got"), [("", "None"), ("# only this\n", "None"), ("- 1", "[1]"), ("hi", "'hi'")])
def test_what_is_not_a_mapping_is_refused(faults, content, got):
    [fault] = faults(content)
    assert fault == (
        "ranker.yaml: expected a mapping with the keys version, data, features, validation, models, blend, training, "
        f"evaluation, gate, serving, got {got}"
    )


# --- the file -------------------------------------------------------------------------------------------------------


def test_a_missing_file_names_itself_and_a_way_out(tmp_path):
    path = tmp_path / "none.yaml"
    with pytest.raises(SpecError, match=f"^{re.escape(str(path))}: cannot read the spec: No such file.*ranker init"):
        load_spec(path)


def test_a_folder_is_no_spec(tmp_path):
    with pytest.raises(SpecError, match="cannot read the spec: Is a directory"):
        load_spec(tmp_path)


def test_text_that_is_not_utf8_is_refused_with_its_place(tmp_path):
    path = tmp_path / "ranker.yaml"
    path.write_bytes(b"# caf" + "é".encode("latin-1") + b"\nversion: 1\n")
    with pytest.raises(SpecError, match=r"not UTF-8 text: .* at byte 5"):
        load_spec(path)


def test_a_byte_order_mark_is_no_fault(tmp_path, text):
    path = tmp_path / "ranker.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load_spec(path).version == 1


def test_a_spec_error_is_one_that_commands_print():
    assert issubclass(SpecError, RankerError)


# --- overrides ------------------------------------------------------------------------------------------------------


def test_overrides_set_values_new_keys_new_sections_and_list_items(text, load):
    spec = load(
        text.replace("serving: {model_name: store}\n", ""),
        [
            "training.epochs=3",
            "training.seed=11",
            "serving.model_name=shop",
            "models.0.width=8",
            "features.document.1.transform=[zscore]",
            "blend.members.1=bm25",
            "models.1={name: trees, kind: lambdamart, leaves: 15}",
        ],
    )
    assert (spec.training.epochs, spec.training.seed) == (3, 11)
    assert spec.serving.model_name == "shop"
    assert (spec.models[0].width, spec.models[0].heads) == (8, 4)
    assert spec.features.document[1].transform == ["zscore"]
    assert spec.blend.members == ["net", "bm25"]
    assert spec.models[1].leaves == 15


def test_the_last_override_of_a_key_wins(text, load):
    assert load(text, ["training.epochs=3", "training.epochs=4"]).training.epochs == 4


def test_an_override_may_hold_an_equals_sign(text, load):
    assert load(text, ["data.label=a=b"]).data.label == "a=b"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epochs", "expected path.to.key=value"),
        ("=3", "expected path.to.key=value"),
        ("models.3.width=3", "models is a list; expected a number from 0 to 2, got '3'"),
        ("models.-1.width=3", "models is a list; expected a number from 0 to 2, got '-1'"),
        ("models.²={}", "models is a list; expected a number from 0 to 2, got '²'"),
        ("models.net.width=3", "models is a list; expected a number from 0 to 2, got 'net'"),
        ("blend.members.2=bm25", "blend.members is a list; expected a number from 0 to 1, got '2'"),
        ("version.x=3", "version is a single value, it has no 'x'"),
        ("version.x.y=3", "version is a single value, it has no 'x'"),
        ("training.epochs=[", "not a YAML value: "),
        ("training={epochs: 1, epochs: 2}", "not a YAML value: key 'epochs' is there twice"),
    ],
)
def test_an_override_that_cannot_be_applied_names_itself(text, faults, override, message):
    assert faults(text, [override])[0].startswith(f"--set {override}: {message}")


@pytest.mark.parametrize(
    ("override", "rest"),
    [
        ("training.epochs=0", "training.epochs: Input should be greater than or equal to 1, got 0"),
        ("training.epoch=3", "training.epoch: unknown key; did you mean 'epochs'?"),
        ("training={epoch: 3}", "training.epoch: unknown key; did you mean 'epochs'?"),
        ("models.0.widht=3", "models.0.widht: unknown key; did you mean 'width'?"),
        ("models.1.leaves=1", "models.1.leaves: Input should be greater than or equal to 2, got 1"),
        ("models.1={kind: lambdamart}", "models.1.name: Field required"),
    ],
)
def test_a_fault_that_an_override_wrote_names_the_override_not_a_line(text, faults, override, rest):
    assert faults(text, ["training.seed=1", override]) == [f"ranker.yaml (--set {override}): {rest}"]


@pytest.mark.parametrize(
    ("override", "section", "rest"),
    [
        ("models.0.width=33", "name: net", "models.0: width 33 is not a multiple of heads 4"),
        ("features.query.1.name=mask", "features:", "features: feature name 'mask' is one of the engine's own"),
        (
            "data.split.valid=0.9",
            "split:",
            "data.split: valid + test = 1.15 leaves no lists for training; expected < 1",
        ),
    ],
)
def test_a_clash_of_an_override_with_the_file_names_both(text, faults, override, section, rest):
    [fault] = faults(text, [override, "training.seed=1"])
    assert fault.startswith(f"ranker.yaml:{line_of(text, section)} (with --set {override}): {rest}")


def test_a_fault_of_the_file_is_not_put_down_to_an_override(text, faults):
    changed = text.replace("epochs: 20", "epochs: 0")
    assert faults(changed, ["training.seed=1"]) == [
        f"ranker.yaml:{line_of(changed, 'epochs')}: training.epochs: Input should be greater than or equal to 1, got 0"
    ]
