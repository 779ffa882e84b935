"""Artefacts are whole or not there, and are what they say."""

from __future__ import annotations

import stat

import pytest

from ranker.data.artefacts import FORMAT_VERSION, ArtefactError, new_directory, read_manifest, write_json


def everything(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def whole(path, content="old"):
    """An artefact at `path`."""
    path.mkdir(parents=True)
    (path / "manifest.json").write_text(content)
    return path


# --- new_directory ---------------------------------------------------------------------------------------------------


def test_the_folder_appears_when_the_block_ends_with_all_that_was_written(tmp_path):
    path = tmp_path / "not" / "there" / "dataset"
    with new_directory(path) as building:
        (building / "deep").mkdir()
        (building / "deep" / "file").write_text("content")
        assert not path.exists()
        assert building.parent == path.parent, "a rename within one file system"
    assert everything(tmp_path) == {"not/there/dataset/deep/file": "content"}
    assert [entry.name for entry in path.parent.iterdir()] == ["dataset"]


def test_a_failure_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), new_directory(tmp_path / "dataset") as building:
        (building / "file").write_text("half")
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_old_one(tmp_path):
    path = whole(tmp_path / "dataset")
    with pytest.raises(KeyboardInterrupt), new_directory(path) as building:
        (building / "manifest.json").write_text("new")
        raise KeyboardInterrupt
    assert everything(tmp_path) == {"dataset/manifest.json": "old"}


def test_the_old_one_is_replaced_not_merged(tmp_path):
    path = whole(tmp_path / "dataset")
    (path / "gone").write_text("old")
    with new_directory(path) as building:
        (building / "manifest.json").write_text("new")
        assert everything(path) == {"manifest.json": "old", "gone": "old"}
    assert everything(tmp_path) == {"dataset/manifest.json": "new"}


def test_the_old_one_comes_back_when_the_new_one_cannot_take_its_place(tmp_path):
    path = whole(tmp_path / "dataset")
    with pytest.raises(FileNotFoundError), new_directory(path) as building:
        building.rmdir()
    assert everything(tmp_path) == {"dataset/manifest.json": "old"}


@pytest.mark.parametrize("nested", [True, False])
def test_what_is_no_artefact_is_not_replaced(tmp_path, nested):
    """`--out .` or `--out ~` must not cost the user what is there."""
    path = tmp_path / "home"
    if nested:
        path.mkdir()
        (path / "thesis.txt").write_text("years of work")
    else:
        path.write_text("years of work")
    before = everything(tmp_path)
    with pytest.raises(ArtefactError, match="neither an artefact nor an empty folder"), new_directory(path):
        pytest.fail("nothing is to be built")
    assert everything(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == 1


def test_an_empty_folder_may_be_filled(tmp_path, monkeypatch):
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with new_directory(type(folder)()) as building:  # the path "."
        (building / "file").write_text("new")
    assert everything(tmp_path) == {"empty/file": "new"}


def test_a_link_stays_a_link(tmp_path):
    target = whole(tmp_path / "disk" / "dataset")
    link = tmp_path / "dataset"
    link.symlink_to(target)
    with new_directory(link) as building:
        (building / "manifest.json").write_text("new")
    assert link.is_symlink()
    assert (target / "manifest.json").read_text() == "new"
    assert [entry.name for entry in (tmp_path / "disk").iterdir()] == ["dataset"]


def test_the_remains_of_a_killed_run_do_not_stop_the_next_one(tmp_path):
    """In a container every run may have the same process id; two builds at once have it anyway."""
    path = tmp_path / "dataset"
    with new_directory(path) as one, new_directory(path) as two:
        (one / "manifest.json").write_text("one")
        (two / "manifest.json").write_text("two")
    assert everything(tmp_path) == {"dataset/manifest.json": "one"}


def test_others_may_read_an_artefact(tmp_path):
    ordinary = tmp_path / "ordinary"
    ordinary.mkdir()
    with new_directory(tmp_path / "dataset"):
        pass
    assert stat.S_IMODE((tmp_path / "dataset").stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


# --- JSON ------------------------------------------------------------------------------------------------------------


def test_json_is_written_as_people_read_it(tmp_path):
    write_json(tmp_path / "a.json", {"größe": [1.5, None]})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "größe": [\n    1.5,\n    null\n  ]\n}\n'


@pytest.mark.parametrize("content", [{"mean": float("nan")}, {"x": object()}])
def test_what_is_no_json_leaves_the_old_file(tmp_path, content):
    (tmp_path / "a.json").write_text("old")
    with pytest.raises((ValueError, TypeError)):
        write_json(tmp_path / "a.json", content)
    assert everything(tmp_path) == {"a.json": "old"}


# --- manifests -------------------------------------------------------------------------------------------------------


def test_a_manifest_is_read_as_written(tmp_path):
    manifest = {"kind": "dataset", "format_version": FORMAT_VERSION, "more": [1]}
    write_json(tmp_path / "manifest.json", manifest)
    assert read_manifest(tmp_path, "dataset") == manifest


@pytest.mark.parametrize(("kind", "command"), [("dataset", "ranker prepare"), ("bundle", "ranker train")])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"no {kind} here \(manifest.json: No such file or directory\); make one with `{command}`"),
        (b'{"kind": "data', r"not valid JSON \(Unterminated string.*\); make the {kind} anew with `{command}`"),
        (b"", r"not valid JSON \(.*\); make the {kind} anew with `{command}`"),
        (b"\xff\xfe", r"not valid JSON \(.*\); make the {kind} anew with `{command}`"),
        (b'{"kind": "report"}', "expected a {kind}, found 'report'; make one with `{command}`"),
        (b"{}", "expected a {kind}, found None; make one with `{command}`"),
        (b"[1]", "expected a {kind}, found None; make one with `{command}`"),
    ],
)
def test_what_is_no_manifest_is_refused_with_a_way_out(tmp_path, kind, command, content, message):
    if content is not None:
        (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(ArtefactError, match=message.format(kind=kind, command=command)):
        read_manifest(tmp_path, kind)


def test_a_folder_that_is_not_there_or_is_a_file_is_no_artefact(tmp_path):
    (tmp_path / "file").write_text("")
    for name, reason in (("none", "No such file or directory"), ("file", "Not a directory")):
        with pytest.raises(ArtefactError, match=f"{name}: no bundle here .*{reason}"):
            read_manifest(tmp_path / name, "bundle")


def test_a_newer_format_is_refused(tmp_path):
    write_json(tmp_path / "manifest.json", {"kind": "bundle", "format_version": FORMAT_VERSION + 1})
    with pytest.raises(
        ArtefactError, match=f"format_version {FORMAT_VERSION + 1} is newer than {FORMAT_VERSION}.*use a"
    ):
        read_manifest(tmp_path, "bundle")
