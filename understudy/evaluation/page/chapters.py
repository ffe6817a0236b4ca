"""The chapters of the page: each turns a part of the report into HTML."""

from __future__ import annotations

from understudy.evaluation.distributions import (
    MISSING_LABEL,
    N_ROWS_SHOWN_MIN,
    OTHER_LABEL,
    UNSEEN_LABEL,
    Distribution,
)
from understudy.evaluation.left_out import LeftOut
from understudy.evaluation.metrics.base import Unscored
from understudy.evaluation.metrics.fidelity import ColumnPairs, ColumnShapes, TwoSample
from understudy.evaluation.metrics.fidelity.column_shapes import ColumnShape
from understudy.evaluation.metrics.privacy import ExactCopies, NearestRecord
from understudy.evaluation.metrics.usefulness import TrainSyntheticTestReal
from understudy.evaluation.page import charts, formatting
from understudy.evaluation.page.formatting import escape
from understudy.evaluation.report import Report
from understudy.evaluation.scores import MetricScores

N_COLUMNS_IN_HEAT_MAP = 40
N_PAIRS_LISTED = 8
N_GIVEAWAYS_LISTED = 8
POOLED_LABELS = (OTHER_LABEL, UNSEEN_LABEL, MISSING_LABEL)
LEGEND_AREA = (
    '<svg width="20" height="12" aria-hidden="true">'
    '<rect class="area f-real" width="20" height="12" rx="2"/></svg>'
)
LEGEND_LINE = (
    '<svg width="20" height="12" aria-hidden="true"><path class="step s-synthetic" d="M0 10H7V3H20"/></svg>'
)


def section(name: str, title: str, lead: str, body: str) -> str:
    """Return a chapter."""
    return (
        f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{title}</h2>'
        f'<p class="lead">{lead}</p>{body}</section>'
    )


def columns(report: Report) -> str:
    """Return each column's two distributions, the least alike first."""
    result = report.scores("column_shapes").synthetic
    if not isinstance(result, ColumnShapes):
        return section("columns", "Column by column", "", _unscored(result))
    baselines = _shapes_by_name(report.scores("column_shapes").independent)
    distributions = {shown.column: shown for shown in report.columns}
    cards = "".join(
        _column_card(shape, baselines.get(shape.column), distributions[shape.column])
        for shape in sorted(result.columns, key=lambda shape: shape.score)
    )
    legend = f'<ul class="legend"><li>{LEGEND_AREA}real</li><li>{LEGEND_LINE}synthetic</li></ul>'
    lead = (
        "How the values of each column are distributed, the least alike columns first. The score is 1 minus "
        "the largest gap between the two distributions (Kolmogorov-Smirnov for numbers and times, total "
        "variation for categories), or 1 minus the gap in missing values if that is larger."
    )
    body = f'{legend}<div class="grid">{cards}</div>{_left_out(report)}'
    return section("columns", "Column by column", lead, body)


def _left_out(report: Report) -> str:
    """Return which columns are not scored, and why."""
    items = "".join(
        f'<li><span class="name">{escape(one.column)}</span>: {escape(one.reason)}{_copied(one)}</li>'
        for one in report.left_out
    )
    return f'<p class="muted">Not scored, because they are made anew:</p><ul>{items}</ul>' if items else ""


def _copied(one: LeftOut) -> str:
    share = "" if one.copied is None else formatting.percent(one.copied)
    return f"; {share} of the synthetic values are in the real table too" if share else ""


def _shapes_by_name(result: object) -> dict[str, ColumnShape]:
    return {shape.column: shape for shape in result.columns} if isinstance(result, ColumnShapes) else {}


def _column_card(shape: ColumnShape, baseline: ColumnShape | None, shown: Distribution) -> str:
    notes = [] if baseline is None else [f"independent {formatting.score(baseline.score, 'column_shapes')}"]
    if shown.missing_real or shown.missing_synthetic:
        notes.append(
            f"missing {formatting.percent(shown.missing_real)} real, "
            f"{formatting.percent(shown.missing_synthetic)} synthetic"
        )
    footer = "".join(f"<span>{note}</span>" for note in notes)
    return (
        f'<article class="card column"><header><h3 class="name">{escape(shape.column)}'
        f'<span class="kind">{shape.kind.value}</span></h3>'
        f'<span class="score">{formatting.score(shape.score, "column_shapes")}</span></header>'
        f"<figure>{_drawing(shown)}</figure><footer>{footer}</footer></article>"
    )


