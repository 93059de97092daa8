"""Sums of data paths: they merge, count only who belongs, and give the diagram they should."""

import numpy as np
import pytest

from entroscope.measurement.curves.calibration import calibration_document, calibration_sums
from entroscope.measurement.curves.moments import FIELDS, Moments
from entroscope.measurement.curves.records import Record, decode_sums
from entroscope.protocol.quantities import QUANTITIES

STEPS, N = 4, 600


def moments_of(part: slice) -> Moments:
    """Return the sums of some trajectories, whose answers are right as often as they say."""
    stream = np.random.default_rng(0)
    confidence = stream.uniform(0.25, 1, (STEPS, N))
    correct = (stream.random((STEPS, N)) < confidence).astype(float)
    entropy, cross = stream.random((STEPS, N)), stream.random((STEPS, N))
    cross[:, 0] = np.nan
    half = np.where(np.arange(STEPS)[:, None] % 2 == 0, 1.0, np.nan)
    values = np.stack([correct, confidence, entropy * half, cross * half])
    table = np.full((len(QUANTITIES), STEPS, N), 0.5)
    table[:, :, 0] = np.nan
    sums = calibration_sums(values[:, :, part], entropy[:, part], cross[:, part])
    return Moments.of(table[:, :, part], np.zeros(N, np.int64)[part], 1, sums)


def test_sums_of_two_batches_are_those_of_one() -> None:
    parts = moments_of(slice(0, 200)) + moments_of(slice(200, N))
    whole = moments_of(slice(0, N))
    for field in FIELDS:
        np.testing.assert_allclose(getattr(parts, field), getattr(whole, field), rtol=1e-12)


def test_the_diagram_holds_everybody_who_counts_in_the_bin_of_their_confidence() -> None:
    document = calibration_document(moments_of(slice(0, N)))
    assert document is not None
    diagram = document["reliability"]
    assert diagram["count"].sum(1).tolist() == [N - 1] * STEPS
    assert diagram["count"][:, :2].sum() == 0
    edges = diagram["edges"]
    assert (diagram["confidence"][:, 3:] >= edges[3:-1]).all()
    assert (diagram["confidence"][:, 3:] <= edges[4:]).all()
    allowed = 4 * np.sqrt(0.25 / diagram["count"][:, 3:])
    assert (np.abs(diagram["accuracy"] - diagram["confidence"])[:, 3:] <= allowed).all()


def test_corrected_curves_stand_at_every_second_level() -> None:
    document = calibration_document(moments_of(slice(0, N)))
    assert document is not None
    known = np.isfinite(document["cross_entropy_corrected"])
    assert known.tolist() == [True, False, True, False]
    assert np.isfinite(document["accuracy"]).all() and np.isfinite(document["gap_se"]).all()


def test_the_gap_is_the_mean_of_the_paired_differences() -> None:
    document = calibration_document(moments_of(slice(0, N)))
    assert document is not None
    corrected = document["cross_entropy_corrected"] - document["entropy_corrected"]
    assert document["gap_corrected"][::2] == pytest.approx(corrected[::2])
    assert document["gap"][::2] == pytest.approx(corrected[::2])


def test_a_record_from_before_data_paths_is_still_read() -> None:
    plain = Moments.of(np.full((len(QUANTITIES), STEPS, 2), 0.5), np.zeros(2, np.int64), 1)
    record = Record({"batch": 0}, {"classes": plain}, np.zeros(2, np.int64), {})
    sums, _ = record.encode()
    named = b',"classes:calibration":["<f8",[0,4]]'
    assert named in sums  # an array without rows has no bytes: taking its name out is enough
    older = sums.replace(named, b"")
    older = (int.from_bytes(sums[:4], "little") - len(named)).to_bytes(4, "little") + older[4:]
    _, moments, _ = decode_sums(older)
    assert calibration_document(moments["classes"]) is None
