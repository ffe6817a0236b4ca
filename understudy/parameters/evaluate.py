"""Parameters of `evaluate` jobs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from understudy.parameters.base import JobParameters, Seed, TableName
from understudy.parameters.evaluation_options import EvaluationOptions
from understudy.parameters.policy import PROJECT_POLICY, Policy


class EvaluateStage(EvaluationOptions):
    """Parameters of the evaluation in a pipeline."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    holdout_dataset_id: Annotated[
        str | None,
        Field(
            description="ID of a dataset of real rows that the model was not trained on. Defaults to the"
            " model's holdout, if the synthetic dataset was sampled from a model that was trained on the"
            " real dataset."
        ),
    ] = None
    policy: Annotated[
        str | Policy,
        Field(
            description="Policy for the verdict: `project` (the policy of your project), `standard`,"
            " `public`, or a custom policy. The gate always uses the policy of the project.",
        ),
    ] = PROJECT_POLICY
    seed: Seed | None = None

    @property
    def options(self) -> EvaluationOptions:
        """The evaluation options, without the job parameters."""
        return EvaluationOptions(**{name: getattr(self, name) for name in EvaluationOptions.model_fields})


class EvaluateParameters(JobParameters, EvaluateStage):
    """Parameters of a job that evaluates a synthetic dataset against a real dataset."""

    kind: Literal["evaluate"]
    dataset_id: Annotated[str, Field(description="ID of the real dataset.", examples=["ds_01kaz7m2q5…"])]
    synthetic_dataset_id: Annotated[str, Field(description="ID of the synthetic dataset to evaluate.")]
    table: Annotated[
        TableName,
        Field(description="Name of the table to evaluate. Required for datasets with several tables."),
    ] = None
