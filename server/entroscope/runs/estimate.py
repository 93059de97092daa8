"""How long runs will take: what is left of them, shared out over the workers alive."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from entroscope.broker.presence import WorkerInfo


@dataclass(frozen=True, slots=True)
class Load:
    """An unfinished run, as the queue sees it: its model and the work it still needs.

    Work is counted in evaluations of the model as it is offered (protocol/pair_cost.py).
    """

    run: str
    model: str
    left: float


def rates(workers: Iterable[WorkerInfo]) -> dict[str, float]:
    """Return the evaluations a second of each model over all workers alive that tell one."""
    totals: dict[str, float] = {}
    for worker in workers:
        for model in worker.models:
            if model.pairs_per_second:
                totals[model.name] = totals.get(model.name, 0.0) + model.pairs_per_second
    return totals


def observed(
    probed: Mapping[str, float], speeds: Mapping[str, list[float]], workers: Iterable[WorkerInfo]
) -> dict[str, float]:
    """Return rates with those of models under way replaced by what their runs have seen.

    Args:
        speeds: work a second of one worker, from the batches of each run of a model.
    """
    rates = dict(probed)
    alive = list(workers)
    for model, seen in speeds.items():
        count = sum(any(m.name == model for m in worker.models) for worker in alive)
        if count and seen:
            rates[model] = count * sum(seen) / len(seen)
    return rates


def seconds_left(loads: Iterable[Load], rates: Mapping[str, float]) -> dict[str, float]:
    """Return the time to each run's end: runs of a model take turns, so all share its rate.

    Until a run ends every other has had at most as many evaluations as it had itself.
    """
    all_loads = list(loads)
    times = {}
    for load in all_loads:
        if rate := rates.get(load.model):
            shared = (min(o.left, load.left) for o in all_loads if o.model == load.model)
            times[load.run] = sum(shared) / rate
    return times


def cost_seconds(work: float, model: str, rates: Mapping[str, float]) -> float | None:
    """Return how long a run would take alone, or None where no worker's speed is known."""
    rate = rates.get(model)
    return work / rate if rate else None
