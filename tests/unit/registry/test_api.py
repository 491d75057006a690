"""The registry API answers as the official one does: pages, filters, versions, and clear refusals."""

from __future__ import annotations

import pytest

from bawn.errors import Refused
from bawn.registry.api import MOST, OFFICIAL, Published, listed, one, query, versions


def published(name: str, at: float = 0.0, status: str = "active", text: str = "x") -> Published:
    tree = {"name": f"com.example/{name}", "description": text, "version": "1.0.0"}
    return Published(name, "", tree, status, 0.0, at)


ALL = [published(f"s{number:02}", number, text=f"About {number}") for number in range(25)]


def names(*parameters: tuple[str, str]) -> list[str]:
    found = listed(ALL, query(dict(parameters)))
    return [each["server"]["name"].partition("/")[2] for each in found["servers"]]


def test_pages_lead_through_all_of_them_once_in_order() -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        page = listed(ALL[::-1], query({"limit": "7", "cursor": cursor}))
        seen += [each["server"]["name"] for each in page["servers"]]
        assert page["metadata"]["count"] == len(page["servers"])
        cursor = page["metadata"].get("nextCursor", "")
        if not cursor:
            break
    assert seen == [each.name for each in ALL]


def test_filters_narrow_and_combine() -> None:
    assert names(("search", "S1")) == [f"s1{number}" for number in range(10)]
    assert names(("search", "about 7")) == ["s07"]
    assert names(("updated_since", "1970-01-01T00:00:23Z")) == ["s23", "s24"]
    assert names(("updated_since", "1970-01-01T00:00:23Z"), ("search", "24")) == ["s24"]
    assert len(names(("version", "latest"))) == len(names(("version", "1.0.0"))) == 25
    assert names(("version", "2.0.0")) == []


def test_each_has_the_metadata_of_the_official_registry() -> None:
    found = one([published("a", 86_400.5, "deprecated")], "com.example/a", "latest")
    assert found is not None
    assert found["_meta"] == {
        OFFICIAL: {
            "status": "deprecated",
            "statusChangedAt": "1970-01-02T00:00:00.500Z",
            "publishedAt": "1970-01-01T00:00:00.000Z",
            "updatedAt": "1970-01-02T00:00:00.500Z",
            "isLatest": True,
        }
    }


def test_a_server_is_found_by_its_whole_name_and_version_only() -> None:
    several = versions(ALL, "com.example/s03")
    assert several is not None
    assert several["metadata"] == {"count": 1}
    assert one(ALL, "com.example/s03", "1.0.0") == several["servers"][0]
    assert one(ALL, "com.example/s03", "9") is None
    assert one(ALL, "s03", "latest") is None
    assert versions(ALL, "com.example/s") is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", str(MOST + 1)),
        ("limit", "-1"),
        ("limit", "x"),
        ("limit", "²"),
        ("limit", "9" * 400),
        ("cursor", "!"),
        ("cursor", "/w"),
        ("cursor", "é"),
        ("updated_since", "yesterday"),
        ("updated_since", "2026-01-31"),
        ("include_deleted", "perhaps"),
        ("search", "x" * 600),
    ],
)
def test_a_parameter_that_means_nothing_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(Refused, match=name):
        query({name: value})
