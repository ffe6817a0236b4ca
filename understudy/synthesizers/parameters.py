"""The parameters of every synthesizer, as they come in over HTTP and are kept in model files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class TreeChainParameters(BaseModel):
    """A chain of conditional distributions, each a hierarchy of choices by evidence-grown trees."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["tree_chain"]
    preset: Annotated[
        Literal["fast", "balanced", "best", "guarded"],
        Field(
            description="How much work is put into it: `fast` fits in seconds; `balanced` averages"
            " trees; `best` also accepts rows by how real they look; `guarded` keeps less of single rows in"
            " the model file."
        ),
    ] = "fast"


class IndependentParameters(BaseModel):
    """Every column by itself: the baseline that scores are read against."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["independent"]


AnySynthesizer = Annotated[TreeChainParameters | IndependentParameters, Field(discriminator="name")]
