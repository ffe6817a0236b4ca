"""Commands that fit, sample and impute files without a service or a network."""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import typer

from understudy.cli.constraints import read_constraints
from understudy.cli.inputs import existing_file
from understudy.cli.reading import TableReader, reads_tables
from understudy.cli.results import show_model, show_rows
from understudy.cli.schemas import read_schema_file, schema_of
from understudy.cli.splits import subject_of_options, with_subject_of
from understudy.cli.synthesizer_options import chooses_synthesizer
from understudy.cli.terminal import print_result, progress_bar, write_json
from understudy.complete_files import complete_or_absent
from understudy.errors import InvalidInput
from understudy.evaluation.attacks.canaries import make_canaries, plant
from understudy.parameters.constraints import SamplingConstraints
from understudy.parameters.synthesizers import SynthesizerParameters
from understudy.synthesizers import make_synthesizer
from understudy.synthesizers.base import (
    SupportsConstraints,
    SupportsImputation,
    Synthesizer,
    unsupported_by_synthesizer,
)
from understudy.synthesizers.contexts import FitContext, SampleContext, SamplePlan, root_tables
from understudy.synthesizers.datasets import sample_table
from understudy.synthesizers.files import load_model, save_model
from understudy.synthesizers.groups import N_ROWS_LIMIT, count_rows, describe_groups, describe_weak_groups
from understudy.synthesizers.identifier_ranges import describe_identifiers
from understudy.tables.formats import format_for_output, write_table
from understudy.tables.names import table_name
from understudy.tables.schema import TableSchema
from understudy.tables.source import ArrowSource
from understudy.tables.split import Split, check_holdout
from understudy.tables.validation import FITTED, conform

