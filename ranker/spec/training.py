"""How networks are trained: the section `training`, and what a network says for itself alone."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ranker.spec.section import Section

__all__ = ["NetworkTraining", "Training"]

Schedule = Literal["constant", "cosine", "linear"]


class NetworkTraining(Section):
    """How a network is trained; what is not said depends on the network and on how many lists there are."""

    epochs: Annotated[int, Field(ge=1)] | None = None
    batch_size: Annotated[int, Field(ge=1, description="lists")] | None = None
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    schedule: Annotated[Schedule, Field(description="of the learning rate after warm-up")] | None = None
    warm_up: Annotated[float, Field(ge=0, lt=1, description="share of all steps")] | None = None
    clip_norm: Annotated[float, Field(gt=0, description="of all gradients together")] | None = None
    weight_decay: Annotated[float, Field(ge=0, description="decoupled, as AdamW's")] | None = None
    patience: Annotated[int, Field(ge=1, description="epochs without a better validation metric")] | None = None
    keep: Annotated[Literal["best", "last"], Field(description="weights of which epoch")] | None = None
    list_cap: Annotated[int, Field(ge=2, description="documents of a training list; more are sampled")] | None = None

    @model_validator(mode="after")
    def _patience_has_an_effect(self) -> Self:
        if self.keep == "last" and self.patience is not None:
            raise ValueError("patience has no effect with keep: last, which trains all epochs; leave one out")
        return self


class Training(NetworkTraining):
    """How all networks are trained."""

    seed: Annotated[int, Field(ge=0, lt=2**31)] = 7
    deterministic: Annotated[bool, Field(description="two runs give equal weights")] = False
    mixed_precision: bool = False
    xla: Annotated[Literal["auto"] | bool, Field(description="auto: measured in the first steps")] = False
    strategy: Literal["one_device", "mirrored", "multi_worker_mirrored", "tpu"] = "one_device"
    buckets: Annotated[bool, Field(description="batches of lists of like length")] = True
    cache: Annotated[Literal["auto", "memory", "disk"], Field(description="where the lists are")] = "auto"
    warm_start: Annotated[str, Field(description="bundle whose networks of the same name are started from")] | None = (
        None
    )

    @model_validator(mode="after")
    def _what_is_measured_is_not_deterministic(self) -> Self:
        if self.deterministic and self.xla == "auto":
            raise ValueError("xla: auto is measured and may come out otherwise in a second run; say true or false")
        return self
