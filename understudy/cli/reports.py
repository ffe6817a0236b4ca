"""The commands on reports: evaluate two files, verify what somebody else says they score."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError

from understudy.cli.files import SEED_MAX, Json
from understudy.cli.inputs import existing_file
from understudy.cli.reading import TableReader, reads_tables
from understudy.cli.results import show_report, show_verification
from understudy.cli.splits import split_of_model, with_subject
from understudy.cli.terminal import print_result, progress_bar, write_json
from understudy.complete_files import complete_or_absent
from understudy.errors import InvalidInput
from understudy.evaluation.comparison import ORIGINS, ComparisonTables
from understudy.evaluation.evidence.content import Evidence, Provenance, collect, source_digest
from understudy.evaluation.evidence.keys import key_id, load_or_make_key, public_text, read_public_key
from understudy.evaluation.evidence.pack import (
    EVIDENCE,
    REPORT_HTML,
    REPORT_JSON,
    check_signature,
    read_pack,
    write_pack,
)
from understudy.evaluation.evidence.recomputation import Recomputation, recompute
from understudy.evaluation.page.html import render_html
from understudy.evaluation.report import Report, software_versions
from understudy.evaluation.report import evaluate as score
from understudy.evaluation.report_files import check_report_path, write_report
from understudy.parameters.evaluation_options import EvaluationOptions
from understudy.progress import Progress
from understudy.tables.inference import InferredTable, infer_table
from understudy.tables.split import Split
from understudy.tables.validation import conform

# A policy was failed, or a pack does not hold: for scripts that go on only if all is well.
REFUSED = 6

EvidenceFile = Annotated[Path | None, typer.Option(help="Also write a signed evidence pack, a zip file.")]
SigningKey = Annotated[
    Path | None,
    typer.Option(help="Private key (Ed25519, PEM) that signs the pack; made if there is no such file."),
]
SplitModel = Annotated[
    Path | None,
    typer.Option(
        help="The model that `fit --holdout` wrote: the real table is split as it was then, in place of "
        "a file of held-out rows."
    ),
]
Subject = Annotated[
    list[str] | None,
    typer.Option(
        help="The column that says whose row it is: attacks then count subjects. Repeat it for a "
        "subject of several columns; left out, it is that of the model."
    ),
]


@reads_tables
def evaluate(
    real: Annotated[Path, typer.Argument(help="The table that the model learnt.")],
    synthetic: Annotated[Path, typer.Argument(help="The synthetic table, made by whatever tool.")],
    holdout: Annotated[
        Path | None, typer.Option(help="Real rows that the model never saw; attacks need them.")
    ] = None,
    model: SplitModel = None,
    subject: Subject = None,
    target: Annotated[
        str | None, typer.Option(help="A column to predict: what the synthetic rows are worth for it.")
    ] = None,
    protected: Annotated[
        list[str] | None, typer.Option(help="A column whose groups are compared, such as sex; repeatable.")
    ] = None,
    sensitive: Annotated[
        list[str] | None, typer.Option(help="A column that an attacker would like to know; repeatable.")
    ] = None,
    queries: Annotated[
        Path | None, typer.Option(help="Questions whose answers are compared: a list in JSON.")
    ] = None,
    canaries: Annotated[
        Path | None, typer.Option(help="The made-up rows that `fit --canaries` planted and wrote.")
    ] = None,
    policy: Annotated[
        str, typer.Option(help="Thresholds of the verdict: standard, public, or a file in JSON.")
    ] = "standard",
    seed: Annotated[int, typer.Option(min=0, max=SEED_MAX, help="Of the random draws of rows.")] = 0,
    report_file: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the report: .html or .json.")
    ] = None,
    evidence: EvidenceFile = None,
    signing_key: SigningKey = None,
    gate: Annotated[
        bool, typer.Option("--gate", help=f"Exit with {REFUSED} if the verdict is `fail`, for scripts.")
    ] = False,
    as_json: Json = False,
    *,
    tables: TableReader,
) -> int:
    """Compare a synthetic with the real table: scores on a scale, attacks, and a verdict."""
    _check_outputs(report_file, evidence, signing_key)
    split = _split(holdout, model)
    files = _given(real=real, synthetic=synthetic, holdout=holdout, canaries=canaries)
    tables.check(*files.values())
    options = _options(target, protected or [], sensitive or [], queries, policy)
    with progress_bar("Evaluating") as progress:
        rows, inferred = _read(tables, files, subject or (split[1] if split else ()), progress)
        if split is not None:
            rows["real"], rows["holdout"] = split[0].divide(rows["real"], split[1])
        report = score(ComparisonTables(**rows), inferred, options=options, seed=seed, progress=progress)
    if report_file is not None:
        write_report(report, report_file)
    if evidence is not None and signing_key is not None:
        collected = collect(report, inferred, rows, Provenance(sources=_digests(files), split=split))
        _write_pack(report, collected, evidence, load_or_make_key(signing_key))
    if as_json:
        write_json(report.model_dump(mode="json"))
    else:
        show_report(report, report_file)
    return REFUSED if gate and report.verdict.outcome == "fail" else 0


@reads_tables
def verify(
    pack: Annotated[
        Path, typer.Argument(help="An evidence pack: from `evaluate --evidence`, or the service.")
    ],
    real: Annotated[
        Path | None, typer.Option(help="The real table, whole; with the others, numbers are computed again.")
    ] = None,
    synthetic: Annotated[Path | None, typer.Option(help="The synthetic table.")] = None,
    holdout: Annotated[Path | None, typer.Option(help="The holdout, if it was a file of its own.")] = None,
    canaries: Annotated[Path | None, typer.Option(help="The canaries, if there were such.")] = None,
    public_key: Annotated[
        str | None,
        typer.Option(help="The key that has to have signed it: in Base64, or a file (PEM, Base64)."),
    ] = None,
    as_json: Json = False,
    *,
    tables: TableReader,
) -> int:
    """Check the signature of an evidence pack; given the data, compute its numbers again."""
    files = _given(real=real, synthetic=synthetic, holdout=holdout, canaries=canaries)
    tables.check(*files.values())
    found = read_pack(pack)
    check_signature(found, None if public_key is None else _public_key(public_key))
    evidence = Evidence.model_validate_json(found.files[EVIDENCE])
    report = Report.model_validate_json(found.files[REPORT_JSON])
    again = _recompute(evidence, report, files, tables) if files else None
    result = {
        **found.facts,
        "key_id": key_id(found.public_key),
        "public_key": public_text(found.public_key),
        "is_expected_key": public_key is not None,
        "verdict": report.verdict.outcome,
        "policy": report.verdict.policy,
        "is_same_software": evidence.software == software_versions()
        and evidence.source_sha256 == source_digest(),
        "recomputed": None if again is None else {**asdict(again), "is_equal": again.is_equal},
    }
    print_result(result, show_verification, as_json=as_json)
    return 0 if again is None or again.is_equal else REFUSED


def _given(**paths: Path | None) -> dict[str, Path]:
    """Return the files that were named, by role."""
    return {role: path for role, path in paths.items() if path is not None}


def _check_outputs(report_file: Path | None, evidence: Path | None, signing_key: Path | None) -> None:
    if report_file is not None:
        check_report_path(report_file)
    if (evidence is None) != (signing_key is None):
        raise InvalidInput(
            "An evidence pack is signed: give both --evidence and --signing-key, or neither.",
            code="invalid_parameters",
        )


def _split(holdout: Path | None, model: Path | None) -> tuple[Split, tuple[str, ...]] | None:
    if model is None:
        return None
    if holdout is not None:
        raise InvalidInput(
            "--model says how the real table was split, and --holdout names other held-out rows. Give one.",
            code="invalid_parameters",
        )
    return split_of_model(model)


def _read(
    tables: TableReader, files: Mapping[str, Path], subject: Sequence[str], progress: Progress
) -> tuple[dict[str, pa.Table], InferredTable]:
    """Return the rows by role, in the types of the real table's schema, and that schema."""
    rows = {role: tables.read(path, progress) for role, path in files.items()}
    found = infer_table(rows["real"])
    inferred = InferredTable(with_subject(found.schema, subject), found.findings)
    # Canaries have a column more than the schema.
    return {
        role: table if role == "canaries" else conform(table, inferred.schema, ORIGINS[role])
        for role, table in rows.items()
    }, inferred


