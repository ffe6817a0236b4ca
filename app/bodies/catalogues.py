"""Bodies of the catalogues: synthesizers, metrics, policies."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from app.bodies.base import Body
from understudy.parameters.policy import Policy


class SynthesizerCapabilities(Body):
    """The abilities that a synthesizer declares."""

    tables: Annotated[Literal["one", "many"], Field(description="Data tables of a schema that it learns.")]
    learned_kinds: Annotated[
        list[str], Field(description="Kinds of columns that are learned; others are generated.")
    ]
    constraints: Annotated[bool, Field(description="Whether samples take conditions and shares.")]
    imputation: Annotated[bool, Field(description="Whether its models impute.")]
    addressable_rows: Annotated[
        bool, Field(description="Whether row k of a seed is the same in every sample, so that offsets work.")
    ]
    reproducibility: Annotated[
        Literal["bytes", "seed", "none"],
        Field(description="The result that a seed repeats: bytes, rows on the same machine, or nothing."),
    ]
    guarantee: Annotated[
        Literal["heuristic", "differential_privacy"], Field(description="The kind of privacy guarantee.")
    ]
    device: Annotated[Literal["cpu", "gpu"], Field(description="The device that a fit runs on.")]


class SynthesizerDescription(Body):
    """An algorithm that can be trained."""

    name: Annotated[str, Field(examples=["tree_chain"])]
    summary: str
    parameters: Annotated[dict[str, Any], Field(description="JSON Schema of its parameters.")]
    capabilities: SynthesizerCapabilities


class SynthesizerCatalogue(Body):
    """All synthesizers."""

    data: list[SynthesizerDescription]


class MetricDescription(Body):
    """A score that reports may hold."""

    name: Annotated[str, Field(examples=["column_shapes"])]
    title: Annotated[str, Field(examples=["Column shapes"])]
    summary: Annotated[str, Field(description="Plain-language explanation of the score.")]
    source: Annotated[
        str | None,
        Field(
            description="Name of the metric in SDMetrics, or the paper that defines it.",
            examples=["SDMetrics: ContingencySimilarity"],
        ),
    ] = None
    documentation: Annotated[str | None, Field(description="Address of the metric's documentation.")] = None
    topic: Annotated[str, Field(description="`fidelity`, `usefulness`, `bias` or `privacy`.")]
    direction: Annotated[str, Field(description="Which way is better.", examples=["higher"])]
    range: Annotated[list[float | None], Field(description="Least and greatest score; null is unbounded.")]
    best: Annotated[float, Field(description="The score of data that cannot be told from real data.")]
    needs: Annotated[
        list[str], Field(description="What an evaluation has to be given for it.", examples=[["holdout"]])
    ]


class MetricCatalogue(Body):
    """All metrics."""

    data: list[MetricDescription]


class PolicyCatalogue(Body):
    """The policies that can be named."""

    data: list[Policy]
