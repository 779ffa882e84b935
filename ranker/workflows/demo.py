"""`ranker demo`: the whole path once, on a generated store, with the scorer importing while the data is made."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import yaml

from ranker.data.artefacts import write_json
from ranker.data.store.generator import make_store
from ranker.errors import RankerError
from ranker.spec import Spec, load_spec
from ranker.workflows.measured import metrics_of
from ranker.workflows.progress import Progress

if TYPE_CHECKING:
    from eval.report.data import Report

__all__ = ["DemoResult", "Scoring", "make_spec", "run"]

_MARK = ".ranker-demo"  # says that a folder is a demo's, and may be written anew
_SHOWN = 10
_CANDIDATES = 20  # test lists among which the one with the best document is shown
_SPEC = """\
# A spec for the store in the folder `store` beside this file.
version: 1
data:
  sources:
    - {kind: tables, queries: store/queries.jsonl, documents: store/products.jsonl, judgments: store/judgments.csv}
  query_id: query_id
  document_id: document_id
  label: label
  split: {by: query_hash, valid: 0.2, test: 0.25}
features:
  query:
    - {name: query, kind: text}
    - {name: segment, kind: categorical}
  document:
    - {name: title, kind: text}
    - {name: description, kind: text}
    - {name: brand, kind: categorical}
    - {name: price, kind: numeric, transform: [log1p, zscore]}
    - {name: stock, kind: numeric, transform: [log1p, zscore]}
  match:
    - {kind: bm25, query: query, document: title}
    - {kind: bm25, query: query, document: description}
models:
  - {name: net, kind: self_attention}
  - {name: trees, kind: lambdamart}
  - {name: bm25, kind: single_feature, feature: bm25_query_title}   # the reference to beat
blend: {members: [net, trees]}
training: {seed: 7}
evaluation:
  metrics: [ndcg@10]
  baseline: bm25
  slices: [segment, {feature: price, buckets: quartile, scope: document}]
serving: {model_name: store, grpc_port: 8500, rest_port: 8501}
"""


@dataclass(frozen=True)
class DemoResult:
    """What the demo shows at its end.

    Attributes:
        query: text of the query that was ranked.
        segment: of the customer.
        ranked: a row per document, best first.
        report: of the test lists.
        request: file with the request, as JSON.
        model_name: that it is served under.
    """

    query: str
    segment: str
    ranked: list[dict[str, Any]]
    report: Report
    request: Path
    model_name: str

    def curl(self, port: int) -> str:
        """The line that asks a scorer at `port` the same."""
        url = f"http://127.0.0.1:{port}/v1/models/{self.model_name}:rank"
        return f"curl -s {url} -d {shlex.quote(f'@{self.request}')}"


class Scoring:
    """A scorer in a process of its own, which loads TensorFlow while the bundle is still being made."""

    def __init__(self, directory: Path) -> None:
        self.rest_port = 0
        bundle = directory / "bundle"
        shutil.rmtree(bundle, ignore_errors=True)  # of an earlier demo: the scorer has to wait for the new one
        self._log = (directory / "scorer.log").open("w", encoding="utf-8")
        command = [sys.executable, "-m", "ranker", "serve", str(bundle), "--wait", "--grpc-port=0", "--rest-port=0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._log, text=True)  # noqa: S603

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()  # type: ignore[union-attr]  # it is a pipe
        self._log.close()

    def ready(self) -> None:
        """Wait until it answers.

        Raises:
            RankerError: if it ended instead.
        """
        for line in self._process.stdout or ():
            if line.startswith("REST "):
                self.rest_port = int(line.partition("//")[2].partition("/")[0].rpartition(":")[2])
                return
        raise RankerError(f"the scorer ended with status {self._process.wait()}; see {self._log.name}")

    def ask(self, model_name: str, request: bytes) -> Any:
        """The answer to a ranking request."""
        url = f"http://127.0.0.1:{self.rest_port}/v1/models/{model_name}:rank"
        with urllib.request.urlopen(urllib.request.Request(url, request), timeout=30) as response:
            return json.load(response)

    def wait(self) -> None:
        """Until the scorer ends or the user interrupts."""
        try:
            self._process.wait()
        except KeyboardInterrupt:
            return


def make_spec(directory: Path, queries: int, seed: int, overrides: Sequence[str], progress: Progress) -> Spec:
    """Generate the store and write its spec, `ranker.yaml`.

    Raises:
        RankerError: if `directory` holds something else than an earlier demo, which would be lost.
    """
    path, mark = directory / "ranker.yaml", directory / _MARK
    if directory.exists() and not mark.exists() and any(directory.iterdir()):
        raise RankerError(f"{directory}: holds something else than a demo; name another folder with --dir")
    with progress.stage(f"make a store with {queries} queries"):
        directory.mkdir(parents=True, exist_ok=True)
        mark.touch()
        path.write_text(_SPEC, encoding="utf-8")
        spec = load_spec(path, overrides)
        metrics_of(spec)
        if overrides:  # the file has to be the spec that the demo ran
            path.write_text(yaml.safe_dump(spec.model_dump(), sort_keys=False), encoding="utf-8")
        make_store(directory / "store", queries=queries, seed=seed)
    return spec


def run(directory: Path, spec: Spec, scoring: Scoring, progress: Progress) -> DemoResult:
    """Prepare, train, evaluate, and rank one test query by the live scorer."""
    from ranker.data.dataset import Dataset
    from ranker.data.elwc.records import read_raw
    from ranker.data.requests import to_request
    from ranker.workflows.evaluate import evaluate
    from ranker.workflows.prepare import prepare
    from ranker.workflows.train import train

    prepare(spec, directory / "dataset", progress)
    dataset = Dataset(directory / "dataset")
    train(dataset, directory / "bundle", progress)
    report = evaluate(directory / "bundle", dataset, progress, directory / "report")
    with progress.stage("rank a query by the live scorer"):
        judged = max(islice(read_raw(dataset.raw("test"), dataset.columns), _CANDIDATES), key=lambda j: j.labels.max())
        request = to_request(judged.request, dataset.columns) | {"top_n": _SHOWN}
        write_json(directory / "request.json", request)
        scoring.ready()
        name = spec.serving.model_name
        answer = scoring.ask(name, (directory / "request.json").read_bytes())
    rows = []
    for result in answer["results"]:
        features = request["documents"][result["index"]]["features"]
        rows.append(
            {
                "rank": result["rank"],
                "document": result["id"],
                "title": features.get("title", ""),
                "price": f"{features['price']:.2f}" if "price" in features else "",
                "score": f"{result['score']:.4f}",
                "true label": int(judged.labels[result["index"]]),
            }
        )
    query = request["query"]
    return DemoResult(query.get("query", ""), query.get("segment", ""), rows, report, directory / "request.json", name)
