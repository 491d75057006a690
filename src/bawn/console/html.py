"""Pages without scripts: text from elsewhere stays text, and shows what it is made of."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape
from typing import Final

from bawn.telemetry.text import printable, prints

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;"
    "color:#1b1b1f;background:#fff}"
    "h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:1.5rem}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}dt{color:#55555c}"
    "dd{margin:0;overflow-wrap:anywhere}"
    "pre{background:#f3f3f6;padding:.75rem;white-space:pre-wrap;overflow-wrap:anywhere}"
    "mark{background:#ffd0d0;color:#900}textarea,input{width:100%;box-sizing:border-box;font:inherit}"
    "button{font:inherit;padding:.4rem 1rem;margin:.75rem .5rem 0 0}"
    ".warn{border-left:.3rem solid #c00;padding-left:.75rem}"
)
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()

HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    # not `no-referrer`: browsers would then send forms with `Origin: null` (Fetch, "append a request
    # `Origin` header"), and nothing could be told from a page of somebody else's
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-robots-tag": "noindex, nofollow, nosnippet, noarchive",
}


def shown(text: str, keep: str = "") -> str:
    """Text as HTML; what cannot be seen or reorders what is read stands as its escape, marked."""
    return "".join(_piece(char, keep) for char in text)


def page(title: str, *body: str) -> str:
    """A whole page; `body` is HTML already, `title` is text."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{''.join(body)}</body></html>"
    )


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and what they are: plain text, and those that are empty left out."""
    return (
        "<dl>"
        + "".join(f"<dt>{escape(n)}</dt><dd>{shown(t)}</dd>" for n, t in pairs if t)
        + "</dl>"
    )


def _piece(char: str, keep: str) -> str:
    if prints(char) or char in keep:
        return escape(char)
    return f"<mark>{escape(printable(char))}</mark>"