def _drawing(shown: Distribution) -> str:
    if shown.form == "histogram":
        return charts.histogram(shown)
    if shown.form == "hidden":
        return (
            '<p class="small muted">Not shown: too few known values to draw without showing single rows.</p>'
        )
    # What stands for many values, or for none, has no bar: it would press all others flat.
    has_bar = [label not in POOLED_LABELS for label in shown.labels]
    shares = zip((*shown.real, *shown.synthetic), has_bar * 2, strict=True)
    longest = max([1e-9, *(share for share, is_drawn in shares if is_drawn)])
    rows = [
        (
            label,
            [("real", real / longest), ("synthetic", synthetic / longest)]
            if is_drawn
            else f"{formatting.percent(real)} real",
            f'<span class="visually-hidden">real {formatting.percent(real)}, synthetic </span>'
            f"{formatting.percent(synthetic)}",
        )
        for label, real, synthetic, is_drawn in zip(
            shown.labels, shown.real, shown.synthetic, has_bar, strict=True
        )
    ]
    drawn = charts.bars(rows, pooled=POOLED_LABELS)
    return f'<div class="bars">{drawn}</div>'


def pairs(report: Report) -> str:
    """Return the heat maps of all pairs, and the pairs that are least alike."""
    scores = report.scores("column_pairs")
    lead = (
        "Whether columns belong together as they do in the real table. Each square is a pair of columns; the "
        "deeper its colour, the more their joint distribution differs from the real one (total variation on "
        "ten shared bins a column, 0 is equal). Read the large map against the small ones."
    )
    result = scores.synthetic
    if not isinstance(result, ColumnPairs):
        return section("pairs", "Pairs of columns", lead, _unscored(result))
    small = [
        _heat_figure(other, title, note, has_names=False)
        for other, title, note in (
            (scores.independent, "Independent columns", "What is lost when no relation is learnt."),
            (scores.real, "Other real rows", "What chance alone makes differ: nothing can be paler."),
        )
        if isinstance(other, ColumnPairs)
    ]
    large = _heat_figure(result, "Synthetic", "", has_names=True)
    body = (
        f'<div class="split"><div class="card">{large}<div class="gap">{charts.heat_legend()}</div></div>'
        f'<div class="stack">{"".join(f"<div class=card>{figure}</div>" for figure in small)}</div></div>'
        f'<div class="card gap">{_weakest_pairs(scores, result)}</div>'
    )
    return section("pairs", "Pairs of columns", lead, body)


def _heat_figure(result: ColumnPairs, title: str, note: str, *, has_names: bool) -> str:
    names = result.columns[:N_COLUMNS_IN_HEAT_MAP]
    matrix = [row[: len(names)] for row in result.matrix[: len(names)]]
    if len(names) < len(result.columns):
        note = f"{note} The first {len(names)} of {len(result.columns)} columns.".strip()
    score = formatting.score(result.score, "column_pairs")
    label = f"{title}: differences of all pairs of columns; their mean similarity is {score}"
    kind = "heatmap named" if has_names else "heatmap"
    drawn = charts.heat_map(names, matrix, label, has_names=has_names)
    return (
        f'<figure class="{kind}"><figcaption><h3>{title} <span class="muted number">{score}</span></h3>'
        f'<span class="small muted">{note}</span></figcaption>{drawn}</figure>'
    )