def _options(
    target: str | None, protected: list[str], sensitive: list[str], queries: Path | None, policy: str
) -> EvaluationOptions:
    wanted = {"target": target, "protected": protected, "sensitive": sensitive, "policy": policy}
    if queries is not None:
        wanted["queries"] = _read_json(queries)
    if policy.endswith(".json"):
        wanted["policy"] = _read_json(Path(policy))
    try:
        return EvaluationOptions.model_validate(wanted)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = "/".join(str(part) for part in first["loc"])
        raise InvalidInput(f"{where}: {first['msg']}.", code="invalid_parameters") from error


def _read_json(path: Path) -> Any:  # JSON
    try:
        return json.loads(existing_file(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidInput(f"{path} is not JSON in UTF-8.", code="invalid_parameters") from error


def _digests(files: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    sources = {}
    for role, file in files.items():
        with file.open("rb") as opened:
            sources[role] = {"file_sha256": hashlib.file_digest(opened, "sha256").hexdigest()}
    return sources


def _write_pack(report: Report, evidence: Evidence, path: Path, key: Ed25519PrivateKey) -> None:
    content = {
        REPORT_JSON: report.model_dump_json(),
        REPORT_HTML: render_html(report),
        EVIDENCE: evidence.model_dump_json(indent=2),
    }
    with complete_or_absent(path) as partial:
        partial.write_bytes(write_pack({name: text.encode() for name, text in content.items()}, key, {}))


def _public_key(text: str) -> Ed25519PublicKey:
    path = Path(text)
    return read_public_key(path.read_text(encoding="utf-8") if path.is_file() else text)


def _recompute(
    evidence: Evidence, report: Report, files: Mapping[str, Path], tables: TableReader
) -> Recomputation:
    with progress_bar("Computing again") as progress:
        rows = {role: tables.read(path, progress) for role, path in files.items()}
        return recompute(evidence, report, rows, progress=progress)
