"""What is said of a document that is off: the field, and in plain words what it must be."""

from typing import Any

import pytest

from entroscope.measurement.plan.sweep import Sweep
from entroscope.protocol.errors import InvalidDocument
from entroscope.protocol.spec import Spec
from entroscope.protocol.validation import read_document


def said(document: Any) -> dict[str, str]:
    with pytest.raises(InvalidDocument) as refused:
        read_document(Spec, document)
    return {error.field: error.reason for error in refused.value.errors}


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"trajectorys": 512}, "trajectorys", "is unknown (did you mean 'trajectories'?)"),
        (
            {"schedule": {"sigma_mx": 1}},
            "schedule.sigma_mx",
            "is unknown (did you mean 'sigma_max'?)",
        ),
        ({"studies": {"switch": {"level": 3}}}, "studies.switch.level", "did you mean 'levels'?"),
        ({"previews": {"zzz": 3}}, "previews.zzz", "is unknown; there are decode, paired, samples"),
        ({"partitions": {"a": {"eahc": [1], "each": [0]}}}, "partitions.a.eahc", "'each'?"),
        ({"trajectories": 1}, "trajectories", "must be >= 2"),
        ({"trajectories": 2.5}, "trajectories", "must be a whole number"),
        ({"target_se_bits": 0}, "target_se_bits", "must be >= 0.00001"),
        ({"seed": 2**53}, "seed", f"must be < {2**53}"),
        ({"prune_below": 1}, "prune_below", "must be <= 0.1"),
        ({"guidance": {}}, "guidance.scale", "is missing"),
        (
            {"guidance": {"scale": 1, "method": "feedbak"}},
            "guidance.method",
            "must be 'cfg' or 'feedback' (did you mean 'feedback'?)",
        ),
        ({"guidance": 3}, "guidance", "must be an object"),
        ({"schema": 2}, "schema", "must be 1"),
        ({"prior": "flat"}, "prior", "must be 'model' or 'uniform' or an object"),
        ({"pair_prior": 2}, "pair_prior", "must be 'prior' or < 1"),
        ({"partitions": {}}, "partitions", "must have at least 1 item(s), has 0"),
        (
            {"partitions": {"a": [{"name": "x", "labels": []}]}},
            "partitions.a.0.labels",
            "must have at least 1 item(s), has 0",
        ),
        ({"schedule": {"sigmas": [1, 2]}}, "schedule", "sigmas must fall, got 1.0 and then 2.0"),
    ],
)
def test_a_field_that_is_off_is_named_in_plain_words(
    fields: dict[str, Any], field: str, reason: str
) -> None:
    found = said({"model": "m", **fields})
    assert list(found) == [field]
    assert reason in found[field] and "Input" not in found[field]


def test_a_document_that_is_no_object_is_refused_in_plain_words() -> None:
    assert said([]) == {"document": "must be an object"}
    assert said({}) == {"model": "is missing"}


def test_every_field_that_is_off_is_named() -> None:
    assert set(said({"seed": -1, "modle": "x"})) == {"seed", "modle", "model"}


def test_other_documents_are_answered_alike() -> None:
    with pytest.raises(InvalidDocument, match=r"vary: must have at least 1 item\(s\), has 0"):
        read_document(Sweep, {"spec": {}, "vary": []})
