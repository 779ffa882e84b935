"""The networks of an older bundle, or of a member trained by itself, to start new ones from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ranker.data.artefacts import FORMAT_VERSION, ArtefactError, read_manifest
from ranker.data.dataset import Dataset
from ranker.data.layout import Layout
from ranker.errors import RankerError
from ranker.spec import Features, Network, Spec
from training.meaning import Entries, meanings
from training.warm_start import WarmStart, warm_start
from training.weights import load_weights

__all__ = [
    "MEMBER_WEIGHTS",
    "OlderNetwork",
    "keep_vocabularies",
    "older_networks",
    "refuse_without_networks",
    "weights_file",
]

MEMBER_WEIGHTS = "weights.npz"
_KEY = "training.warm_start"
_VOCABULARIES = "vocabularies"  # of a member trained by itself; a bundle has them in its SavedModel


@dataclass(frozen=True)
class OlderNetwork:
    """A network to start from.

    Attributes:
        path: of its artefact, as the spec has it.
        weights: the file.
        meanings: what axes mean in the dataset that it was trained on.
    """

    path: str
    weights: Path
    meanings: Mapping[str, Entries]

    def start(self, network: Network, dataset: Dataset, seed: int) -> WarmStart:
        """What a new network takes of it.

        Args:
            network: section of the new one.
            dataset: that it is trained on.
            seed: of its initial weights.

        Raises:
            RankerError: if nothing fits.
        """
        now = meanings(dataset.spec.features, dataset.layout, _assets_of(dataset))
        older = load_weights(self.weights)
        try:
            return warm_start(network, dataset.layout, seed, older, now, self.meanings)
        except RankerError as error:
            raise RankerError(f"{_KEY}: {self.path}: {error}") from None


def older_networks(spec: Spec) -> dict[str, OlderNetwork]:
    """The older network for each network of a spec that has one of its name; none without `training.warm_start`.

    Raises:
        RankerError: if there is nothing to start from, or a network of the same name is of another kind.
    """
    given = spec.training.warm_start
    networks = [model for model in spec.models if isinstance(model, Network)]
    if given is None or not networks:
        return {}
    path = spec.path(given)
    try:
        manifest = _manifest(path)
        kinds = _kinds(manifest)
        found = [network for network in networks if network.name in kinds]
        _refuse_others(networks, found, kinds, path)
        layout = _layout(manifest, path)
        alone = manifest["kind"] == "member"
        vocabularies = path / _VOCABULARIES if alone else path / "saved_model" / "assets"
        then = meanings(_features(manifest, path), layout, vocabularies)
        older = {network.name: OlderNetwork(given, weights_file(path, network.name, alone), then) for network in found}
        for one in older.values():
            if not one.weights.is_file():
                raise _without_weights(path, one.weights.name)
    except RankerError as error:
        raise RankerError(f"{_KEY}: {error}") from None
    return older


def refuse_without_networks(spec: Spec) -> None:
    """Raise a RankerError if a spec has `training.warm_start` and no network: trees always start anew."""
    if spec.training.warm_start is not None and not any(isinstance(model, Network) for model in spec.models):
        there = ", ".join(f"{model.name} ({model.kind})" for model in spec.models)
        raise RankerError(f"{_KEY}: only networks can start from older ones; the models are {there}; leave it out")


def weights_file(folder: Path, name: str, alone: bool) -> Path:
    """Where the weights of a network are, in a bundle or in the folder of a member trained alone."""
    return folder / (MEMBER_WEIGHTS if alone else f"{name}.weights.npz")


def keep_vocabularies(dataset: Dataset, folder: Path) -> None:
    """Copy the vocabularies of a dataset to the folder of a member trained alone."""
    (folder / _VOCABULARIES).mkdir()
    for file in sorted(_assets_of(dataset).glob("vocabulary_*")):
        shutil.copyfile(file, folder / _VOCABULARIES / file.name)


def _assets_of(dataset: Dataset) -> Path:
    return dataset.transform / "transform_fn" / "assets"


def _manifest(path: Path) -> dict[str, Any]:
    """Of a bundle, or of a member trained by itself."""
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        manifest = None
    if not isinstance(manifest, dict) or manifest.get("kind") != "member":
        return read_manifest(path, "bundle")
    if manifest["format_version"] > FORMAT_VERSION:
        newer = f"format_version {manifest['format_version']} is newer than {FORMAT_VERSION}"
        raise ArtefactError(f"{path}: {newer}, the newest that this version of ranker reads; use a newer ranker")
    return manifest


def _kinds(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Kind of each model, by its name."""
    members = [manifest["member"]] if manifest["kind"] == "member" else manifest["members"]
    return {member["name"]: member["kind"] for member in members}


def _refuse_others(networks: Sequence[Network], found: Sequence[Network], kinds: Mapping[str, str], path: Path) -> None:
    there = ", ".join(f"{name} ({kind})" for name, kind in kinds.items())
    if not found:
        wanted = ", ".join(f"{network.name} ({network.kind})" for network in networks)
        raise RankerError(f"{path}: expected a network of the name of one to train: {wanted}; there are {there}")
    for network in found:
        if kinds[network.name] != network.kind:
            raise RankerError(
                f"{path}: {network.name!r} is of kind {kinds[network.name]}, the one to train of kind {network.kind}; "
                "weights of one kind mean nothing in another; name it differently to train it from the start"
            )


def _layout(manifest: Mapping[str, Any], path: Path) -> Layout:
    if "layout" not in manifest:
        raise _without_weights(path, "layout")
    return Layout.from_json(manifest["layout"])


def _features(manifest: Mapping[str, Any], path: Path) -> Features:
    try:
        return Features.model_validate(manifest["spec"]["features"])
    except ValidationError as error:
        raise ArtefactError(
            f"{path}: this version of ranker does not read its features ({error.error_count()} faults, the first: "
            f"{error.errors()[0]['msg']}); train the older model again"
        ) from None


def _without_weights(path: Path, what: str) -> ArtefactError:
    return ArtefactError(f"{path}: no {what}: an older version of ranker made it and kept no weights; train it again")
