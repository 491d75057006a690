"""A server is added and removed without a byte changed elsewhere, or the file is left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.config import edit
from bawn.config.document import read
from bawn.config.edit import added, removed
from bawn.config.load import load
from bawn.config.trust import is_trusted, record
from bawn.errors import Misconfigured

SETTINGS: dict[str, Any] = {"command": ["npx", "-y", "server"], "env": {"TOKEN": "${keyring:x}"}}

FILE = """\
# The gate of the workshop.
listen: "127.0.0.1:8811"   # loopback

servers:
    # what everybody reads
    files:
        command: [npx, 'server-files']   # exact version
        # cwd: ./docs
    issues: {url: https://example.com/mcp}

    # more to come

log:
  level: debug
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bawn.yaml"
    path.write_text(FILE)
    return path


def refusal(action: Any, *arguments: Any) -> str:
    with pytest.raises(Misconfigured) as caught:
        action(*arguments)
    return str(caught.value)


def test_a_server_goes_behind_its_siblings_in_their_layout() -> None:
    result = added(FILE.encode(), "f", "new", SETTINGS).decode()

    block = (
        "    new:\n"
        '        command: [npx, "-y", server]\n'
        "        env:\n"
        '            TOKEN: "${keyring:x}"\n'
    )
    assert result == FILE.replace("example.com/mcp}\n", "example.com/mcp}\n" + block)


def test_a_server_is_cut_out_with_the_comments_within_it() -> None:
    result = removed(FILE.encode(), "f", "files").decode()

    start, end = FILE.index("    files:"), FILE.index("    issues:")
    assert result == FILE[:start] + FILE[end:]


LAYOUTS = {
    "siblings": FILE,
    "no servers": "listen: 127.0.0.1:1\n",
    "nothing": "",
    "comments only": "# a gate\n\n# nothing yet\n",
    "no last newline": "listen: 127.0.0.1:1\nservers:\n  a: {command: [x]}",
    "no servers, no last newline": "listen: 127.0.0.1:1",
    "empty mapping": "servers: {}   # none yet\nlisten: 127.0.0.1:1\n",
    "windows": FILE.replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + FILE,
    "deep comments": "servers:\n  a:\n    url: https://a.example.com\n      # still of a\n    # too\n  # not\n",
    "literal block": "servers:\n  a:\n    command:\n      - x\n      - |\n        y\n\n        z\n\nlog: {}\n",
    "multi-line flow": "servers:\n  a: {\n    url: https://a.example.com,\n  }\nlog: {}\n",
    "document start": "---\nservers:\n  a:\n    url: https://a.example.com\n",
    "quoted keys": '"servers":\n  "a":\n    "url": https://a.example.com\n',
    "one space": "servers:\n a:\n  url: https://a.example.com\n",
    "aliases": "servers:\n  a: &a {url: https://a.example.com}\n  b: *a\n",
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_adding_and_removing_restores_the_bytes(name: str) -> None:
    raw = LAYOUTS[name].encode()

    after = added(raw, "f", "new", SETTINGS)

    assert read(after, "f").tree["servers"]["new"] == SETTINGS
    assert removed(after, "f", "new") == raw


KEYS = st.sampled_from(["listen", "log", "roles", "hosts"])
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,6}", fullmatch=True)
NOISE = st.sampled_from(["", "\n", "# note\n", "\n# note\n\n", "  # deep\n", "      # deeper\n"])


@st.composite
def files(draw: st.DrawFn) -> str:
    indent = " " * draw(st.integers(1, 4))
    before = "".join(f"{key}: {{}}\n{draw(NOISE)}" for key in draw(st.lists(KEYS, unique=True)))
    names = draw(st.lists(NAMES, unique=True, min_size=1, max_size=4))
    values = st.sampled_from(
        [
            " {command: [x]}\n",
            f"\n{indent * 2}command:\n{indent * 3}- x\n",
            f"\n{indent * 2}url: y # z\n",
        ]
    )
    servers = "".join(f"{indent}{name}:{draw(values)}{draw(NOISE)}" for name in names)
    after = draw(st.sampled_from(["", "limits: {}\n", "limits:\n  body: 1\n# end\n"]))
    return f"{draw(NOISE)}{before}servers:\n{draw(NOISE)}{servers}{after}"


SETTINGS_OF_ANY_KIND = st.fixed_dictionaries(
    {"command": st.lists(st.text(max_size=12), min_size=1, max_size=3)},
    optional={
        "env": st.dictionaries(st.text(max_size=6), st.text(max_size=6), min_size=1, max_size=2)
    },
)


@given(files(), SETTINGS_OF_ANY_KIND)
def test_in_any_layout_adding_and_removing_restores_the_bytes_too(
    text: str, settings: dict[str, Any]
) -> None:
    raw = text.encode()

    after = added(raw, "f", "new-server", settings)

    assert read(after, "f").tree["servers"]["new-server"] == settings
    assert removed(after, "f", "new-server") == raw


@given(files())
def test_removing_any_server_leaves_the_others_and_every_other_line(text: str) -> None:
    before = read(text.encode(), "f").tree
    for name in before["servers"]:
        after = removed(text.encode(), "f", name)
        tree = read(after, "f").tree
        assert (tree.get("servers") or {}).keys() == before["servers"].keys() - {name}
        lines = text.splitlines()
        assert all(line in lines or line == "servers: {}" for line in after.decode().splitlines())


def test_the_last_server_leaves_an_empty_section_where_others_follow() -> None:
    raw = b"servers: # ours\n  a: {command: [x]}\nlog: {}\n"

    assert removed(raw, "f", "a") == b"servers: {} # ours\nlog: {}\n"


def test_the_last_server_takes_an_appended_section_with_it() -> None:
    assert removed(b"log: {}\nservers:\n  a: {command: [x]}\n", "f", "a") == b"log: {}\n"


def test_a_name_that_is_there_is_not_added_again() -> None:
    problem = refusal(added, FILE.encode(), "f", "files", SETTINGS)

    assert problem.startswith("f:6: server `files` is here already")


def test_a_name_that_is_not_there_is_not_removed() -> None:
    assert (
        refusal(removed, FILE.encode(), "f", "nope") == "f: no server `nope`; it has files, issues"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{listen: 127.0.0.1:1}\n",
        "servers: {a: {command: [x]}}\n",
        "servers: {a: {command: [x]},\n  b: {command: [y]}}\n",
        "servers: null\n",
        "listen: 127.0.0.1:1\n...\n",
        "roles: &r {a: {}}\nservers: *r\n",
    ],
)
def test_a_layout_without_lines_to_add_to_is_refused_with_what_to_add(text: str) -> None:
    problem = refusal(added, text.encode(), "f", "new", SETTINGS)

    assert "add this by hand" in problem
    assert "  new:\n" in problem


