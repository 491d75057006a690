"""Versions lie in ranges as the OSV schema evaluates them, in the order of their ecosystem."""

from __future__ import annotations

from typing import Any

import pytest
import semver
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version as Pep440

from bawn.vulnerabilities.ranges import (
    MOST,
    ORDERINGS,
    InvalidRangeError,
    InvalidVersionError,
    events,
    listed,
    within,
)

NPM, PYPI = ORDERINGS["npm"], ORDERINGS["pypi"]

_numbers = st.integers(0, 3)
_semantic = st.builds(
    lambda a, b, c, pre, build: f"{a}.{b}.{c}{pre}{build}",
    _numbers,
    _numbers,
    _numbers,
    st.sampled_from(
        ["", "-alpha", "-alpha.1", "-alpha.beta", "-beta.2", "-beta.11", "-1", "-rc.1"]
    ),
    st.sampled_from(["", "+build.1"]),
)
_python = st.builds(
    lambda epoch, a, b, pre, post, dev, local: f"{epoch}{a}.{b}{pre}{post}{dev}{local}",
    st.sampled_from(["", "1!"]),
    _numbers,
    _numbers,
    st.sampled_from(["", "a1", "b2", "rc1"]),
    st.sampled_from(["", ".post1"]),
    st.sampled_from(["", ".dev1"]),
    st.sampled_from(["", "+cpu", "+cpu.2"]),
)


def _key(text: str) -> tuple[Any, ...]:
    """SemVer 2.0.0, section 11, as a key to sort by."""
    core, _, pre = text.partition("+")[0].partition("-")
    parts = [(0, int(each), "") if each.isdigit() else (1, 0, each) for each in pre.split(".")]
    return (*map(int, core.split(".")), not pre, parts if pre else [])


@given(_semantic, _semantic)
def test_npm_versions_are_ordered_as_semver_has_it(one: str, other: str) -> None:
    assert (NPM.parse(one) < NPM.parse(other)) == (_key(one) < _key(other))


@given(_python, _python)
def test_pypi_versions_are_ordered_as_pep_440_has_it(one: str, other: str) -> None:
    assert (PYPI.parse(one) < PYPI.parse(other)) == (Pep440(one) < Pep440(other))


def test_the_precedence_of_semver_section_11_holds() -> None:
    ordered = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
    ]
    assert [str(each) for each in sorted(map(NPM.parse, reversed(ordered)))] == ordered


_event = st.builds(
    lambda kind, text: {kind: text},
    st.sampled_from(["introduced", "fixed", "last_affected", "limit"]),
    st.builds(lambda a, b: f"{a}.{b}.0", _numbers, _numbers),
)


def _brute(version: str, raw: list[dict[str, str]]) -> bool:
    """The schema's own evaluation, word for word, on events that differ in version."""
    at = semver.Version.parse(version)
    limits = [semver.Version.parse(each["limit"]) for each in raw if "limit" in each]
    if limits and not any(at < limit for limit in limits):
        return False

    def place(event: dict[str, str]) -> semver.Version:
        return semver.Version.parse(next(iter(event.values())))

    vulnerable = False
    for event in sorted(raw, key=place):
        if "introduced" in event and at >= place(event):
            vulnerable = True
        elif ("fixed" in event and at >= place(event)) or (
            "last_affected" in event and at > place(event)
        ):
            vulnerable = False
    return vulnerable


@given(
    st.lists(_event, max_size=8, unique_by=lambda each: next(iter(each.values()))),
    st.builds(lambda a, b, c: f"{a}.{b}.{c}", _numbers, _numbers, st.integers(0, 1)),
    st.randoms(use_true_random=False),
)
def test_a_range_is_what_the_schemas_evaluation_says(
    raw: list[dict[str, str]], version: str, shuffling: Any
) -> None:
    raw = [{"introduced": "0.0.0"}, *(each for each in raw if "0.0.0" not in each.values())]
    expected = _brute(version, raw)
    shuffling.shuffle(raw)
    assert within(NPM.parse(version), events(raw, NPM), NPM) == expected


