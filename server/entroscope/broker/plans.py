"""The plans of runs, each built once in a process however often its run is read."""

import threading
from collections import OrderedDict

from entroscope.measurement.plan.plan import Plan
from entroscope.protocol.models import ModelInfo
from entroscope.protocol.spec import Spec

#: Plans kept at hand; one of a thousand classes takes some megabytes.
KEPT = 32
#: Resolved spec and model as they are stored: what a plan is made of.
Stored = tuple[bytes, bytes]

_plans: OrderedDict[Stored, Plan] = OrderedDict()
_lock = threading.Lock()


def stored(spec: Spec, info: ModelInfo) -> Stored:
    """Return resolved spec and model as JSON."""
    return spec.model_dump_json(by_alias=True).encode(), info.model_dump_json().encode()


def keep_plan(plan: Plan) -> Stored:
    """Keep the plan of a new run for those who read the run; return what is stored of it."""
    key = stored(plan.spec, plan.info)
    with _lock:
        _add(key, plan)
    return key


def read_plan(spec: bytes, info: bytes) -> Plan:
    """Return the plan of a stored spec and model.

    Raises:
        ValidationError, SpecError: this version cannot read it.
    """
    key = spec, info
    with _lock:
        if key in _plans:
            _plans.move_to_end(key)
        else:
            plan = Plan(Spec.model_validate_json(spec), ModelInfo.model_validate_json(info))
            _add(key, plan)
        return _plans[key]


def _add(key: Stored, plan: Plan) -> None:
    _plans[key] = plan
    if len(_plans) > KEPT:
        _plans.popitem(last=False)