@pytest.mark.parametrize(
    "text",
    [
        "servers: {a: {command: [x]}, b: {command: [y]}}\n",
        "servers:\n  a: &a {command: [x]}\n  b: *a\n",
    ],
)
def test_a_block_that_cannot_be_told_from_the_rest_is_not_removed(text: str) -> None:
    assert "remove them by hand" in refusal(removed, text.encode(), "f", "a")


def test_an_edit_keeps_the_mode_and_follows_a_link(file: Path, tmp_path: Path) -> None:
    file.chmod(0o640)
    (tmp_path / "link.yaml").symlink_to(file)

    found = edit.add(tmp_path / "link.yaml", "new", SETTINGS, {})

    assert found.path == file.resolve()
    assert set(found.config.servers) == {"files", "issues", "new"}
    assert (tmp_path / "link.yaml").is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert load(file, {}).digest == found.digest


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (
            {"command": ["x"], "env": {"API_KEY": "hunter2"}},
            "servers.new.env.API_KEY: its name says",
        ),
        ({"url": "https://example.com?token=hunter2"}, "servers.new.url: its parameter"),
        ({"command": ["x"], "isolation": "none"}, "servers.new.isolation: expected one of"),
        ({"command": ["x"], "prefix": "files__"}, "server `files` has the prefix `files__` too"),
        ({}, "servers.new: expected exactly one of"),
    ],
)
def test_what_would_not_be_accepted_is_not_written(
    file: Path, settings: dict[str, Any], why: str
) -> None:
    problem = refusal(edit.add, file, "new", settings, {})

    assert why in problem
    assert "hunter2" not in problem
    assert file.read_text() == FILE


def test_a_server_that_breaks_the_file_can_be_removed(file: Path) -> None:
    file.write_text("servers:\n  a: {command: [x]}\n  b: {command: [x, --token=hunter2]}\n")

    edit.remove(file, "b", {})

    assert file.read_text() == "servers:\n  a: {command: [x]}\n"


def test_consent_is_carried_over_an_edit_by_the_owner(file: Path) -> None:
    before = load(file, {})
    record(before.path, before.digest)

    after = edit.add(file, "new", SETTINGS, {})

    assert is_trusted(after.path, after.digest)
    assert not is_trusted(before.path, before.digest)


def test_an_edit_gives_no_consent_that_was_not_there(file: Path) -> None:
    after = edit.add(file, "new", SETTINGS, {})

    assert not is_trusted(after.path, after.digest)


def test_an_edit_of_a_file_changed_since_consent_gives_none(file: Path) -> None:
    before = load(file, {})
    record(before.path, before.digest)
    file.write_text(FILE.replace("server-files", "evil"))

    after = edit.remove(file, "issues", {})

    assert not is_trusted(after.path, after.digest)


def test_a_change_by_another_hand_meanwhile_is_not_overwritten(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    consented = edit._is_consented

    def meanwhile(path: Path, raw: bytes, environ: dict[str, str]) -> bool:
        file.write_text("listen: 127.0.0.1:2\n")
        return consented(path, raw, environ)

    monkeypatch.setattr(edit, "_is_consented", meanwhile)

    assert "changed meanwhile" in refusal(edit.add, file, "new", SETTINGS, {})
    assert file.read_text() == "listen: 127.0.0.1:2\n"
