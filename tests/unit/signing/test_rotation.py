"""Roots are made as they will be read, or not at all."""

from __future__ import annotations

from bawn.signing import rotation
from bawn.signing.root import Root
from bawn.signing.rotation import Changes
from tests.signers import DAY, NOW, Office, entry, person, refused

ROOT = Office().newest


def made(changes: Changes) -> Root:
    return Root.read(rotation.following(ROOT, changes, NOW + 1).payload, ROOT.id)


def test_the_next_version_has_the_changes_and_all_else_as_before() -> None:
    rita = person("rita").public.id
    root = made(Changes([("reviewer", entry("rosa"))], [("reviewer", rita)], {"reviewer": 3}))
    assert root.form.version == 2
    assert root.form.roles["organisation"] == ROOT.form.roles["organisation"]
    assert root.form.roles["reviewer"].threshold == 3
    assert person("rosa").public.id in root.keys
    assert rita not in root.keys


def test_a_key_that_keeps_another_role_stays() -> None:
    rita = person("rita").public.id
    both = Changes([("publisher", entry("rita"))], [("reviewer", rita)])
    assert rita in made(both).keys


def test_what_would_be_no_root_is_not_made() -> None:
    rita, paul = person("rita").public.id, person("paul").public.id
    refused("malformed", lambda: made(Changes(remove=[("reviewer", paul)])))
    refused("threshold", lambda: made(Changes(thresholds={"reviewer": 4})))
    refused("malformed", lambda: made(Changes(thresholds={"reviewer": 0})))
    refused("duplicate", lambda: made(Changes([("publisher", entry("rita", limits=("a",)))])))
    refused("malformed", lambda: rotation.first(Changes([("reviewer", entry("rita"))]), NOW))
    refused("malformed", lambda: rotation.first(Changes([("organisation", entry("olga"))]), NOW, 0))
    assert rita in ROOT.keys


def test_a_root_lasts_as_long_as_is_said() -> None:
    envelope = rotation.first(Changes([("organisation", entry("olga"))]), NOW, 30 * DAY)
    assert Root.read(envelope.payload).expires == NOW + 30 * DAY
