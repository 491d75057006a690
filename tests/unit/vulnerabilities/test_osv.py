"""A record says of a component: affected, not affected, or a doubt; wrong ones never say the second."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.vulnerabilities import osv
from tests.vulnerable import (
    JINJA,
    LODASH,
    NEW_JINJA,
    NEW_LODASH,
    OLD_JINJA,
    OLD_LODASH,
    affected,
    component,
    record,
    since,
)

GIT = {"type": "GIT", "repo": "https://example.com/x", "events": [{"introduced": "0"}]}


def test_an_old_version_is_affected_and_the_fixed_one_is_not() -> None:
    assert osv.judge(JINJA, OLD_JINJA) == (True, "")
    assert osv.judge(JINJA, NEW_JINJA) == (False, "")
    assert osv.judge(LODASH, OLD_LODASH) == (True, "")
    assert osv.judge(LODASH, NEW_LODASH) == (False, "")


def test_a_name_on_pypi_has_many_spellings() -> None:
    told = record("PYSEC-1", affected("Zope.Interface", *since()))
    assert osv.judge(told, component("zope-interface", "1.0")).affected


def test_names_of_other_ecosystems_are_other_packages() -> None:
    assert osv.judge(JINJA, component("jinja2", "3.1.2", "npm")) == (False, "")


def test_a_withdrawn_record_says_nothing() -> None:
    assert osv.judge({**JINJA, "withdrawn": "2024-03-01T00:00:00Z"}, OLD_JINJA) == (False, "")
    assert osv.judge({**JINJA, "withdrawn": None}, OLD_JINJA).affected


def test_ranges_of_git_are_passed_over_where_versions_are_told() -> None:
    entry = affected("jinja2", *since(fixed="3.1.3"))
    entry["ranges"].append(GIT)
    assert osv.judge(record("X-1", entry), NEW_JINJA) == (False, "")


@pytest.mark.parametrize(
    "changed",
    [
        {"withdrawn": 5},
        {"withdrawn": "soon"},
        {"affected": {}},
        {"affected": ["jinja2"]},
        {"affected": [{"package": "jinja2"}]},
        {"affected": [affected("jinja2")]},
        {"affected": [affected("jinja2", ranges=[GIT])]},
        {"affected": [affected("jinja2", ranges="all")]},
        {"affected": [affected("jinja2", ranges=[{"type": "NEW", "events": since()}])]},
        {"affected": [affected("jinja2", *since("later"))]},
        {"affected": [affected("jinja2", *since(fixed="soon"))]},
        {"affected": [affected("jinja2", {"fixed": "3.1.1"})]},
        {"affected": [affected("jinja2", versions=[3])]},
        {"affected": [affected("jinja2", versions="3.1.2")]},
    ],
)
def test_a_wrong_record_is_a_doubt_and_never_clean(changed: dict[str, Any]) -> None:
    affected_, doubt = osv.judge({**JINJA, **changed}, NEW_JINJA)
    assert not affected_
    assert doubt


def test_what_is_surely_affected_is_so_whatever_else_is_wrong() -> None:
    entry = affected("jinja2", *since("later"), versions=["3.1.2"])
    assert osv.judge(record("X-1", entry), OLD_JINJA).affected


def test_a_version_that_cannot_be_compared_is_a_doubt_unless_it_is_named() -> None:
    odd = component("jinja2", "latest")
    assert osv.judge(JINJA, odd).doubt
    assert osv.judge(record("X-1", affected("jinja2", versions=["latest"])), odd).affected


def test_a_record_without_packages_is_about_none() -> None:
    assert osv.judge({"id": "X-1"}, OLD_JINJA) == (False, "")
    assert osv.judge({"id": "X-1", "affected": [{"ranges": [GIT]}]}, OLD_JINJA) == (False, "")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "id",
                        "affected",
                        "package",
                        "ecosystem",
                        "name",
                        "ranges",
                        "type",
                        "events",
                        "introduced",
                        "versions",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_no_record_breaks_the_judgement(tree: Any) -> None:
    entry = {"package": {"ecosystem": "PyPI", "name": "jinja2"}, "ranges": tree, "versions": tree}
    for told in ({"affected": tree}, {"affected": [entry]}, {"withdrawn": tree}):
        osv.judge(told, OLD_JINJA)
        osv.severity(told | {"severity": tree, "database_specific": tree}, OLD_JINJA)
        osv.fixed([told], OLD_JINJA)
        osv.aliases({"aliases": tree})
        osv.summary({"summary": tree})


def test_the_fix_is_the_smallest_version_that_no_record_is_about() -> None:
    branches = affected(
        "jinja2",
        *since("2.0", fixed="2.11.3"),
        *since("3.0", fixed="3.1.3"),
        *since("3.2", fixed="3.2.1"),
    )
    later = record("X-2", affected("jinja2", *since("3.0", fixed="3.1.6")))
    assert osv.fixed([record("X-1", branches)], OLD_JINJA) == "3.1.3"
    assert osv.fixed([record("X-1", branches), later], OLD_JINJA) == "3.1.6"
    assert osv.fixed([record("X-1", branches), later], component("jinja2", "2.5")) == "2.11.3"


def test_without_a_fixed_event_no_fix_is_known() -> None:
    assert osv.fixed([record("X-1", affected("jinja2", *since()))], OLD_JINJA) == ""
    told = record("X-1", affected("jinja2", *since(last_affected="3.1.2")))
    assert osv.fixed([told], OLD_JINJA) == ""


def test_an_id_of_another_form_is_none() -> None:
    for odd in (None, 5, "", "../../etc/passwd", "a b", "x" * 200, "\x1b[2J"):
        assert osv.well_named(odd) is None
    assert osv.well_named("openSUSE-SU-2021:0012-1") == "openSUSE-SU-2021:0012-1"


def test_severity_may_be_that_of_the_package() -> None:
    entry = affected("jinja2", *since(), database_specific={"severity": "HIGH"})
    assert osv.severity(record("X-1", entry), OLD_JINJA) == ("high", None)
    assert osv.severity(JINJA, OLD_JINJA) == ("medium", 5.4)


def test_a_summary_is_one_short_line() -> None:
    assert osv.summary({"summary": "a\nb\t c"}) == "a b c"
    assert len(osv.summary({"summary": "x" * 10_000_000})) == 200
