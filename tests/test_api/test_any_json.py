"""No JSON document, however odd, makes the server stumble."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live import Live, live_server
from puppet import OFFER, Puppet

from entroscope.broker.connect import connect
from entroscope.measurement.mixtures.params import mixture_schema
from entroscope.processes.local_redis import LocalRedis

MIXTURE = OFFER.model_copy(
    update={
        "name": "mixture",
        "family": "gaussian-mixture",
        "labels": (),
        "params_schema": mixture_schema(),
    }
)

numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | st.text(max_size=8)
names = st.sampled_from(
    ["a", "b", "name", "labels", "groups", "kind", "means", "std", "first", "steps"]
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(names | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = [
    "schema",
    "params",
    "partitions",
    "prior",
    "schedule",
    "trajectories",
    "target_se_bits",
    "seed",
    "batch_sizes",
    "guidance",
    "previews",
    "unknown",
]
fields = st.dictionaries(st.sampled_from(FIELDS), anything, min_size=1, max_size=3)
models = st.sampled_from(["fake", "mixture"])


@pytest.fixture(scope="module")
def live(real_redis: LocalRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with connect(real_redis.url) as redis:
        redis.flushall()
        Puppet(redis).announce()
        Puppet(redis, MIXTURE).announce()
    with live_server(real_redis.url, tmp_path_factory.mktemp("data")) as server:
        yield server


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(model=models, change=fields)
def test_every_document_is_planned_or_refused_with_a_reason(
    live: Live, model: str, change: dict[str, Any]
) -> None:
    body = json.dumps({"model": model, **change})
    response = live.http.post("/api/runs/plan", content=body)
    answer = response.json()
    if response.status_code == 200:
        assert answer["cost"]["evaluations"] > 0
    else:
        assert response.status_code in (400, 422), answer
        assert answer["detail"]
