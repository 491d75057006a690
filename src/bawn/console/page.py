"""The page of one approval: who wants what, by which rule, and the form that decides it."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import Final

import msgspec

from bawn.approvals.needs import CALLER
from bawn.approvals.request import ARGUMENTS, Request
from bawn.approvals.viewed import Viewed
from bawn.console.html import facts, page, shown

TITLE: Final = "Approval of a call"
"""The same for all: chat systems show it to whoever sees a link."""

_LARGEST: Final = 8 * ARGUMENTS  # characters of arguments when they are laid out


def approval(seen: Viewed, action: str, form: str) -> str:
    """The page; its form posts to `action`/grant and `action`/deny, with the token `form`."""
    asked = seen.request
    return page(
        TITLE,
        facts(
            [
                ("Wanted by", asked.who),
                ("issued by", asked.issuer),
                ("through the agent", asked.agent),
                ("with the client (by its own word)", asked.client),
                ("Server", asked.server),
                (asked.kind.capitalize(), asked.name),
                ("Method", asked.method),
                ("Endpoint", f"/mcp/{asked.endpoint}" if asked.endpoint else "/mcp"),
                ("Asked at", _time(seen.created)),
                ("Expires at", _time(seen.expires)),
                ("Trace", asked.trace),
                ("State", seen.state),
                ("Still needed", seen.needs),
            ]
        ),
        _arguments(asked),
        _rules(asked),
        _votes(seen),
        _decision(seen, action, form),
    )


def sign_in(id_: str, message: str = "", action: str = "sign-in") -> str:
    """The page that asks for a token; its form posts to `action`."""
    return page(
        TITLE,
        f'<p class="warn">{shown(message)}</p>' if message else "",
        "<p>Sign in with an access token of your own. It is checked and not kept; you stay signed in "
        "for 15 minutes.</p>",
        f'<form method="post" action="{escape(action)}">'
        f'<input type="hidden" name="id" value="{escape(id_)}">'
        '<p><label>Access token <input type="password" name="token" required autofocus '
        'autocomplete="off" spellcheck="false"></label></p>'
        "<button>Sign in</button></form>",
    )


def problem(message: str) -> str:
    """The page of a refusal."""
    return page(TITLE, f'<p class="warn">{shown(message)}</p>')


def _arguments(asked: Request) -> str:
    if not asked.arguments:
        return "<h2>Arguments</h2><p>Shown to those who may decide.</p>"
    text = asked.arguments
    if asked.whole:
        laid_out = msgspec.json.format(text, indent=2)
        text = laid_out if len(laid_out) <= _LARGEST else text
        note = ""
    else:
        note = (
            f'<p class="warn">Only the first {ARGUMENTS:,} of {asked.characters:,} characters are '
            "shown. You would approve all of them.</p>"
        )
    return f"<h2>Arguments</h2>{note}<pre>{shown(text, keep=chr(10))}</pre>" + facts(
        [("SHA-256 of all", asked.digest)]
    )


def _rules(asked: Request) -> str:
    lines = []
    for ask, place in zip(asked.asks, asked.places, strict=True):
        who = " or ".join([*sorted(ask.roles), *([CALLER] if ask.confirm else [])])
        where = f" ({place})" if place else ""
        lines.append(f"<li>{shown(f'{ask.rule}{where}: {ask.count} of {who}')}</li>")
    return f"<h2>Rules that ask</h2><ul>{''.join(lines)}</ul>"


def _votes(seen: Viewed) -> str:
    if not seen.votes:
        return ""
    lines = [
        f"<li>{shown(f'{_time(v.at)} {v.who}: {v.verdict}' + (f' — {v.note}' if v.note else ''))}</li>"
        for v in seen.votes
    ]
    return f"<h2>Said so far</h2><ul>{''.join(lines)}</ul>"


def _decision(seen: Viewed, action: str, form: str) -> str:
    if not seen.decides:
        return "<p>There is nothing for you to decide here.</p>"
    grant = (
        f'<button formaction="{escape(action)}/grant">Approve this one call</button>'
        if seen.state == "pending" and not seen.decided
        else ""
    )
    return (
        f'<form method="post" action="{escape(action)}/deny">'
        f'<input type="hidden" name="form" value="{escape(form)}">'
        '<p><label>Note, for the record<textarea name="note" rows="2" maxlength="1000"></textarea>'
        f"</label></p>{grant}<button>Refuse it</button></form>"
    )


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
