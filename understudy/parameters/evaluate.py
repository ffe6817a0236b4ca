"""Parameters of kind `evaluate`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from understudy.parameters.base import JobParameters, Seed, TableName
from understudy.parameters.evaluation_options import EvaluationOptions
from understudy.parameters.policy import PROJECT_POLICY, Policy


class EvaluateParameters(JobParameters, EvaluationOptions):
    """Score a synthetic dataset."""

    kind: Literal["evaluate"]
    dataset_id: Annotated[str, Field(description="The real rows.", examples=["ds_01kaz7m2q5…"])]
    synthetic_dataset_id: Annotated[str, Field(description="The rows to score.")]
    holdout_dataset_id: Annotated[
        str | None,
        Field(
            description="Real rows that the model never saw. Left out: the model's own holdout, if the"
            " synthetic dataset was sampled from a model that was trained on the real one."
        ),
    ] = None
    table: Annotated[
        TableName,
        Field(description="Which table, of those of the datasets that have several."),
    ] = None
    policy: Annotated[
        str | Policy,
        Field(
            description="Thresholds of the verdict: `project`, which is your project's own, `standard`,"
            " `public`, or thresholds. Whatever is asked, the project's gate goes by the project's policy.",
        ),
    ] = PROJECT_POLICY
    seed: Seed | None = None

    @property
    def options(self) -> EvaluationOptions:
        """What the report shall look at."""
        return EvaluationOptions(**{name: getattr(self, name) for name in EvaluationOptions.model_fields})
