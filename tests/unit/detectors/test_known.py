"""Which entry points are detectors that may be loaded."""

from __future__ import annotations

from bawn.detectors.invisible import Invisible
from bawn.detectors.known import Origin, ordered, unsound, wanted

OWN = Origin("bawn", "1.0", "hidden")
OTHERS = Origin("Acme_Detectors", "2.1", "acme")


def test_what_nobody_named_is_not_loaded() -> None:
    assert wanted([OWN, OTHERS], {}, {}) == ([OWN], [])


def test_what_is_named_in_its_version_is_loaded() -> None:
    assert wanted([OWN, OTHERS], {"acme-detectors": "2.1"}, {"acme-detectors": "2.1"}) == (
        [OWN, OTHERS],
        [],
    )


def test_another_version_is_refused_with_both() -> None:
    _, (problem,) = wanted([OWN, OTHERS], {"acme-detectors": "2.0"}, {"acme-detectors": "2.1"})
    assert "acme-detectors==2.0" in problem
    assert "2.1 is installed" in problem


def test_what_is_not_there_or_has_none_is_refused() -> None:
    _, problems = wanted([OWN], {"absent": "1", "empty": "2"}, {"empty": "2"})
    assert ["not installed" in problems[0], "no detectors" in problems[1]] == [True, True]


def test_two_detectors_of_one_id_are_refused() -> None:
    twin = Origin("acme-detectors", "2.1", "hidden")
    _, (problem,) = wanted([OWN, twin], {"acme-detectors": "2.1"}, {"acme-detectors": "2.1"})
    assert "hidden of acme-detectors==2.1" in problem


def test_what_is_no_detector_is_told_so() -> None:
    assert "no surfaces" in unsound(OTHERS, type("Odd", (), {"id": "acme"})())[0]
    assert "'hidden'" in unsound(OTHERS, Invisible())[0]
    assert unsound(OWN, Invisible()) == []


def test_the_order_is_that_of_ids() -> None:
    assert [each.id for each in ordered([Invisible()])] == ["hidden"]
