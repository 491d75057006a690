"""A statement says what is vouched for, and is read as it was written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.signing.statement import ENTRY, LOCK, PINS, Kind, Statement
from bawn.signing.unverified import Unverified
from tests.signers import DAY, MERKLE, NOW, refused

DIGEST = st.binary(min_size=32, max_size=32).map(bytes.hex)


@given(
    st.dictionaries(st.text("abcdef./-", min_size=1, max_size=12), DIGEST, min_size=1, max_size=4),
    st.integers(1, 2**53 - 1),
)
def test_what_is_written_is_read_again(subjects: dict[str, str], version: int) -> None:
    told = Statement(PINS, subjects, version, NOW, NOW + DAY, "files")
    found = Statement.read(told.payload())
    assert (found.subjects, found.version, found.server) == (subjects, version, "files")
    assert (found.issued, found.expires) == (NOW, NOW + DAY)


def test_the_form_is_an_in_toto_statement() -> None:
    told = json.loads(Statement(LOCK, {"bawn.lock": MERKLE}, 7, NOW, NOW + DAY).payload())
    assert told == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "bawn.lock", "digest": {"sha256": MERKLE}}],
        "predicateType": "urn:bawn:lock:1",
        "predicate": {
            "version": 7,
            "issued": "2027-01-15T08:00:00Z",
            "expires": "2027-01-16T08:00:00Z",
        },
    }


@pytest.mark.parametrize(("kind", "server"), [(LOCK, "files"), (PINS, ""), (ENTRY, "")])
def test_a_lockfile_is_of_no_server_and_anything_else_of_one(kind: Kind, server: str) -> None:
    told = Statement(kind, {"x": MERKLE}, 1, NOW, NOW + DAY, server)
    refused("malformed", told.payload)


@pytest.mark.parametrize(
    "told",
    [
        Statement(LOCK, {}, 1, NOW, NOW + DAY),
        Statement(LOCK, {"": MERKLE}, 1, NOW, NOW + DAY),
        Statement(LOCK, {"x": "short"}, 1, NOW, NOW + DAY),
        Statement(LOCK, {"x": MERKLE}, 0, NOW, NOW + DAY),
        Statement(LOCK, {"x": MERKLE}, 1, NOW, NOW),
        Statement(PINS, {"x": MERKLE}, 1, NOW, NOW + DAY, "a" * 33),
    ],
)
def test_what_a_reader_would_refuse_is_not_written(told: Statement) -> None:
    with pytest.raises(Unverified):
        told.payload()


def test_what_it_is_a_version_of_tells_servers_and_kinds_apart() -> None:
    told: tuple[tuple[Kind, str], ...] = ((PINS, "a"), (PINS, "b"), (ENTRY, "a"), (LOCK, ""))
    lines = {
        Statement(kind, {"x": MERKLE}, 1, NOW, NOW + DAY, server).line for kind, server in told
    }
    assert len(lines) == 4
