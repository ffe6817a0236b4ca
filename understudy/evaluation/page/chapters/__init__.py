"""The chapters of the page. Each chapter has a file with its view model and one line in the table below."""

from __future__ import annotations

from understudy.evaluation.page.chapters import (
    bias,
    columns,
    detection,
    method,
    pairs,
    privacy,
    quantities,
    queries,
    rules,
    structure,
    subgroups,
    summary,
    support,
    usefulness,
)
from understudy.evaluation.page.elements import Chapter

CHAPTERS: tuple[Chapter, ...] = (
    summary.CHAPTER,
    columns.CHAPTER,
    pairs.CHAPTER,
    quantities.CHAPTER,
    detection.CHAPTER,
    support.CHAPTER,
    rules.CHAPTER,
    structure.CHAPTER,
    subgroups.CHAPTER,
    usefulness.CHAPTER,
    queries.CHAPTER,
    bias.CHAPTER,
    privacy.CHAPTER,
    method.CHAPTER,
)
