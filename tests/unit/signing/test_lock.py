"""A lockfile carries its signatures, and they cover everything else in it."""

from __future__ import annotations

import json

import pytest

from bawn.signing import lock
from tests.signers import LOCK, NOW, ROOT, SIGNED, person, refused, signed_lock, verify


def test_people_sign_one_after_another() -> None:
    once = signed_lock("rita")
    refused("threshold", lambda: verify(once))
    twice = lock.sign(once, [person("rob")], NOW + 60)
    assert verify(twice, NOW + 60).signers == {person(n).public.id for n in ("rita", "rob")}
    assert len(twice["signatures"]) == 1


def test_neither_the_order_of_members_nor_blanks_matter() -> None:
    turned = dict(reversed(SIGNED.items()))
    again = lock.read(json.dumps(turned, indent=7).encode())
    assert lock.verify(again, ROOT, NOW).signers


def test_what_is_signed_leaves_out_the_signatures_alone() -> None:
    assert lock.content(SIGNED) == lock.content(LOCK)
    assert lock.content({**LOCK, "signature": 1}) != lock.content(LOCK)


def test_numbers_beyond_doubles_are_told_apart() -> None:
    one, two = ({**LOCK, "maximum": 2**64 - n} for n in (1, 2))
    tree = signed_lock("rita", "rob", tree=one)
    assert verify(tree).signers
    refused("subject", lambda: verify({**two, "signatures": tree["signatures"]}))


def test_signing_changed_content_drops_the_signatures_of_the_old() -> None:
    again = lock.sign({**SIGNED, "version": 2}, [person("ruth")], NOW)
    refused("threshold", lambda: verify(again))


@pytest.mark.parametrize("content", [b"[]", b"1", b'"x"', b"null", b"", b"\xff"])
def test_what_is_no_object_is_no_lockfile(content: bytes) -> None:
    refused("malformed", lambda: lock.read(content))


def test_what_has_no_canonical_form_is_refused() -> None:
    refused("malformed", lambda: lock.content({"a": float("nan")}))
    refused("malformed", lambda: lock.content({"a": b"bytes"}))
