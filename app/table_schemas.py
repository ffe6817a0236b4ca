"""Bodies about what the columns of a table mean."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.service_schemas import Body


class TableColumn(Body):
    """A column of a table."""

    name: Annotated[str, Field(examples=["dep_delay"])]
    kind: Annotated[str, Field(description="What its values mean; kinds may be added.", examples=["integer"])]
    arrow_type: Annotated[str, Field(description="The Arrow type of the stored values.", examples=["int64"])]
    nullable: bool
    evidence: Annotated[str, Field(description="Why this kind was chosen.")] = ""


class TableSchema(Body):
    """The columns of a table, in their order."""

    columns: list[TableColumn]
    locale: Annotated[
        str, Field(description="Language and country of made-up names and texts.", examples=["de-at"])
    ] = "en"
    subject: Annotated[
        str | None,
        Field(description="The column that says whose row it is; protection then counts subjects, not rows."),
    ] = None


class SdvMetadata(BaseModel):
    """Metadata of SDV as its JSON has them: SINGLE_TABLE_V1, MULTI_TABLE_V1 or V1."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
                    "primary_key": "guest_email",
                    "columns": {"guest_email": {"sdtype": "email"}, "room_rate": {"sdtype": "numerical"}},
                }
            ]
        },
    )

    METADATA_SPEC_VERSION: Annotated[str, Field(examples=["SINGLE_TABLE_V1"])]


class AppliedMetadata(Body):
    """The schema after metadata were applied, and what of them has no place in it."""

    table_schema: Annotated[TableSchema, Field(alias="schema")]
    warnings: list[str]