SEED_MAX = 2**63 - 1

Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        min=0,
        max=SEED_MAX,
        help="Seed of the random number generator. Default: a random seed, which is printed.",
    ),
]
Subject = Annotated[
    list[str] | None,
    typer.Option(
        help="Column that identifies the subject of a row, such as a patient number. Privacy "
        "protection and the holdout then apply to whole subjects. Repeatable, for a subject identified by "
        "several columns. "
        "Default: the subject that is inferred from the table, if it is clear."
    ),
]
NoSubject = Annotated[
    bool, typer.Option("--no-subject", help="Count rows instead of subjects: the table has no subject.")
]
Canaries = Annotated[
    int,
    typer.Option(
        min=0,
        help="Number of canaries (fictional rows) to plant in the training table. They are written to "
        "MODEL.canaries.parquet for `evaluate --canaries`.",
    ),
]
HoldoutFraction = Annotated[
    float,
    typer.Option(
        min=0,
        max=0.5,
        help="Share of the subjects (or of the rows, without --subject) to set aside for `evaluate --model`.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]

SchemaFile = Annotated[
    Path | None,
    typer.Option(
        help="JSON file with a schema or SDV metadata, to correct the inferred kinds and types of columns."
    ),
]
ModelFile = Annotated[Path, typer.Argument(help="Model file written by `understudy fit`.")]
SampleSize = Annotated[
    int | None,
    typer.Option(
        "--rows",
        "-n",
        min=1,
        help="Number of rows to sample. Optional if the --constraints file sets the size of each group.",
    ),
]
Offset = Annotated[
    int,
    typer.Option(
        min=0,
        help="Number of rows to skip: with the same seed, --offset 1000 continues a sample of 1000 rows.",
    ),
]
IdStart = Annotated[
    int | None,
    typer.Option(
        "--id-start",
        min=0,
        max=N_ROWS_LIMIT - 1,
        help="Position of the first row's identifier in the model's sequence of identifiers. Row k has the "
        "identifier at position ID_START + k, regardless of the seed, so samples with disjoint positions "
        "have no identifiers in common. Default: identifiers depend on the seed, and samples with "
        "different seeds can share some.",
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        help="Condition that every sampled row satisfies: NAME=VALUE, NAME=LOW..HIGH (either bound is "
        "optional), or NAME= for a missing value. Repeatable."
    ),
]
Rebalance = Annotated[
    str | None, typer.Option(help="New shares for the values of a column: NAME:VALUE=SHARE,VALUE=SHARE.")
]
ConstraintsFile = Annotated[
    Path | None,
    typer.Option(
        help="JSON file with conditions for groups of rows, or with target shares for the values of a column."
    ),
]
CanaryRepeats = Annotated[
    int, typer.Option("--canary-repeats", min=1, max=100, help="Number of times that each canary is planted.")
]


CsvStyle = Annotated[
    Literal["source", "plain"] | None,
    typer.Option(
        "--csv-style",
        help="Style of a CSV output file. source (default): the delimiter, quotation marks, line endings and "
        "encoding of the CSV file that the model was fitted to. plain: commas, quoted text and UTF-8.",
    ),
]


@reads_tables
@chooses_synthesizer
def fit(
    table: Annotated[
        Path, typer.Argument(help="Table to fit the model to: .csv, .parquet, .jsonl, .arrow, .xlsx …")
    ],
    model: Annotated[Path, typer.Option("--output", "-o", help="Model file to write.")],
    seed: Seed = None,
    schema: SchemaFile = None,
    subject: Subject = None,
    no_subject: NoSubject = False,
    holdout: HoldoutFraction = 0.0,
    canaries: Canaries = 0,
    canary_repeats: CanaryRepeats = 1,
    as_json: Json = False,
    *,
    parameters: SynthesizerParameters,
    tables: TableReader,
) -> None:
    """Fit a model to a table and write a model file."""
    began = time.monotonic()
    tables.check(table)
    seed = _seed_or_random(seed)
    schema_document = read_schema_file(schema) if schema else None
    with complete_or_absent(model) as partial:
        with progress_bar(f"Fitting {table.name}") as progress:
            rows = tables.read(table, progress)
            name = table_name(table.stem)
            own_subject = subject_of_options(subject, no_subject=no_subject)
            dataset_schema = schema_of(rows, schema_document, name=name, has_subject=own_subject is not None)
            dataset_schema = with_subject_of(dataset_schema, name, own_subject)
            table_schema = dataset_schema.tables[name]
            split = Split.of(dataset_schema, holdout_fraction=holdout, seed=seed)
            rows, held_out = split.divide(conform(rows, table_schema), table_schema.subject)
            check_holdout(held_out.num_rows, holdout)
            if canaries:
                canary_rows = make_canaries(rows, table_schema, n=canaries, seed=seed)
                rows = _plant(rows, canary_rows, model, repeats=canary_repeats)
            context = FitContext(seed=seed, progress=progress)
            synthesizer = make_synthesizer(parameters)
            fitted = synthesizer.fit({name: ArrowSource(rows)}, dataset_schema, context=context)
        save_model(fitted, partial, extra=split.model_dump() if holdout else {"seed": seed})
    result = _describe_model(fitted, model, seed, began)
    if holdout:
        result["holdout"] = {"by": split.by, "n_rows": held_out.num_rows}
    if canaries:
        result["canaries"] = str(_canaries_path(model))
    print_result(result, show_model, as_json=as_json)


def sample(
    model: ModelFile,
    rows_file: Annotated[
        Path, typer.Option("--output", "-o", help="Output file for the synthetic rows: .csv, .parquet …")
    ],
    n_rows: SampleSize = None,
    seed: Seed = None,
    offset: Offset = 0,
    id_start: IdStart = None,
    where: Where = None,
    rebalance: Rebalance = None,
    constraints: ConstraintsFile = None,
    csv_style: CsvStyle = None,
    as_json: Json = False,
) -> None:
    """Sample synthetic rows from a model, optionally under constraints."""
    began = time.monotonic()
    if n_rows is None and constraints is None:
        raise InvalidInput("The number of rows is missing. Set it with --rows.", code="invalid_parameters")
    seed = _seed_or_random(seed)
    _check_style(rows_file, csv_style)
    fitted, manifest = load_model(existing_file(model))
    (name,) = root_tables(manifest.schema_)
    schema = manifest.schema_.tables[name]
    # The group of --where also includes the rows that the offset skips.
    n_rows_where = offset + (n_rows or 0)
    columns = tuple(fitted.condition_columns()) if isinstance(fitted, SupportsConstraints) else schema.columns
    known = TableSchema(columns=columns)
    parsed = read_constraints(where or [], rebalance, constraints, schema=known, n_rows=n_rows_where)
    n_rows = count_rows(parsed, n_rows, offset)
    with (
        complete_or_absent(rows_file) as partial,
        progress_bar(f"Sampling {n_rows:,} row{'' if n_rows == 1 else 's'}") as progress,
    ):
        plan = SamplePlan({name: n_rows}, offset, parsed, id_start)
        batches = sample_table(fitted, plan, context=SampleContext(seed=seed))
        write_table(
            partial, batches, _written_schema(schema, csv_style), progress=progress, rows_total=n_rows
        )
    result = {"rows": str(rows_file), "n_rows": n_rows, "offset": offset, "seed": seed}
    if (identifiers := describe_identifiers(schema, plan)) is not None:
        result["identifiers"] = asdict(identifiers)
    if parsed is not None:
        result |= _describe_groups(fitted, parsed, n_rows, offset)
    if as_json:
        write_json(result | {"seconds": round(time.monotonic() - began, 3)})
    else:
        show_rows(result)


@reads_tables
def impute(
    model: ModelFile,
    table: Annotated[
        Path, typer.Argument(help="Table with missing values and the same columns as the model's table.")
    ],
    rows_file: Annotated[
        Path, typer.Option("--output", "-o", help="Output file for the completed rows: .csv, .parquet …")
    ],
    n_draws: Annotated[
        int,
        typer.Option(
            "--draws",
            min=1,
            help="Number of times to impute the table. The completed tables are written one after the other.",
        ),
    ] = 1,
    seed: Seed = None,
    csv_style: CsvStyle = None,
    as_json: Json = False,
    *,
    tables: TableReader,
) -> None:
    """Impute the missing values of a table and keep all other values."""
    began = time.monotonic()
    seed = _seed_or_random(seed)
    _check_style(rows_file, csv_style)
    tables.check(table)
    fitted, manifest = load_model(existing_file(model))
    if not isinstance(fitted, SupportsImputation):
        raise unsupported_by_synthesizer(fitted.name)
    (name,) = root_tables(manifest.schema_)
    schema = manifest.schema_.tables[name]
    with complete_or_absent(rows_file) as partial, progress_bar(f"Imputing {table.name}") as progress:
        rows = conform(tables.read(table, progress), schema, FITTED)
        n_rows = rows.num_rows * n_draws
        context = SampleContext(seed=seed)
        completed = fitted.impute({name: ArrowSource(rows)}, n_draws=n_draws, context=context)
        batches = (batch for _, batch in completed)
        write_table(
            partial, batches, _written_schema(schema, csv_style), progress=progress, rows_total=n_rows
        )
    result = {"rows": str(rows_file), "n_rows": n_rows, "n_draws": n_draws, "seed": seed}
    if as_json:
        write_json(result | {"seconds": round(time.monotonic() - began, 3)})
    else:
        show_rows(result)


def _check_style(path: Path, csv_style: str | None) -> None:
    """Check that the format of an output file exists and supports the style."""
    format_ = format_for_output(path)
    if csv_style is not None and format_.name != "csv":
        raise InvalidInput(
            f"--csv-style does not apply to files in {format_.name} format. Omit it.",
            code="invalid_parameters",
        )


def _written_schema(schema: TableSchema, csv_style: str | None) -> pa.Schema:
    return schema.to_arrow().remove_metadata() if csv_style == "plain" else schema.to_arrow()


def _plant(rows: pa.Table, canaries: pa.Table, model: Path, *, repeats: int) -> pa.Table:
    """Return the rows with the canaries, and write the canaries to a file next to the model file."""
    with complete_or_absent(_canaries_path(model)) as partial:
        pq.write_table(canaries, partial)
    return plant(rows, canaries, repeats=repeats)


def _describe_model(fitted: Synthesizer, model: Path, seed: int, began: float) -> dict[str, Any]:
    return {
        "model": str(model),
        "size_bytes": model.stat().st_size,
        "seed": seed,
        "seconds": round(time.monotonic() - began, 3),
        "card": fitted.card(),
    }


def _canaries_path(model: Path) -> Path:
    return model.with_name(f"{model.name}.canaries.parquet")


def _seed_or_random(seed: int | None) -> int:
    return secrets.randbelow(SEED_MAX) if seed is None else seed


def _describe_groups(
    model: Synthesizer, constraints: SamplingConstraints, n_rows: int, offset: int
) -> dict[str, Any]:
    assert isinstance(model, SupportsConstraints)
    groups = describe_groups(constraints, model.effective_shares(constraints), n_rows=n_rows, offset=offset)
    return {
        "groups": [asdict(group) for group in groups],
        "warnings": describe_weak_groups(constraints, groups),
    }
