"""`ranker serve`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from ranker.cli.terminal import TerminalProgress, load_tensorflow
from ranker.errors import RankerError

__all__ = ["command"]

_POLL_SECONDS = 0.2


@click.command("serve")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--wait", is_flag=True, help="Wait until there is a bundle instead of failing.")
@click.option("--model-name", help="Name that clients ask for; default: the spec's serving.model_name.")
@click.option("--address", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--grpc-port", type=click.IntRange(0, 65535), help="0: a free one; default: the spec's.")
@click.option("--rest-port", type=click.IntRange(0, 65535), help="0: a free one; default: the spec's.")
def command(
    bundle: Path, wait: bool, model_name: str | None, address: str, grpc_port: int | None, rest_port: int | None
) -> None:
    """Serve BUNDLE over gRPC (TensorFlow Serving's Predict) and REST (`:rank`) until interrupted."""
    progress = TerminalProgress()
    if not wait:
        _manifest(bundle)
    with progress.stage("load TensorFlow"):
        load_tensorflow()
        from serving.scorer import OnlineScorer
        from serving.server import serve
    if wait:
        with progress.stage(f"wait for {bundle}"):
            while not (bundle / "manifest.json").exists():
                time.sleep(_POLL_SECONDS)
    serving = _manifest(bundle)["spec"]["serving"]
    name = model_name or serving["model_name"]
    with progress.stage(f"load {bundle}"):
        scorer = OnlineScorer(name, bundle)

    def ready(grpc: int, rest: int) -> None:
        click.echo(f"gRPC {address}:{grpc}")
        click.echo(f"REST http://{address}:{rest}/v1/models/{name}:rank")

    ports = (
        serving["grpc_port"] if grpc_port is None else grpc_port,
        serving["rest_port"] if rest_port is None else rest_port,
    )
    try:
        serve(scorer, address, *ports, ready)
    except OSError as error:
        raise RankerError(
            f"cannot listen on {address}, ports {ports}: {error}; see --grpc-port and --rest-port"
        ) from None


def _manifest(bundle: Path) -> dict:
    from ranker.data.artefacts import read_manifest

    return read_manifest(bundle, "bundle")
