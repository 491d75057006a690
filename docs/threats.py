"""What bawn protects, from whom, and how far: `docs/threat-model.md`, from tests/attacks."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tests.attacks.manifest import Threat, Threats, coverage
from tests.named import ROOT, written_in

from docs.tables import table

_HEAD: Final = """\
# Threat model

<!-- Generated from tests/attacks by `make docs`. -->

What bawn protects, from whom, how far, and which tests show it. It is written for those who have to decide
whether to rely on it; so what is not covered stands in the same tables as what is.

## What is protected

| asset | where it is |
|---|---|
| what servers can do: files, accounts, money, machines | behind the gate; reached by calls |
| credentials of callers and of servers | callers' tokens in their requests; servers' in references that the gate resolves |
| what servers answer, and what agents remember of it | in transit through the gate; in the private directories of local servers |
| the machine on which local servers run | one process for each caller, as confined as the machine allows |
| what was decided: policy, approvals, pins, consents | files and a database of the gate's owner, signed where you sign them |
| the record of what happened | append-only, chained, encrypted for each subject |

## Trust boundaries

```
 agents and their models │            the gate             │ servers
 (clients, other users)  │ read ─ who ─ may it ─ what is   │ remote: their makers' machines
        tokens ─────────►│ in it ─ record ─ send ─ hold    │ local: processes of this machine,
                         │                 and look        │        started by the runner alone
 ────────────────────────┴───────────────┬─────────────────┴────────────────────────────────
                     owner: files, commands, sockets of the same user; policy, keys, consent
```

Everything that crosses a line is held against what stands on the other side: callers against identity and policy,
calls against approved definitions, answers against their call. Nothing that comes over a line starts a program,
changes a policy or names an address that the gate itself goes to.

## Who attacks

| who | what they can do | what stands against it |
|---|---|---|
| a hostile **server**, or one that was taken over | say anything in definitions, answers, questions, HTTP; change its mind later; run code where it runs | pins and drift, inspection, strict reading, bounds, the sender's true name, confinement |
| **poisoned content** | nothing by itself; whatever a model that reads it is allowed | detection at a rate, labels, policy on flows, consent, guarded places |
| a hostile **caller** | send any bytes with its own credential, many at once | strict reading, deny by default, scopes, sealed handles, quotas |
| a **compromised agent** | call what its user may, with arguments of an attacker's choice | typed arguments, the guard of agents' configuration, flows, consent outside of the model, cuts |
| another **tenant** or user | the same, and guess names, ids and times | tenants that do not exist for each other, one process and session for each caller, answers equal to the byte and the clock |
| a **local process** of another user, or a web page | reach ports of this machine, rebind names, read what is readable | credentials on loopback too, Host and Origin, files and sockets of one user alone |
| the **supply chain** | publish a package, an image or a record of a vulnerability; write a configuration | launch grammar, exact digests, signatures with thresholds, consent to each change, "unmeasured" |

## What is assumed

- The owner's account, kernel and Python are sound. Whoever runs as the same user on the same machine is the owner:
  it reaches the gate's sockets and, without bubblewrap, its keys.
- Your issuer tells the truth about who is who, and clocks are right within a minute.
- Policy says what you mean. A rule that allows too much allows it.
- Whoever approves a definition, a version or a call has looked at it.
- TLS towards clients, where it is needed, ends at a proxy before the gate; towards servers it is as their URL says.

## What is out of scope

- What a model does with what it was lawfully given, and whether what it says is true.
- Clients' own tools, files and memory: only what passes the gate is seen.
- Side channels of shared hardware, and physical access.
- The server's own weaknesses behind a well-formed, allowed call.

## What bawn does not stop

- **Injected text that no detector sees.** Detection has a rate ([detection.md](detection.md)), an adaptive attacker finds
  what it misses, and a model may believe it. What it can then do is bounded by policy: what may leave after private and
  untrusted content, who is asked, what is guarded whoever asks for it.
- **Definitions that are poisoned in plain words**, approved on first use because nothing stood out. `approval: review`
  serves nothing that nobody has read.
