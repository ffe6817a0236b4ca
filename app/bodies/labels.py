"""Labels in merge patches (RFC 7396): a value sets a label, null removes it, and other labels remain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from understudy.errors import InvalidInput
from understudy.parameters.base import LabelKey, LabelValue

LABELS_MAX = 16
LabelChanges = Annotated[
    dict[LabelKey, LabelValue | None],
    Field(
        max_length=2 * LABELS_MAX,
        description="Labels to set. Null removes a label, and omitted labels keep their values.",
        examples=[{"team": "ops", "draft": None}],
    ),
]


class UpdateLabels(BaseModel):
    """Changes to the labels of a resource."""

    model_config = ConfigDict(extra="forbid")

    labels: LabelChanges = {}


def merged_labels(current: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return the labels after a merge patch.

    Raises
    ------
    InvalidInput
        If the result has more than 16 labels.
    """
    merged: dict[str, str | None] = {**current, **changes}
    labels = {key: value for key, value in merged.items() if value is not None}
    if len(labels) > LABELS_MAX:
        raise InvalidInput(
            f"The change would result in {len(labels)} labels, but the maximum is {LABELS_MAX}. Remove "
            "labels by setting them to null.",
            code="invalid_parameters",
            pointer="/labels",
        )
    return labels
