from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.discovery.documents.document import splice
from bawn.discovery.documents.spans import Unreadable
from bawn.discovery.documents.toml_document import TomlDocument

KEYS = ("mcp_servers",)
ENTRY = {"command": "/opt/bawn", "args": ["stdio", "--server", "a"], "enabled": False}

TABLES = '''\
model = "x" # first

[mcp_servers.a] # docs
  command = "npx"
  args = [
    "-y", # yes
    "pkg",
  ]

[mcp_servers.a.env]
KEY = """a
b""" # last

# about b
[mcp_servers."b c"]
url = "https://example.com"
[other]
x = 1'''

FORMS = {
    "tables": TABLES,
    "crlf": TABLES.replace("\n", "\r\n"),
    "mark": "\ufeff" + TABLES,
    "inline": '[mcp_servers]\na = { command = "x", env = { K = "v" } } # c\n"b c" = { url = "y" }\n',
    "inside": 'mcp_servers = { a = { command = "x" }, "b c" = { url = "y" } }\n',
    "dotted": '[mcp_servers]\na.command = "x"\na.env.K = "v"\n"b c".url = "y"\n',
    "from the root": 'mcp_servers.a.command = "x"\nmcp_servers.a.args = []\nmcp_servers."b c".url = "y"',
    "below first": '[mcp_servers.a.env]\nK = "v"\n[mcp_servers.a]\ncommand = "x"\n[mcp_servers."b c"]\n',
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["a", "b c"])
def test_every_form_of_an_entry_is_replaced_and_nothing_else(form: str, name: str) -> None:
    text = FORMS[form]
    document = TomlDocument(text)
    slots = {slot.name: slot for slot in document.slots(KEYS)}
    assert list(slots) == ["a", "b c"]
    slot = slots[name]
    assert slot.problem == ""
    after = splice(text, [document.replacement(slot, ENTRY)])
    assert after.startswith(text[: slot.start])
    assert after.endswith(text[slot.end :])
    expected = tomllib.loads(text.removeprefix("\ufeff"))
    expected["mcp_servers"][name] = ENTRY
    assert TomlDocument(after).data == expected


def test_a_table_keeps_its_header_its_indentation_and_what_stands_around_it() -> None:
    document = TomlDocument(TABLES)
    first, second = document.slots(KEYS)
    after = splice(TABLES, [document.replacement(s, {"command": "c"}) for s in (first, second)])
    assert after == (
        'model = "x" # first\n\n[mcp_servers.a] # docs\n  command = "c"\n\n'
        '# about b\n[mcp_servers."b c"]\ncommand = "c"\n[other]\nx = 1'
    )


def test_line_ends_of_the_file_are_used() -> None:
    document = TomlDocument(FORMS["crlf"])
    edit = document.replacement(document.slots(KEYS)[0], {"command": "c", "args": []})
    assert edit.text == '[mcp_servers.a] # docs\r\n  command = "c"\r\n  args = []'


@pytest.mark.parametrize("text", ["", "x = 1", "x = 1\n", "[t]\r\nx = 1\r\n", TABLES, "\ufeff"])
def test_an_added_entry_can_be_taken_out_again(text: str) -> None:
    document = TomlDocument(text)
    added = splice(text, [document.insertion(KEYS, "bawn", ENTRY)])
    after = TomlDocument(added)
    (slot,) = [slot for slot in after.slots(KEYS) if slot.name == "bawn"]
    assert slot.value == ENTRY
    back = splice(added, after.removal(slot))
    assert TomlDocument(back).data == document.data
    assert back.rstrip() == text.rstrip()


def test_an_entry_in_pieces_is_read_and_not_edited() -> None:
    text = '[mcp_servers.a]\ncommand = "x"\n[other]\n[mcp_servers.a.env]\nK = "v"\n'
    (slot,) = TomlDocument(text).slots(KEYS)
    assert slot.value == {"command": "x", "env": {"K": "v"}}
    assert "stand apart" in slot.problem
    mixed = '[mcp_servers]\na.command = "x"\n[mcp_servers.a.env]\nK = "v"\n'
    assert "partly" in TomlDocument(mixed).slots(KEYS)[0].problem
    with pytest.raises(Unreadable, match="stand apart"):
        TomlDocument(text).replacement(slot, ENTRY)


def test_an_array_of_tables_is_no_server() -> None:
    (slot,) = TomlDocument("[[mcp_servers.a]]\nx = 1\n").slots(KEYS)
    assert slot.problem == "expected a table"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a = 1\nb = \n", 2, 5),
        ("a = 1\na = 2\n", 2, 6),
        ("[t]\nx = 'a\n", 2, 5),
        ("a = 2020-13-40\n", 1, 9),
        ("a = " + "[" * 500, 1, 134),
        ("mcp_servers = 3", 0, 0),
    ],
)
def test_a_broken_file_is_refused_with_line_and_column(text: str, line: int, column: int) -> None:
    with pytest.raises(Unreadable) as error:
        TomlDocument(text).slots(KEYS)
    assert (error.value.line, error.value.column) == (line, column)


def test_more_servers_than_anybody_has_are_refused() -> None:
    text = "[mcp_servers]\n" + "".join(f"s{n} = {{}}\n" for n in range(1001))
    with pytest.raises(Unreadable, match="more than 1000 servers"):
        TomlDocument(text).slots(KEYS)


VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.text(min_size=1), st.dictionaries(st.text(min_size=1), VALUES, max_size=4))
def test_whatever_is_written_reads_back(name: str, entry: dict[str, Any]) -> None:
    document = TomlDocument("x = 1\n")
    text = splice(document.text, [document.insertion(KEYS, name, entry)])
    assert TomlDocument(text).data == {"x": 1, "mcp_servers": {name: entry}}


def test_masks_hide_secrets_in_values_and_comments() -> None:
    text = '[mcp_servers.a.env]\nAPI_TOKEN = "hunter2" # token = hunter1\nLEVEL = "debug"\n'
    shown = splice(text, TomlDocument(text).masks(0, len(text)))
    assert "hunter" not in shown
    assert tomllib.loads(shown)["mcp_servers"]["a"]["env"]["LEVEL"] == "debug"
