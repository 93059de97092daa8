"""The studies of the papers, as the API lists them."""

from typing import Any

import pytest
from live import Live
from puppet import OFFER, Puppet

from entroscope.api.schemas import PresetList
from entroscope.protocol.presets import RunPreset
from entroscope.runs.presets import theory_presets

STUDY = RunPreset(
    name="study",
    title="A study",
    description="What it shows.",
    source="A paper",
    model="large",
    family="fake",
    labels=3,
    how_to_get=("entroscope models add large --family fake --path large.safetensors",),
    spec={"model": "large", "trajectories": 10, "schedule": {"steps": 4}, "companions": 0},
    evaluations=120,
)


@pytest.fixture
def brought(puppet: Puppet) -> Puppet:
    """The puppet, which has brought one preset of a model that it does not have."""
    puppet.presence.bring([STUDY])
    return puppet


def listed(live: Live, name: str = "study") -> dict[str, Any]:
    answer = live.http.get("/api/presets").raise_for_status().json()
    assert PresetList.model_validate(answer)
    (found,) = [preset for preset in answer["presets"] if preset["name"] == name]
    return dict(found)


def test_before_any_worker_has_come_there_are_those_of_the_theory(live: Live) -> None:
    names = [preset["name"] for preset in live.http.get("/api/presets").json()["presets"]]
    assert names == [preset.name for preset in theory_presets()]
    assert not listed(live, names[0])["available"]


def test_a_model_of_the_same_family_and_labels_stands_in(live: Live, brought: Puppet) -> None:
    found = listed(live)
    assert found["available"] and found["models"] == [OFFER.name]
    assert found["spec"]["model"] == OFFER.name
    assert found["seconds"] == pytest.approx(120 / 1000)
    plan = live.http.post("/api/runs/plan", json=found["spec"]).raise_for_status().json()
    assert plan["cost"] == {"evaluations": found["evaluations"], "seconds": found["seconds"]}


def test_the_model_it_was_written_for_comes_first(live: Live, brought: Puppet) -> None:
    own = OFFER.model_copy(update={"name": "large"})
    info = brought.presence.workers()[0].model_copy(update={"models": [OFFER, own]})
    brought.presence.announce(info)
    assert listed(live)["models"] == ["large", OFFER.name]


def test_without_a_worker_that_can_run_it_a_preset_says_how_to_get_its_model(
    live: Live, brought: Puppet
) -> None:
    brought.withdraw()
    found = listed(live)
    assert not found["available"] and found["models"] == [] and found["seconds"] is None
    assert found["spec"]["model"] == "large"
    assert found["how_to_get"] == list(STUDY.how_to_get)


def test_the_route_of_the_version_before_answers_the_sweeps_of_the_theory(live: Live) -> None:
    listed = live.http.get("/api/presets").json()["presets"]
    before = live.http.get("/api/sweeps/presets").json()["presets"]
    assert [preset["name"] for preset in before] == [preset["name"] for preset in listed]
    for old, new in zip(before, listed, strict=True):
        assert (old["title"], old["explanation"]) == (new["title"], new["description"])
        assert (old["sweep"]["spec"], old["sweep"]["vary"]) == (new["spec"], new["vary"])
    operations = live.http.get("/openapi.json").json()["paths"]
    assert operations["/api/sweeps/presets"]["get"]["deprecated"] is True