- **Malicious code behind an honest definition.** A mail server that sends a copy to its author shows in no definition
  and in no argument. Digests make the new version somebody's decision; its network is not closed yet.
- **What a server does by itself** with a name that it resolves, a redirect that it follows, a link that is made between
  check and use.
- **Arguments whose kind nobody knows**: a command in something that looks like plain text is text. Set kinds for servers
  that matter (`servers.NAME.arguments`).
- **Clients that go around the gate**, where `bawn discover` cannot see them.
- **Owners who switch it off**: `launch: any`, `inspection.shadow`, suppressions. All of them are in the configuration, and
  what they let pass is recorded.

## How to read the tables

*prevents*: it does not happen, whatever a text says. *detects*: at a rate that is measured, never all of it.
*contains*: it may happen, and what it can do is bounded by policy. *in part*: see "not covered" in the same row. The
last column links the tests with their number; those under `e2e` run against gates that really run, with servers,
callers and attackers as processes.
"""

_STATUS: Final = ("prevents", "detects", "contains", "in part", "not covered")


def threats() -> str:
    """The whole of docs/threat-model.md: the model, what is left open, and the matrix by list."""
    lists = coverage()
    sections = (_section(each) for each in lists)
    return "\n".join([_HEAD, _summary(lists), *sections, _suites(lists)])


def _summary(lists: Iterable[Threats]) -> str:
    rows = [(f"[{each.title}](#{_anchor(each.title)})", *_counted(each.threat)) for each in lists]
    return table(("", *_STATUS), rows)


def _counted(rows: Iterable[Threat]) -> Iterator[str]:
    """How many rows have each status; one may have several."""
    counted: Counter[str] = Counter()
    for each in rows:
        counted.update(each.does or ["not covered"])
        counted["in part"] += bool(each.does and each.lacks)
    return (str(counted[status]) for status in _STATUS)


def _section(known: Threats) -> str:
    heading = ("Id", "Threat", "bawn", "How", "Not covered", "Tests")
    rows = [
        (each.id, each.title, each.status, each.text, each.lacks, _tests(each.tests))
        for each in known.threat
    ]
    return f"## {known.title}\n\n{known.about}\n\n{table(heading, rows)}"


def _tests(nodes: Iterable[str]) -> str:
    """The files of tests, with how many of each; those on gates that run come first."""
    counted = Counter(node.partition("::")[0] for node in nodes)
    files = sorted(counted, key=lambda path: not path.startswith("tests/e2e/"))
    return ", ".join(f"{_link(path)} {counted[path]}" for path in files)


def _link(path: str) -> str:
    room, _, name = path.removeprefix("tests/").rpartition("/")
    return f"[{room}/{name.removeprefix('test_').removesuffix('.py')}](../{path})"


def _suites(lists: Iterable[Threats]) -> str:
    """Every suite of attacks in process, by what it says of itself."""
    named: dict[str, list[str]] = {}
    for each in (threat for known in lists for threat in known.threat):
        for path in dict.fromkeys(node.partition("::")[0] for node in each.tests):
            named.setdefault(path, []).append(each.id)
    files = sorted((ROOT / "tests" / "attacks").glob("test_*.py"))
    paths = [(file, file.relative_to(ROOT).as_posix()) for file in files]
    rows = [
        (_link(path), _said(file), str(len(written_in(file))), ", ".join(named[path]))
        for file, path in paths
        if path in named
    ]
    about = (
        "What is tried, by the suites' own words; many of these tests have dozens of cases each."
    )
    heading = ("Suite", "What is tried", "Tests", "Rows")
    return f"## Suites of attacks\n\n{about}\n\n{table(heading, rows)}"


def _said(file: Path) -> str:
    whole = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    return " ".join(whole.partition("\n\n")[0].split())


def _anchor(heading: str) -> str:
    """As the usual renderers make it."""
    kept = (letter for letter in heading.lower() if letter.isalnum() or letter in "-_ ")
    return "".join(kept).replace(" ", "-")
