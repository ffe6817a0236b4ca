"""Routes for the catalogs of synthesizers and metrics."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter

from app.bodies.catalogues import (
    MetricCatalogue,
    MetricDescription,
    SynthesizerCapabilities,
    SynthesizerCatalogue,
    SynthesizerDescription,
)
from app.dependencies import ReaderDep
from understudy.evaluation.metrics import METRICS
from understudy.synthesizers import SYNTHESIZERS

router = APIRouter(prefix="/v1", tags=["catalogues"])


@router.get("/synthesizers", summary="List synthesizers")
async def list_synthesizers(caller: ReaderDep) -> SynthesizerCatalogue:
    """Return all synthesizers with their capabilities and the JSON Schema of their parameters."""
    return SynthesizerCatalogue(
        data=[
            SynthesizerDescription(
                name=entry.name,
                summary=entry.summary,
                parameters=entry.parameters.model_json_schema(),
                capabilities=SynthesizerCapabilities.model_validate(
                    asdict(entry.capabilities)
                    | {"learned_kinds": sorted(kind.value for kind in entry.capabilities.learned_kinds)}
                ),
            )
            for entry in SYNTHESIZERS.values()
        ]
    )


@router.get("/metrics", summary="List metrics")
async def list_metrics(caller: ReaderDep) -> MetricCatalogue:
    """Return all metrics that a report can contain, with their direction and range."""
    return MetricCatalogue(
        data=[
            MetricDescription(
                name=metric.name,
                title=metric.title,
                summary=metric.summary,
                source=metric.source or None,
                documentation=metric.documentation,
                topic=metric.topic,
                direction=metric.direction,
                range=list(metric.range),
                best=metric.best,
                needs=sorted(metric.needs),
            )
            for metric in METRICS.values()
        ]
    )
