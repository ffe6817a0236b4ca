"""The parameters of tree chains."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from understudy.parameters.synthesizers import SynthesizerParameters


class TreeChainParameters(SynthesizerParameters):
    """A chain of conditional distributions, each a hierarchy of choices by evidence-grown trees."""

    name: Literal["tree_chain"]
    preset: Annotated[
        Literal["fast", "balanced", "best", "guarded"],
        Field(
            description="How much work is put into it: `fast` fits in seconds; `balanced` averages"
            " trees; `best` also accepts rows by how real they look; `guarded` keeps less of single rows in"
            " the model file."
        ),
    ] = "fast"
    time_budget_seconds: Annotated[
        float | None,
        Field(
            gt=0,
            le=86_400,
            description="In place of a preset: the best of `fast`, `balanced` and `best` that is likely to be"
            " fitted in so many seconds of this machine; the model's card says which.",
        ),
    ] = None

    @model_validator(mode="after")
    def _asks_for_one(self) -> TreeChainParameters:
        if self.time_budget_seconds is not None and "preset" in self.model_fields_set:
            raise ValueError("give either preset or time_budget_seconds")
        return self

    @model_serializer(mode="wrap")
    def _leave_out_what_was_not_asked_for(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = serialize(self)
        fields.pop("preset" if self.time_budget_seconds is not None else "time_budget_seconds", None)
        return fields
