"""A line of roots is trusted link by link, and remembered."""

from __future__ import annotations

from pathlib import Path

from bawn.signing import chain
from bawn.signing.rotation import Changes
from bawn.signing.seen import Seen
from tests.signers import DAY, NOW, Office, entry, person, refused


def test_the_keys_change_hands_over_several_versions() -> None:
    office = Office()
    olga, otto = person("olga").public.id, person("otto").public.id
    office.rotate(
        Changes([("organisation", entry("nina"))], [("organisation", olga)]),
        "olga", "otto", "nina",
    )  # fmt: skip
    office.rotate(
        Changes([("organisation", entry("nils"))], [("organisation", otto)]),
        "otto", "nina", "nils",
    )  # fmt: skip
    root = office.root().value
    assert root.form.version == 3
    assert set(root.quorum("organisation", NOW).keys) == {
        person("nina").public.id,
        person("nils").public.id,
    }
    assert set(root.keys).isdisjoint({olga, otto})


def test_versions_that_were_superseded_may_have_expired() -> None:
    office = Office(lifetime=DAY)
    refused("expired", lambda: office.root(NOW + 2 * DAY))
    office.rotate(Changes(), "olga", "otto", at=NOW + 2 * DAY)
    assert office.root(NOW + 2 * DAY).value.form.version == 2


def test_a_gate_follows_its_root_over_several_versions_at_once(tmp_path: Path) -> None:
    seen, office = Seen(tmp_path / "signing.json"), Office()
    chain.load(office.content, NOW, seen)
    for _ in range(3):
        office.rotate(Changes(), "olga", "otto")
    assert chain.load(office.content, NOW, seen).value.form.version == 4


def test_the_file_is_bounded() -> None:
    refused("malformed", lambda: chain.read(b" " * (chain.LARGEST + 1)))
    refused("malformed", lambda: chain.read(b'{"roots":[' + b"1," * 1024 + b"1]}"))
    refused("missing", lambda: chain.history([], NOW))


def test_a_file_is_what_was_written() -> None:
    office = Office()
    assert list(chain.read(office.content)) == office.line
