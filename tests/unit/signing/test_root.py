"""The trust root says whose keys count for what."""

from __future__ import annotations

from bawn.signing import rotation
from bawn.signing.root import Entry, Role, Root, names
from bawn.signing.rotation import Changes
from tests.signers import DAY, NOW, Office, entry, person, refused

ROOT = Office().root().value


def test_a_role_has_its_own_keys_and_threshold() -> None:
    quorum = ROOT.quorum("reviewer", NOW)
    assert set(quorum.keys) == {person(name).public.id for name in ("rita", "rob", "ruth")}
    assert (quorum.role, quorum.threshold) == ("reviewer", 2)


def test_a_key_limited_to_servers_counts_for_those_alone() -> None:
    pia = person("pia").public.id
    assert pia in ROOT.quorum("publisher", NOW, "files-old").keys
    assert pia not in ROOT.quorum("publisher", NOW, "files").keys
    assert "counts for files-* alone" in ROOT.quorum("publisher", NOW).unfit[pia]


def test_one_key_may_have_two_roles() -> None:
    both: list[tuple[Role, Entry]] = [("reviewer", entry("olga")), ("publisher", entry("olga"))]
    root = Office([*Office().members, *both]).root().value
    roles: tuple[Role, ...] = ("organisation", "reviewer", "publisher")
    for role in roles:
        assert person("olga").public.id in root.quorum(role, NOW).keys


def test_a_key_counts_until_its_end() -> None:
    root = Office([*Office().members, ("reviewer", entry("rosa", "2027-01-15T09:00:00Z"))]).root()
    rosa = person("rosa").public.id
    assert rosa in root.value.quorum("reviewer", NOW + 3599).keys
    assert rosa not in root.value.quorum("reviewer", NOW + 3600).keys


def test_the_root_lives_until_its_end() -> None:
    ROOT.alive(NOW + 365 * DAY - 1)
    refused("expired", lambda: ROOT.alive(NOW + 365 * DAY))


def test_the_id_stays_over_the_versions_and_the_digest_does_not() -> None:
    office = Office()
    office.rotate(Changes(), "olga", "otto", at=NOW + 1)
    newest = office.root(NOW + 1).value
    assert newest.id == ROOT.id == ROOT.digest
    assert newest.digest != ROOT.digest
    assert newest.form.version == 2


def test_people_are_named_by_the_root() -> None:
    ids = frozenset({person("rob").public.id, person("rita").public.id, "unknown"})
    assert names(Office().root(), ids) == ("rita", "rob")


def test_what_is_made_is_what_is_read() -> None:
    envelope = rotation.first(Changes([("organisation", entry("olga"))]), NOW)
    assert Root.read(envelope.payload).form.roles["organisation"].threshold == 1
