"""What a finished run has measured, and the pictures of any run."""

import json
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from entroscope.api.curves_csv import curves_csv
from entroscope.api.deps import RunDep, ServicesDep
from entroscope.api.schemas import Result
from entroscope.measurement.curves.axes import Axis, Unit

PairPrior = Annotated[
    float | None,
    Query(gt=0, lt=1, description="Prior of the class in each-vs-rest; the run's own if left out"),
]

router = APIRouter(prefix="/api/runs/{run}", tags=["results"])


@router.get("/result", response_model=Result)
def get_result(run: RunDep, services: ServicesDep, pair_prior: PairPrior = None) -> Response:
    """Return the result; of a failed or cancelled run, that of its finished batches."""
    text = json.dumps(services.results.result_at(run, pair_prior), allow_nan=False)
    return Response(text, media_type="application/json")


@router.get(
    "/curves.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def get_curves(
    run: RunDep,
    services: ServicesDep,
    unit: Annotated[Unit, Query(description="of information")] = Unit.BITS,
    axis: Annotated[Axis, Query(description="production is per unit of it")] = Axis.SIGMA,
    pair_prior: PairPrior = None,
) -> Response:
    """Return the curves as CSV; on the (logarithmic) sigma axis production is per ln sigma."""
    text = curves_csv(services.results.result_at(run, pair_prior), unit, axis)
    name = f"attachment; filename=entroscope-{run[:8]}-{unit}-{axis}.csv"
    headers = {"Content-Disposition": name}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


@router.get(
    "/previews/{step}",
    response_class=Response,
    responses={
        200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}
    },
)
def get_preview(
    run: RunDep, step: Annotated[int, Path(ge=0, le=1_000_000)], services: ServicesDep
) -> Response:
    """Return the pictures of one step as one sprite sheet."""
    return Response(services.results.preview(run, step), media_type="image/jpeg")
