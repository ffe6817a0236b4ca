"""Bodies of the catalogs: synthesizers, metrics, policies."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from app.bodies.base import Body
from understudy.parameters.policy import Policy


class SynthesizerCapabilities(Body):
    """Capabilities that a synthesizer declares."""

    tables: Annotated[
        Literal["one", "many"],
        Field(description="Number of data tables that a model can learn: `one` or `many`."),
    ]
    learned_kinds: Annotated[
        list[str], Field(description="Column kinds that are learned. Columns of other kinds are generated.")
    ]
    constraints: Annotated[
        bool, Field(description="Whether the models can sample under conditions and with rebalanced columns.")
    ]
    imputation: Annotated[bool, Field(description="Whether the models can impute missing values.")]
    addressable_rows: Annotated[
        bool,
        Field(
            description="Whether row k is the same in every sample with the same seed. `offset` requires "
            "this capability."
        ),
    ]
    reproducibility: Annotated[
        Literal["bytes", "seed", "none"],
        Field(
            description="Reproducibility with the same seed: identical bytes (`bytes`), identical rows on "
            "the same machine (`seed`), or no guarantee (`none`)."
        ),
    ]
    guarantee: Annotated[
        Literal["heuristic", "differential_privacy"], Field(description="Type of the privacy guarantee.")
    ]
    device: Annotated[Literal["cpu", "gpu"], Field(description="Device that the training runs on.")]


class SynthesizerDescription(Body):
    """A synthesizer, its parameters and its capabilities."""

    name: Annotated[str, Field(examples=["tree_chain"])]
    summary: str
    parameters: Annotated[dict[str, Any], Field(description="JSON Schema of the synthesizer's parameters.")]
    capabilities: SynthesizerCapabilities


class SynthesizerCatalogue(Body):
    """A list of all synthesizers."""

    data: list[SynthesizerDescription]


class MetricDescription(Body):
    """A metric that a report can contain."""

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
    documentation: Annotated[str | None, Field(description="URL of the metric's documentation.")] = None
    topic: Annotated[
        str, Field(description="Topic of the metric: `fidelity`, `usefulness`, `bias` or `privacy`.")
    ]
    direction: Annotated[
        str,
        Field(description="Direction of better scores: `higher`, `lower`, or `nearer` to `best`."),
    ]
    range: Annotated[
        list[float | None],
        Field(description="Lowest and highest possible score. Null means that the score is unbounded."),
    ]
    best: Annotated[float, Field(description="Score of data that is indistinguishable from real data.")]
    needs: Annotated[
        list[str],
        Field(description="Evaluation inputs that the metric requires.", examples=[["holdout"]]),
    ]


class MetricCatalogue(Body):
    """A list of all metrics."""

    data: list[MetricDescription]


class PolicyCatalogue(Body):
    """A list of the predefined policies."""

    data: list[Policy]
