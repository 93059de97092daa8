"""One plan per spec, however often its run is read."""

from fakes import fake_plan
from redis import Redis

from entroscope.broker.batch_queue import BatchQueue
from entroscope.broker.plans import KEPT, read_plan, stored
from entroscope.broker.run_store import RunStore
from entroscope.runs.results import plan_of


def test_a_run_is_read_and_worked_on_with_the_plan_it_was_made_of(redis: Redis) -> None:
    plan = fake_plan(2)
    store = RunStore(redis)
    run = store.create(plan)
    taken = BatchQueue(redis).take("w", ["fake"], 10)
    assert run.plan is plan
    assert store.get(run.id).plan is plan
    assert taken is not None and taken.plan is plan


def test_an_archived_run_has_the_same_plan(redis: Redis) -> None:
    run = RunStore(redis).create(fake_plan(2))
    document = {"spec": run.spec.document(), "info": run.info.model_dump(mode="json")}
    assert plan_of(document) is run.plan


def test_plans_that_nobody_asks_for_are_let_go() -> None:
    plans = [fake_plan(1, seed=seed) for seed in range(KEPT + 1)]
    read = [read_plan(*stored(plan.spec, plan.info)) for plan in plans]
    assert read_plan(*stored(plans[0].spec, plans[0].info)) is not read[0]
    assert read_plan(*stored(plans[-1].spec, plans[-1].info)) is read[-1]
