"""Runs: made, listed, cancelled, extended, removed."""

from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request, Response, status

from entroscope.api.deps import BodyDep, PageDep, RunDep, ServicesDep
from entroscope.api.openapi import body_of
from entroscope.api.schemas import (
    Extension,
    PlanDocument,
    Receipt,
    Refinement,
    RunDocument,
    RunList,
)
from entroscope.protocol.spec import Spec
from entroscope.protocol.states import State
from entroscope.protocol.validation import read_document
from entroscope.runs.documents import without_exact

router = APIRouter(prefix="/api/runs", tags=["runs"])
Document = dict[str, Any]


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    response_model=RunDocument,
    responses={200: {"model": RunDocument, "description": "The run was there already"}},
    openapi_extra=body_of(Spec),
)
async def create_run(
    request: Request,
    spec: BodyDep,
    response: Response,
    services: ServicesDep,
    reuse: Annotated[bool, Query(description="An equal run that is done will do")] = False,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Document:
    """Queue a run; the same Idempotency-Key and spec give the same run, however often sent."""
    submissions = services.submissions
    plan = await services.planning.make(request, partial(submissions.order, spec))
    submit = partial(submissions.submit, plan, spec, key=idempotency_key, reuse=reuse)
    run, made = await to_thread.run_sync(submit)
    response.status_code = status.HTTP_201_CREATED if made else status.HTTP_200_OK
    response.headers["Location"] = f"/api/runs/{run}"
    return await to_thread.run_sync(services.listing.document, run)


@router.post("/plan", response_model=PlanDocument, openapi_extra=body_of(Spec))
async def plan_run(request: Request, spec: BodyDep, services: ServicesDep) -> Document:
    """Check a spec as POST /api/runs does and say what it would cost; nothing is stored."""
    return await services.planning.make(request, partial(services.submissions.plan, spec))


@router.get("", response_model=RunList)
def list_runs(
    services: ServicesDep,
    before: PageDep,
    model: str | None = None,
    state: State | None = None,
    parent: Annotated[str | None, Query(description="The sweep they belong to")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Document:
    """List runs, live and archived, newest first."""
    runs = services.listing.page(model, state, limit + 1, before, parent)
    last = runs[limit - 1] if len(runs) > limit else None
    cursor = None if last is None else f"{last['created_ms']}-{last['id']}"
    return {"runs": [without_exact(run) for run in runs[:limit]], "next": cursor}


@router.get("/{run}", response_model=RunDocument)
def get_run(run: RunDep, services: ServicesDep) -> Document:
    """Return one run."""
    return services.listing.document(run)


@router.delete("/{run}", status_code=status.HTTP_204_NO_CONTENT)
def delete_run(run: RunDep, services: ServicesDep) -> None:
    """Remove a finished run and all that is kept of it."""
    services.results.delete(run)


@router.post("/{run}/cancel", response_model=Receipt)
def cancel_run(run: RunDep, services: ServicesDep) -> Document:
    """Cancel a run: at once while it is queued, at the next step of its batch while it runs."""
    return services.results.cancel(run)


@router.post(
    "/{run}/extend",
    status_code=status.HTTP_201_CREATED,
    response_model=RunDocument,
    openapi_extra=body_of(Extension),
)
def extend_run(
    run: RunDep, extension: BodyDep, response: Response, services: ServicesDep
) -> Document:
    """Make a new run with more trajectories that reuses the batches of a finished one."""
    new = services.submissions.extend(run, read_document(Extension, extension).trajectories)
    response.headers["Location"] = f"/api/runs/{new}"
    return services.listing.document(new)


@router.post(
    "/{run}/refine",
    status_code=status.HTTP_201_CREATED,
    response_model=RunDocument,
    openapi_extra=body_of(Refinement),
)
def refine_run(
    run: RunDep, refinement: BodyDep, response: Response, services: ServicesDep
) -> Document:
    """Make a run like a finished one, its noise levels where that one has seen decisions."""
    new = services.submissions.refine(run, read_document(Refinement, refinement).steps)
    response.headers["Location"] = f"/api/runs/{new}"
    return services.listing.document(new)
