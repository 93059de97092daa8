"""The prior of a pair over HTTP: asked for once a run is finished, refused where it is none."""

import pytest
from live import Document, Live
from puppet import Puppet

from entroscope import Client
from entroscope.protocol.errors import SpecError

SPEC: Document = {
    "model": "fake",
    "trajectories": 12,
    "schedule": {"steps": 4},
    "partitions": {"classes": None, "rest": "each-vs-rest"},
}


def test_a_finished_run_is_read_at_another_prior_of_its_pairs(
    client: Client, puppet: Puppet
) -> None:
    run = client.run(SPEC)
    puppet.finish(run.id)
    own, other = run.result(), run.result(pair_prior=0.2)
    assert set(own.curves) == {"classes", "rest.a", "rest.b", "rest.c"}
    assert set(other.curves) == {"rest.a", "rest.b", "rest.c"}
    assert other.document["pair_prior"] == 0.2
    for key, curve in other.document["curves"].items():
        assert curve["bound"] == pytest.approx(0.7219281)  # of (0.2, 0.8)
        assert curve["n"] == own.document["curves"][key]["n"]
        assert curve["entropy"] != own.document["curves"][key]["entropy"]


def test_a_prior_that_is_no_probability_between_0_and_1_is_refused(
    live: Live, client: Client, puppet: Puppet
) -> None:
    run = client.run(SPEC)
    puppet.finish(run.id)
    for prior in ("0", "1", "-0.5", "nan", "half"):
        response = live.http.get(f"/api/runs/{run.id}/result", params={"pair_prior": prior})
        assert response.status_code == 422
        assert "pair_prior" in response.json()["errors"][0]["field"]


def test_a_run_without_each_against_the_rest_has_no_such_prior(
    client: Client, puppet: Puppet
) -> None:
    run = client.run({**SPEC, "partitions": {"classes": None}})
    puppet.finish(run.id)
    with pytest.raises(SpecError, match="no partition 'each-vs-rest'"):
        run.result(pair_prior=0.2)
