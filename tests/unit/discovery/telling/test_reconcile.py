"""What was seen, held against what is registered: each class, each level, one row for one server."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.discovery.shadow.sighting import Sighting, Unseen
from bawn.discovery.telling.reconcile import CLASSES, Row, Surroundings, findings, reconcile
from bawn.discovery.telling.registered import Registered
from tests.unit.discovery.seen import entry, listener, probed, process, registered

FILES = ("npx", "@modelcontextprotocol/server-filesystem@2026.1.1", "/srv")
NODE = ("node", "/n/.bin/mcp-server-filesystem", "/srv")


def rows(*seen: Sighting, **more: Any) -> list[Row]:
    return list(reconcile(registered(), seen, **more))


def only(*seen: Sighting, **more: Any) -> Row:
    (row,) = rows(*seen, **more)
    return row


@pytest.mark.parametrize(
    ("sighting", "kind", "server", "level"),
    [
        (entry("files", "bawn", "stdio", "--server", "files"), "behind", "files", "note"),
        (entry("all", url="http://localhost:8811/mcp"), "behind", "bawn", "note"),
        (process(*NODE, ours=True), "known", "files", "note"),
        (process("/x/mcp-other", ours=True), "known", "mcp-other", "note"),
        (probed("https://mcp.linear.app/mcp"), "known", "linear", "note"),
        (probed("http://127.0.0.1:8811/mcp", ours=True), "known", "bawn", "note"),
        (entry("mine", *FILES), "bypass", "files", "warning"),
        (entry("mine", *FILES, secrets=("env TOKEN",)), "bypass", "files", "error"),
        (process(*NODE, client="cursor"), "bypass", "files", "warning"),
        (entry("l", url="https://mcp.linear.app/mcp"), "bypass", "linear", "warning"),
        (entry("l", "npx", "mcp-remote", "https://mcp.linear.app"), "bypass", "linear", "warning"),
        (entry("files", "npx", "other"), "look-alike", "", "error"),
        (entry("l", url="https://mcp.1inear.app"), "look-alike", "", "error"),
        (entry("weather", "uvx", "weather-mcp"), "unknown", "", "warning"),
        (entry("weather", "uvx", "w", secrets=("env KEY",)), "unknown", "", "error"),
        (probed("http://10.0.0.5:3000/mcp"), "unknown", "", "error"),
        (probed("http://10.0.0.5:3000/mcp", "guarded"), "unknown", "", "warning"),
        (probed("http://127.0.0.1:3000/mcp"), "unknown", "", "warning"),
    ],
)
def test_each_sighting_has_its_class_and_level(
    sighting: Sighting, kind: str, server: str, level: str
) -> None:
    row = only(sighting)
    assert (row.kind, row.server, row.level) == (kind, server, level)
    assert row.alarms == (kind in {"bypass", "look-alike", "unknown"})


def test_an_open_server_that_others_reach_is_an_error_though_it_was_asked_on_loopback() -> None:
    around = Surroundings(exposed=frozenset([3000]))
    row = only(probed("http://127.0.0.1:3000/mcp"), around=around)
    assert row.level == "error"
    assert "it answers anybody who reaches it, without credentials" in row.why


def test_one_server_of_several_sources_is_one_row_with_all_its_evidence() -> None:
    url = "http://127.0.0.1:3000/mcp"
    seen = (
        entry("weather", url=url),
        entry("wetter", url="http://localhost:3000", client="codex"),
        listener("http://127.0.0.1:3000", pid=7),
        probed(url),
        process("/x/mcp-weather", pid=7),
        Sighting("log", "http", "localhost:3000", "/var/log/x", url="http://localhost:3000/mcp"),
    )
    row = only(*seen)
    assert row.kind == "unknown"
    assert {each.source for each in row.sightings} == {
        "client",
        "socket",
        "probe",
        "process",
        "log",
    }
    assert len(row.sightings) == len(seen)
    assert row.name == "weather"


def test_a_process_belongs_to_the_entry_that_started_it() -> None:
    other = ("npx", "-y", "@acme/weather-mcp@1.0.0", "--units", "c")
    child = ("node", "/home/ada/.npm/_npx/1/node_modules/.bin/weather-mcp", "--units", "c")
    row = only(entry("weather", *other), process(*child, client="cursor"))
    assert [each.source for each in row.sightings] == ["client", "process"]


def test_a_process_that_may_be_of_two_entries_stays_on_its_own() -> None:
    child = process("node", "/x/.bin/weather-mcp")
    found = rows(
        entry("a", "npx", "@acme/weather-mcp"), entry("b", "npx", "@evil/weather-mcp"), child
    )
    assert sorted(len(row.sightings) for row in found) == [1, 1, 1]


def test_two_clients_with_one_name_and_different_commands_are_two_servers() -> None:
    found = rows(
        entry("db", "uvx", "postgres-mcp==0.3.0"),
        entry("db", "uvx", "postgres-mcq==0.3.0", client="vscode", where="/v:1"),
    )
    assert len(found) == 2
    assert [row.name for row in found] == ["db", "db"]


def test_a_server_that_listens_where_it_is_registered_is_known_with_its_process() -> None:
    seen = (process("/x/mcp-notes", pid=9), listener("http://127.0.0.1:9000", pid=9))
    row = only(*seen)
    assert (row.kind, row.server) == ("known", "notes")


def test_connections_of_others_to_a_registered_server_pass_the_gate() -> None:
    passing = Sighting("socket", "http", "notes", "pid 5", url="http://127.0.0.1:9000", pid=5,
                       client="cursor", evidence=("cursor is connected to 127.0.0.1:9000",))  # fmt: skip
    known, bypass = sorted(
        rows(listener("http://127.0.0.1:9000", pid=9), passing=[passing]),
        key=lambda r: -ord(r.kind[0]),
    )
    assert (known.kind, bypass.kind, bypass.server) == ("known", "bypass", "notes")
    assert bypass.why == passing.evidence


def test_requests_in_a_log_pass_the_gate_when_they_are_not_this_machines() -> None:
    log = Sighting("log", "http", "mcp.linear.app", "/var/log/proxy",
                   url="https://mcp.linear.app/mcp", evidence=("mcp-method: tools/call", "from 10.0.0.7, 10.0.0.8"))  # fmt: skip
    here = Surroundings(addresses=frozenset(["10.0.0.7"]))
    assert only(log, around=here).kind == "bypass"
    both = Surroundings(addresses=frozenset(["10.0.0.7", "10.0.0.8"]))
    assert only(log, around=both).kind == "known"


def test_what_is_switched_off_is_told_and_calls_for_nothing() -> None:
    row = only(entry("weather", "uvx", "weather-mcp", disabled=True, secrets=("env KEY",)))
    assert row.dormant
    assert row.level == "note"
    assert not row.alarms
    assert list(findings([row], ())) == []
    on = only(
        entry("weather", "uvx", "weather-mcp", disabled=True), entry("w", "uvx", "weather-mcp")
    )
    assert on.alarms


def test_without_a_configuration_everything_is_unknown() -> None:
    nothing = Registered({}, {})
    seen = (entry("files", *FILES), entry("linear", url="https://mcp.linear.app/mcp"))
    assert {row.kind for row in reconcile(nothing, seen)} == {"unknown"}
    assert reconcile(nothing, [entry("a", "bawn", "stdio")])[0].kind == "behind"


def test_findings_name_the_file_and_what_was_not_seen() -> None:
    (found,) = findings(rows(entry("weather", "uvx", "weather-mcp")), ())
    assert (found.kind, found.file, found.line) == (
        "discovery/unknown", "/home/ada/weather.json", 3,
    )  # fmt: skip
    assert "--adopt" in found.fix
    (note,) = findings((), [Unseen("process", "/proc", "belongs to another user", 3)])
    assert (note.level, note.kind) == ("note", "discovery/not-seen")
    assert note.message.endswith("(3)")


def test_the_gravest_stands_first() -> None:
    found = rows(
        entry("gate", "bawn", "stdio"), entry("weather", "uvx", "w"), entry("files", "npx", "other"),
        entry("mine", *FILES),
    )  # fmt: skip
    assert [row.kind for row in found] == ["look-alike", "bypass", "unknown", "behind"]
    assert msgspec.json.decode(msgspec.json.encode(found), type=list[Row]) == found


_WORDS = st.lists(st.sampled_from(["npx", "-y", "x-mcp", "@a/server-x", "bawn", "stdio", "\x1b[2J", ""]), max_size=4)  # fmt: skip
_URLS = st.sampled_from(["", "http://127.0.0.1:9000", "https://mcp.linear.app/mcp", "http://[", "http://a:1/b"])  # fmt: skip


@given(
    st.lists(
        st.builds(
            Sighting,
            st.sampled_from(["client", "process", "socket", "probe", "log", "cluster", "image"]),
            st.just("http"),
            st.text(max_size=8),
            st.text(max_size=8),
            command=_WORDS.map(tuple),
            url=_URLS,
            pid=st.integers(0, 3),
            ours=st.booleans(),
        ),
        max_size=8,
    )
)
def test_every_sighting_is_in_exactly_one_row(seen: list[Sighting]) -> None:
    found = rows(*seen)
    assert sorted(map(repr, seen)) == sorted(repr(each) for row in found for each in row.sightings)
    assert all(row.kind in CLASSES for row in found)