def _weakest_pairs(scores: MetricScores, result: ColumnPairs) -> str:
    others = [
        (title, other.matrix)
        for title, other in (("Independent", scores.independent), ("Real rows", scores.real))
        if isinstance(other, ColumnPairs)
    ]
    found = [
        (similarity, i, j)
        for i, row in enumerate(result.matrix)
        for j, similarity in enumerate(row[:i])
        if similarity is not None
    ]
    tables = [("Synthetic", result.matrix), *others]
    heads = "".join(f'<th scope="col" class="right">{title}</th>' for title, _ in tables)
    rows = []
    for _, i, j in sorted(found)[:N_PAIRS_LISTED]:
        numbers = "".join(
            f'<td class="right number">{formatting.score(matrix[i][j], "column_pairs")}</td>'
            for _, matrix in tables
        )
        rows.append(
            f'<tr><th scope="row"><span class="name">{escape(result.columns[j])}</span> &amp; '
            f'<span class="name">{escape(result.columns[i])}</span></th>{numbers}</tr>'
        )
    return (
        f'<table><thead><tr><th scope="col">The pairs least alike</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def two_sample(report: Report) -> str:
    """Return how well a classifier tells the tables apart, and by which columns."""
    scores = report.scores("two_sample")
    lead = (
        "The hardest question: a strong classifier learns to tell synthetic rows from real ones, then is "
        "asked about rows that it has not seen. It uses all columns together, so it finds what no single "
        "picture shows."
    )
    result = scores.synthetic
    if not isinstance(result, TwoSample):
        return section("two-sample", "Can they be told apart?", lead, _unscored(result))
    low, high = result.interval or (result.score, result.score)
    zero = 0.5
    body = (
        f'<div class="halves"><div class="card stack-text"><p class="big">{result.score:.3f}</p>'
        f'<p class="muted small">area under the ROC curve, 95 % interval {low:.3f} to {high:.3f}</p>'
        f"<p>Shown one real and one synthetic row, the classifier picks the synthetic one "
        f"<strong>{100 * result.score:.3g} times in 100</strong>. Guessing is right 50 times.</p>"
        f"{_reference_bars(scores, zero=zero)}</div>"
        f'<div class="card"><h3>What gave the synthetic rows away</h3>'
        '<p class="small muted">How much the area falls when one column is shuffled, so that the classifier '
        f"can no longer use it.</p>{_giveaways(result)}</div></div>"
    )
    return section("two-sample", "Can they be told apart?", lead, body)


def _reference_bars(scores: MetricScores, *, zero: float) -> str:
    """Return a bar for each reference, of length 0 where a score is `zero`."""
    rows = [
        (label, [(name, (found.score - zero) / (1 - zero))], formatting.score(found.score, scores.name))
        for label, name, found in (
            ("synthetic", "synthetic", scores.synthetic),
            ("independent", "independent", scores.independent),
            ("real rows", "real", scores.real),
        )
        if found is not None and found.score is not None
    ]
    return f'<div class="bars wide gap">{charts.bars(rows)}</div>'


def _giveaways(result: TwoSample) -> str:
    shown = [giveaway for giveaway in result.giveaways[:N_GIVEAWAYS_LISTED] if giveaway.auc_lost > 0]
    if not shown:
        return '<p class="gap">No column stands out.</p>'
    longest = shown[0].auc_lost
    rows = [
        (giveaway.column, [("synthetic", giveaway.auc_lost / longest)], f"{giveaway.auc_lost:.3f}")
        for giveaway in shown
    ]
    return f'<div class="bars wide gap">{charts.bars(rows)}</div>'


def usefulness(report: Report) -> str:
    """Return how well a model trained on synthetic rows predicts real ones."""
    scores = report.scores("train_synthetic_test_real")
    tested = (
        "real rows that nobody has learnt from"
        if "holdout" in report.tables
        else "real rows; without a holdout, these are rows that the synthesizer may have learnt from"
    )
    lead = (
        "Whether the synthetic rows can do the real ones' work: a model is trained on them alone, and asked "
        f"to predict {tested}."
    )
    result = scores.synthetic
    if not isinstance(result, TrainSyntheticTestReal):
        return section("usefulness", "Usefulness", lead, _unscored(result))
    measure = "area under the ROC curve" if result.measure == "AUC" else "R²: the share of variance explained"
    zero = 0.5 if result.measure == "AUC" else 0.0
    if result.classes is not None and result.classes > 2:
        measure += f", mean over {result.classes} classes"
    body = (
        f'<div class="card stack-text"><h3>Predicting <span class="name">{escape(result.target)}</span></h3>'
        f'<p class="small muted">{measure}; {result.model}, trained on '
        f"{formatting.count(result.n_rows['train'])} synthetic rows, tested on "
        f"{formatting.count(result.n_rows['test'])} real rows. "
        f"“Real rows” is the same model, trained on real rows.</p>{_reference_bars(scores, zero=zero)}</div>"
    )
    return section("usefulness", "Usefulness", lead, body)


def privacy(report: Report) -> str:
    """Return the two smoke alarms, and how little their silence means."""
    lead = "Two smoke alarms. They can show that something is wrong; they cannot show that all is well."
    caveat = (
        '<div class="note gap small"><p><strong>What this does not say.</strong> Data that pass such '
        "distance checks have been shown to be open to membership inference, the question whether a given "
        "person was in the training data (“The DCR Delusion”, ESORICS 2025). These alarms are no measure of "
        "that risk.</p>"
        "<p>There is no formal guarantee here, such as differential privacy would give. Whether these data "
        "may be shared is a decision about purpose, recipients and remaining risk that a report cannot "
        "take.</p></div>"
    )
    body = f'<div class="halves">{_nearest(report)}{_copies(report)}</div>{caveat}'
    return section("privacy", "Privacy smoke alarms", lead, body)


def _nearest(report: Report) -> str:
    scores = report.scores("nearest_record")
    result = scores.synthetic
    if not isinstance(result, NearestRecord):
        return f'<div class="card stack-text"><h3>Nearest record</h3>{_unscored(result)}</div>'
    low, high = result.interval or (result.score, result.score)
    distance = (result.score - 0.5) / result.standard_error if result.standard_error else 0.0
    return (
        f'<div class="card stack-text"><h3>Nearest record</h3><p class="big">{result.score:.3f}</p>'
        f'<p class="muted small">share nearer to a training row, 95 % interval {low:.3f} to {high:.3f}; '
        f"{abs(distance):.1f} standard errors {'above' if distance >= 0 else 'below'} 0.5</p>"
        f"<p>Of {formatting.count(result.n_rows['synthetic'])} synthetic rows, this share lies nearer to one "
        f"of {formatting.count(result.n_rows['real'])} training rows than to one of as many rows that were "
        "held out. New rows would show 0.5; a share more than 3 standard errors above it asks for a closer "
        "look.</p></div>"
    )


def _copies(report: Report) -> str:
    scores = report.scores("exact_copies")
    result = scores.synthetic
    if not isinstance(result, ExactCopies):
        return f'<div class="card stack-text"><h3>Exact copies</h3>{_unscored(result)}</div>'
    held_out = (
        "Among held-out real rows it is "
        f"<strong>{formatting.score(scores.real.score, 'exact_copies')}</strong>: "
        "that much repeats by nature."
        if scores.real is not None
        else "There is no holdout to show how much repeats by nature."
    )
    return (
        f'<div class="card stack-text"><h3>Exact copies</h3>'
        f'<p class="big">{formatting.score(result.score, "exact_copies")}</p>'
        f'<p class="muted small">of the synthetic rows equal a training row in every column</p>'
        f"<p>These are {formatting.count(result.n_copies)} of {formatting.count(result.n_rows['synthetic'])} "
        f"rows; {formatting.count(result.n_copies_of_unique)} equal a training row that occurs only once. "
        f"{held_out}</p></div>"
    )


def method(report: Report) -> str:
    """Return what was computed from what, so that it can be done again."""
    sizes = "".join(
        f'<tr><th scope="row">{role.capitalize()}</th><td class="right '
        f'number">{formatting.count(size.n_rows)}</td>'
        f'<td class="right number">{formatting.count(size.n_rows_used)}</td></tr>'
        for role, size in report.tables.items()
    )
    used = "".join(
        f'<tr><th scope="row">{escape(scores.title)}</th><td>{_rows_used(scores)}</td></tr>'
        for scores in report.metrics
    )
    versions = ", ".join(f"{escape(name)} {escape(number)}" for name, number in report.versions.items())
    lead = (
        "The same tables and the same seed give the same report. Large tables are not scored whole: rows are "
        "drawn by the seed, as many as are stated here."
    )
    body = (
        '<div class="halves"><div class="card"><table><thead><tr><th scope="col">Table</th>'
        '<th scope="col" class="right">Rows</th><th scope="col" class="right">Drawn</th></tr></thead>'
        f'<tbody>{sizes}</tbody></table></div><div class="card"><table><thead><tr><th scope="col">Score</th>'
        f'<th scope="col">Rows that it used</th></tr></thead><tbody>{used}</tbody></table></div></div>'
        f'<div class="note gap small"><p>Drawings show no bar, edge or label that stands for fewer than '
        f"{N_ROWS_SHOWN_MIN} real rows, and no smallest or largest value: rarer categories are pooled, bin "
        "edges are round numbers, and the outermost bins hold what lies beyond. “Independent columns” are "
        "drawn by the <code>independent</code> synthesizer from the same training rows.</p>"
        f"<p>Seed {report.seed}. {versions}. Report format {report.schema_version}.</p></div>"
    )
    return section("method", "How it was computed", lead, body)


def _rows_used(scores: MetricScores) -> str:
    if isinstance(scores.synthetic, Unscored):
        return f'<span class="muted">not scored: {escape(scores.synthetic.reason)}</span>'
    return ", ".join(f"{formatting.count(n)} {escape(role)}" for role, n in scores.synthetic.n_rows.items())


def _unscored(result: object) -> str:
    reason = escape(result.reason) if isinstance(result, Unscored) else ""
    return f'<p class="muted">Not scored: {reason}.</p>'
