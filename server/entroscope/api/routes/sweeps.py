"""Sweeps: several runs made at once, followed, cancelled and removed together."""

from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request, Response, status

from entroscope.api.deps import BodyDep, PageDep, ServicesDep, SweepDep
from entroscope.api.openapi import body_of
from entroscope.api.sweep_schemas import (
    Receipts,
    SweepDocument,
    SweepList,
    SweepPlan,
    SweepPresets,
    SweepSummary,
)
from entroscope.measurement.plan.sweep import Sweep
from entroscope.runs.presets import sweep_bodies

router = APIRouter(prefix="/api/sweeps", tags=["sweeps"])
Document = dict[str, Any]


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    response_model=SweepSummary,
    responses={200: {"model": SweepSummary, "description": "The sweep was there already"}},
    openapi_extra=body_of(Sweep),
)
async def create_sweep(
    request: Request,
    sweep: BodyDep,
    response: Response,
    services: ServicesDep,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Document:
    """Queue one run for each merge patch in `vary`, or none where one of them is not a good run."""
    ordered = await services.planning.make(request, partial(services.sweeps.order, sweep))
    submit = partial(services.sweeps.submit, ordered, sweep, idempotency_key)
    id, made = await to_thread.run_sync(submit)
    response.status_code = status.HTTP_201_CREATED if made else status.HTTP_200_OK
    response.headers["Location"] = f"/api/sweeps/{id}"
    return await to_thread.run_sync(services.sweeps.summary, id)


@router.post("/plan", response_model=SweepPlan, openapi_extra=body_of(Sweep))
async def plan_sweep(request: Request, sweep: BodyDep, services: ServicesDep) -> Document:
    """Check a sweep as POST /api/sweeps does and say what it would cost; nothing is stored."""
    return await services.planning.make(request, partial(services.sweeps.plan, sweep))


@router.get("/presets", response_model=SweepPresets, deprecated=True)
def list_presets() -> Document:
    """List the sweeps of the theory; GET /api/presets lists these and the studies of the papers."""
    return {"presets": sweep_bodies()}


@router.get("", response_model=SweepList)
def list_sweeps(
    services: ServicesDep, before: PageDep, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> Document:
    """List sweeps, newest first."""
    sweeps = services.sweeps.page(limit + 1, before)
    last = sweeps[limit - 1] if len(sweeps) > limit else None
    cursor = None if last is None else f"{last['created_ms']}-{last['id']}"
    return {"sweeps": sweeps[:limit], "next": cursor}


@router.get("/{sweep}", response_model=SweepDocument)
def get_sweep(sweep: SweepDep, services: ServicesDep) -> Document:
    """Return one sweep with the documents of its runs."""
    return services.sweeps.document(sweep)


@router.post("/{sweep}/cancel", response_model=Receipts)
def cancel_sweep(sweep: SweepDep, services: ServicesDep) -> Document:
    """Cancel every run of a sweep that has not ended."""
    return services.sweeps.cancel(sweep)


@router.delete("/{sweep}", status_code=status.HTTP_204_NO_CONTENT)
def delete_sweep(sweep: SweepDep, services: ServicesDep) -> None:
    """Remove a sweep whose runs have all ended, and these runs."""
    services.sweeps.delete(sweep)