@pytest.mark.parametrize(
    ("version", "inside"), [("0.9.9", False), ("1.0.0", True), ("1.0.1", False), ("2.0.0", False)]
)
def test_one_version_alone_can_be_affected(version: str, inside: bool) -> None:
    timeline = events([{"last_affected": "1.0.0"}, {"introduced": "1.0.0"}], NPM)
    assert within(NPM.parse(version), timeline, NPM) is inside


def test_zero_comes_before_every_version() -> None:
    timeline = events([{"introduced": "0"}, {"fixed": "1"}], PYPI)
    assert within(PYPI.parse("0.dev0"), timeline, PYPI)
    assert within(NPM.parse("0.0.0-0"), events([{"introduced": "0"}], NPM), NPM)


def test_a_prerelease_of_the_fixed_version_is_still_affected() -> None:
    assert within(
        NPM.parse("2.0.0-rc.1"), events([{"introduced": "0"}, {"fixed": "2.0.0"}], NPM), NPM
    )


def test_a_local_build_of_the_last_affected_version_is_affected() -> None:
    timeline = events([{"introduced": "0"}, {"last_affected": "2.0"}], PYPI)
    assert within(PYPI.parse("2.0+cpu"), timeline, PYPI)
    assert not within(PYPI.parse("2.0.1"), timeline, PYPI)
    assert listed("2.0+cpu", ["2.0"], PYPI)


def test_an_endless_limit_limits_nothing() -> None:
    timeline = events([{"introduced": "1.0.0"}, {"limit": "*"}], NPM)
    assert within(NPM.parse("9.0.0"), timeline, NPM)


@pytest.mark.parametrize(
    "raw",
    [
        None, [], {}, "0", [1], [{}], [{"fixed": "1.0.0"}], [{"introduced": 1}],
        [{"introduced": "0", "fixed": "1.0.0"}], [{"introduced": "0"}, {"surprise": "1.0.0"}],
        [{"introduced": "0"}] * (MOST + 1),
    ],
)  # fmt: skip
def test_events_of_another_shape_are_no_range(raw: Any) -> None:
    with pytest.raises(InvalidRangeError):
        events(raw, NPM)


@pytest.mark.parametrize(
    "text", ["", "one", "1.2.3.4", "01.2.3", "1.2.3-٣", "1." + "9" * 5000, "1.2.3\n"]
)
def test_what_is_no_semantic_version_is_refused(text: str) -> None:
    with pytest.raises(InvalidVersionError):
        NPM.parse(text)


@pytest.mark.parametrize("text", ["", "one", "1.0-", "١.0", "1." + "9" * 5000])
def test_what_is_no_version_of_pep_440_is_refused(text: str) -> None:
    with pytest.raises(InvalidVersionError):
        PYPI.parse(text)


def test_a_list_of_versions_is_compared_by_value() -> None:
    assert listed("3.1.2", ["1.0", "3.01.2"], PYPI)
    assert listed("1.0", ["1.0.0"], PYPI)
    assert not listed("3.1.2", ["3.1.3"], PYPI)


def test_a_version_from_before_pep_440_is_another_one() -> None:
    assert not listed("3.1.2", ["0.1dev-r123", "2004x"], PYPI)


def test_an_odd_version_in_a_list_of_npm_leaves_a_doubt() -> None:
    with pytest.raises(InvalidVersionError):
        listed("1.0.0", ["one"], NPM)


@pytest.mark.parametrize("raw", ["1.0.0", [1], {"1.0.0": 1}, ["1.0.1"] * (MOST + 1)])
def test_a_list_of_versions_of_another_shape_is_none(raw: Any) -> None:
    with pytest.raises(InvalidRangeError):
        listed("1.0.0", raw, NPM)
