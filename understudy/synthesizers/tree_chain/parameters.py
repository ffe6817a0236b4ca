"""Parameters of the tree chain."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from understudy.parameters.synthesizers import SynthesizerParameters


class TreeChainParameters(SynthesizerParameters):
    """Parameters of a tree chain, which predicts each column from the preceding columns with trees."""

    name: Literal["tree_chain"]
    preset: Annotated[
        Literal["fast", "balanced", "best", "guarded"],
        Field(
            description="Trade-off between fit time, fidelity and privacy. `fast` fits in seconds. `balanced`"
            " averages several trees. `best` also adds boosted trees and rejects rows that look unrealistic."
            " `guarded` stores less information about individual rows in the model file."
        ),
    ] = "fast"
    time_budget_seconds: Annotated[
        float | None,
        Field(
            gt=0,
            le=86_400,
            description="Time budget of the fit in seconds, as an alternative to `preset`. The fit uses the"
            " best of `fast`, `balanced` and `best` that is likely to finish within this time on the machine"
            " that runs it.",
        ),
    ] = None

    @model_validator(mode="after")
    def _check_exclusive(self) -> TreeChainParameters:
        if self.time_budget_seconds is not None and "preset" in self.model_fields_set:
            raise ValueError("set either preset or time_budget_seconds, not both")
        return self

    @model_serializer(mode="wrap")
    def _omit_unused_option(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = serialize(self)
        fields.pop("preset" if self.time_budget_seconds is not None else "time_budget_seconds", None)
        return fields
