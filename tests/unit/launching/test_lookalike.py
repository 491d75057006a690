from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.launching.known import NAMES, SCOPES
from bawn.launching.lookalike import distance, imitated, misspelt, skeleton
from bawn.launching.package import Ecosystem, Package


def _kinds(ecosystem: Ecosystem, name: str, version: str = "") -> set[str]:
    package = Package(ecosystem, name, version)
    return {each.kind for each in (*imitated(package), *misspelt(package))}


@pytest.mark.parametrize(
    ("ecosystem", "name", "kind"),
    [
        ("npm", "@modelcontextprotoco1/server-git", "impostor"), ("npm", "@model-context-protocol/server-git", "impostor"),
        ("npm", "modelcontextprotocol-server-filesystem", "impostor"), ("npm", "@modelcontextprotoc0l/x", "impostor"),
        ("npm", "firecrawl-mpc", "lookalike"), ("npm", "fire-crawl-mcp", "lookalike"), ("npm", "tavilly-mcp", "lookalike"),
        ("npm", "rnongodb-mcp-server", "lookalike"), ("npm", "mcp_remote", "lookalike"), ("npm", "kubernets-mcp-server", "lookalike"),
        ("pypi", "mcp-server-fecth", "lookalike"), ("pypi", "mcp-server-sqllite", "lookalike"), ("pypi", "rnarkitdown-mcp", "lookalike"),
        ("pypi", "mcp-server-gіt", "confusable"), ("npm", "@stripе/mcp", "confusable"), ("oci", "mcp/seqeuntialthinking", "lookalike"),
    ],
)  # fmt: skip
def test_an_imitated_name_is_flagged(ecosystem: Ecosystem, name: str, kind: str) -> None:
    assert f"launch/{kind}" in _kinds(ecosystem, name)


def test_well_known_names_are_no_imitations_of_each_other() -> None:
    for ecosystem, names in NAMES.items():
        assert not [name for name in names if _kinds(ecosystem, name) - {"launch/bridge"}]
    assert not [scope for scope in SCOPES if _kinds("npm", f"{scope}/anything")]


@pytest.mark.parametrize(
    "name",
    [
        "mcp-server-fit",
        "mcp-server-gist",
        "acme-mcp",
        "exa-mcp",
        "docker-mcps-hub",
        "mcp-server-tmdb",
    ],
)
def test_names_of_their_own_are_left_alone(name: str) -> None:
    assert _kinds("npm", name) == _kinds("pypi", name) == set()


def test_known_bad_versions_are_told_from_good_ones() -> None:
    assert "launch/vulnerable" in _kinds("npm", "mcp-remote", "0.1.15")
    assert _kinds("npm", "mcp-remote", "0.1.16") == {"launch/bridge"}
    assert "launch/malicious" in _kinds("npm", "postmark-mcp", "1.0.12")


def test_letters_of_other_alphabets_compare_as_plain_ones() -> None:
    assert skeleton("ｍсp-ѕеrvér") == "mcp-server"


@given(st.text("ab", max_size=8), st.text("ab", max_size=8))
def test_distance_is_symmetric_and_bounded_by_length(one: str, other: str) -> None:
    apart = distance(one, other, 99)
    assert apart == distance(other, one, 99)
    assert (apart == 0) == (one == other)
    assert apart <= max(len(one), len(other))
