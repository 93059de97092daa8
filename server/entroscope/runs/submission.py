"""From what a user sends to a run: checked, priced, and made once."""

import threading
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel
from redis import Redis

from entroscope.broker.idempotency import id_of_key
from entroscope.broker.presence import Presence
from entroscope.broker.run_store import RunStore
from entroscope.measurement.plan.pilot import spec_from_pilot
from entroscope.measurement.plan.plan import Plan
from entroscope.measurement.plan.resolve import resolve
from entroscope.protocol.errors import Conflict, SpecError, Unavailable
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.spec import BatchPlan, Spec
from entroscope.protocol.validation import read_document
from entroscope.runs.documents import outline
from entroscope.runs.estimate import cost_seconds
from entroscope.runs.limits import check_records, check_room, run_bytes
from entroscope.runs.listing import Listing
from entroscope.runs.results import Results, plan_of
from entroscope.settings import Settings

Request = TypeVar("Request", bound=BaseModel)


class Submissions:
    """Makes runs."""

    def __init__(
        self,
        redis: Redis,
        store: RunStore,
        presence: Presence,
        listing: Listing,
        results: Results,
        settings: Settings,
    ) -> None:
        self._redis, self._store, self._presence = redis, store, presence
        self._listing, self._results, self._settings = listing, results, settings
        self._lock = threading.Lock()

    def order(self, document: Any) -> Plan:
        """Return the plan of a spec as it was sent.

        Raises:
            InvalidDocument, SpecError: what is wrong with which field.
        """
        return self.accept(read_document(Spec, document))

    def accept(self, spec: Spec) -> Plan:
        """Return the plan of a spec, resolved, within the limits.

        Raises:
            SpecError: which field is off.
        """
        info = self._model(spec.model)
        plan = resolve(spec, info)
        check_size(plan, self._settings)
        return plan

    def plan(self, document: Any) -> dict[str, Any]:
        """Return what a run of this spec would be."""
        plan = self.order(document)
        summary = outline(plan)
        seconds = cost_seconds(summary.work, plan.info.name, self._listing.rates())
        return {
            "spec": plan.spec.document(),
            **summary.document,
            "batches": [size for _, size in plan.batches],
            "presets": plan.bound.presets,
            "cost": {"evaluations": summary.evaluations, "seconds": seconds},
        }

    def submit(
        self, plan: Plan, document: Any, *, key: str | None, reuse: bool
    ) -> tuple[str, bool]:
        """Return the id of the run of a spec and whether it was made just now.

        Args:
            plan: what `order` made of the document.
            key: the same key and document give the same run, however often they are sent.
            reuse: an equal run that is done will do.
        """
        if reuse and (equal := self._listing.equal_run(plan.hash)) is not None:
            return equal, False
        if key is None:
            return self._create(plan), True
        with self._lock:
            run = id_of_key(self._redis, key, document)
            if self._listing.exists(run) or self._listing.has_ended(run):
                return run, False
            return self._create(plan, run=run), True

    def extend(self, run: str, trajectories: int) -> str:
        """Make a run with more trajectories that reuses the batches of a finished one."""
        document, frames = self._results.finished_run(run)
        if document["state"] != "done":
            raise Conflict(f"run {run!r} is {document['state']}; only a run that is done can grow")
        plan = plan_of(document)
        self._check_same_model(plan)
        old = plan.spec
        if trajectories <= old.trajectories:
            reason = f"must be more than the {old.trajectories} that the run has"
            raise SpecError("trajectories", trajectories, reason)
        new = old.model_copy(update={"trajectories": trajectories, "target_se_bits": None})
        longer = Plan(new, plan.info)
        check_size(longer, self._settings)
        equal = zip(longer.batches, plan.batches, strict=False)
        kept = {i: frames[i] for i, (a, b) in enumerate(equal) if a == b and i in frames}
        return self._create(longer, parent=document["parent"], extends=run, reuse=kept)

    def refine(self, run: str, steps: int) -> str:
        """Make a run of the same spec with its noise levels where a finished one saw decisions."""
        result = self._results.result(run)
        return self._create(self.order(spec_from_pilot(result, steps)))

    def check_room(self, plans: Sequence[Plan]) -> None:
        """Refuse runs for which Redis may have no room.

        Raises:
            SpecError, Unavailable: how much they may take.
        """
        check_room(plans, self._redis, self._store, self._settings)

    def _create(self, plan: Plan, **about: Any) -> str:
        self.check_room([plan])
        return self._store.create(plan, reserved=run_bytes(plan), **about).id

    def _model(self, name: str) -> ModelInfo:
        models = self._presence.models()
        if not models:
            raise Unavailable("no worker has announced a model yet; start one: entroscope work")
        if name not in models:
            known = ", ".join(sorted(models))
            raise SpecError("model", name, f"no model {name!r}; the models are {known}")
        return models[name][0]

    def _check_same_model(self, plan: Plan) -> None:
        """Refuse to go on with an old run unless the model of its name is still the same."""
        info = plan.info
        now = self._presence.models().get(info.name)
        if now is not None and now[0].weights_hash != info.weights_hash:
            raise Conflict(f"the weights of {info.name!r} have changed since this run; start anew")
        on_data = plan.spec.paths_from == "data"
        if now is not None and on_data and now[0].data != info.data:
            raise Conflict(f"the data of {info.name!r} have changed since this run; start anew")


def check_size(plan: Plan, settings: Settings) -> None:
    """Refuse a run that is larger than the server allows.

    Raises:
        SpecError: which field makes it so large.
    """
    _check_evaluations(plan, settings.max_evaluations)
    if plan.num_batches > settings.max_batches:
        sizes = plan.spec.batch_sizes or BatchPlan.of(plan.info.batch_sizes)
        reason = f"makes {plan.num_batches} batches; the limit is {settings.max_batches}"
        raise SpecError("batch_sizes.largest", sizes.largest, reason)
    check_records(plan, settings)


def _check_evaluations(plan: Plan, limit: int) -> None:
    pictured, studied = plan.preview_evaluations, plan.study_evaluations
    main = plan.evaluations - studied - pictured
    if main > limit:
        raise SpecError(
            "trajectories",
            plan.spec.trajectories,
            f"{plan.spec.trajectories} trajectories x {len(plan.sigmas)} steps x "
            f"{plan.labels_evaluated} labels = {main:,} evaluations; the limit is {limit:,}",
        )
    for field, value, name, more in (
        ("studies", plan.spec.studies.model_dump(mode="json"), "its studies", studied),
        ("previews.paired", True, "its paired previews", pictured),
    ):
        main += more
        if main > limit:
            reason = f"with {name} the run takes {main:,} evaluations; the limit is {limit:,}"
            raise SpecError(field, value, reason)
