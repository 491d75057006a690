"""The people and the rules of test_approvals.py: who calls, who is on call, and what asks whom."""

from __future__ import annotations

from typing import NamedTuple

from tests.e2e.approvers import Office, Receiver, by_link, by_page
from tests.e2e.gate_process import Gate

SECRET = "an-honest-secret-of-32-characters"
RULES = """
@id("developers")
permit (principal in Role::"developer", action in Action::"use", resource);

@id("prompts-ask") @ask("oncall")
forbid (principal, action == Action::"prompts/get", resource);

@id("resources-ask") @ask("self")
forbid (principal, action == Action::"resources/read", resource);

@id("mine-asks") @ask("self")
forbid (principal, action in Action::"tools/call", resource in Server::"mine");

@id("theirs-asks") @ask("oncall")
forbid (principal, action in Action::"tools/call", resource in Server::"theirs");

@id("two-ask") @ask("oncall") @approvals("2")
forbid (principal, action in Action::"tools/call", resource in Server::"two");

@id("both-ask") @ask("oncall")
forbid (principal, action in Action::"tools/call", resource in Server::"both");

@id("both-confirm") @ask("self")
forbid (principal, action in Action::"tools/call", resource in Server::"both");
"""
HEAD = """\
workers: 2
policy: '{policy}'
roles: {{oncall: {{servers: []}}}}
identity: {{local_roles: [developer, operator, oncall]}}
approvals:
  wait: 8
  webhook_secret: ${{env:HOOK_SECRET}}
  approvers: [{{name: Lena, subject: lena, roles: [oncall], webhook: '{hook}'}}]
servers:
"""


class People(NamedTuple):
    """Tokens by name: alice calls, ben calls as well and is on call, cara is on call alone."""

    alice: str
    ben: str
    cara: str


def hired(up: Gate) -> People:
    """Their tokens, as `bawn token` gives them out."""

    def token(name: str, *roles: str) -> str:
        flags = [flag for role in roles for flag in ("--role", role)]
        return up.cli("token", "--sub", name, *flags).strip()

    return People(
        token("alice", "developer"), token("ben", "oncall", "developer"), token("cara", "oncall")
    )


def grant(way: str, up: Gate, hook: Receiver, people: People, url: str) -> None:
    """Have another person than the caller consent, in one of four ways."""
    id_ = url.rpartition("/")[2]
    if way == "api":
        assert Office(up, people.ben).grant(id_) == "granted"
    elif way == "page":
        assert "cara: grant — seen on the page" in by_page(up, url, people.cara)
    elif way == "link":
        link = hook.link(id_)
        assert by_link(up, link).status_code == 200
        assert by_link(up, link).status_code >= 400
    else:
        assert f"{id_[:12]} is granted" in up.cli("approvals", "grant", id_[:12], "--yes")
