from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.model import Client, Item, Kind, Principal
from tests.gate import ADA


def _item(definition: dict[str, object], **changes: str) -> Item:
    fields = {"server": "files", "name": "read", "shown": "files__read"} | changes
    return Item(Kind.TOOL, fields["server"], fields["name"], fields["shown"], definition)


def test_an_item_is_the_same_whatever_its_definition() -> None:
    assert _item({"a": 1}) == _item({})
    assert hash(_item({"a": 1})) == hash(_item({}))
    assert _item({}) != _item({}, name="write")


_word = st.text("ab-_", max_size=4)


@given(
    st.sampled_from(list(Kind)),
    _word,
    st.text(max_size=4),
    st.sampled_from(list(Kind)),
    _word,
    st.text(max_size=4),
)
def test_two_items_share_a_key_only_when_they_are_one(
    kind: Kind, server: str, name: str, other_kind: Kind, other_server: str, other_name: str
) -> None:
    one = Item(kind, server, name, "x", {})
    other = Item(other_kind, other_server, other_name, "y", {})
    same = (kind, server, name) == (other_kind, other_server, other_name)
    assert (one.key == other.key) == same


def test_a_principal_is_known_by_issuer_and_subject_across_its_tokens() -> None:
    renewed = Principal(ADA.subject, ADA.issuer, frozenset({"viewer"}), 1.0, "files")
    assert renewed.key == ADA.key
    assert Principal(ADA.subject, "https://other.example.com", ADA.roles, 1.0).key != ADA.key
    assert Principal("bob", ADA.issuer, ADA.roles, 1.0).key != ADA.key


@pytest.mark.parametrize("field", ["subject", "roles", "endpoint"])
def test_a_principal_cannot_be_changed(field: str) -> None:
    with pytest.raises(AttributeError):
        setattr(ADA, field, "admin")


def test_clients_do_not_share_their_capabilities() -> None:
    assert Client("v").capabilities is not Client("v").capabilities
