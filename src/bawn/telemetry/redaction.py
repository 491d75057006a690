"""The last net before a log line leaves: known shapes of credentials, and keys that name one.

What must not be logged is not handed to the logger in the first place; this catches what slips.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

REDACTED: Final = "[redacted]"
TEXT: Final = 8192  # characters of one text that are kept
LOOKED_AT: Final = 65_536  # characters of one text that are looked at
ITEMS: Final = 100  # entries of one collection that are kept
DEPTH: Final = 8  # levels of nesting that are kept; an exception in a list of frames has five

_WORDS: Final = (
    "authorization", "password", "passwd", "passphrase", "secret", "token", "cookie", "apikey",
    "privatekey", "accesskey", "credential", "sessionid",
)  # fmt: skip

_SHAPES: Final = re.compile(
    "|".join(
        (
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
            r"eyJ[\w-]{8,}(?:\.[\w-]*){0,4}",  # JOSE: RFC 7515, RFC 7516
            r"\b[sr]k[-_][\w-]{16,}",  # OpenAI, Anthropic, Stripe
            r"\bgh[pousr]_\w{16,}",
            r"\bgithub_pat_\w{16,}",
            r"\bglpat-[\w-]{16,}",
            r"\bxox[abeoprs]-[\w-]{8,}",
            r"\bxapp-[\w-]{16,}",
            r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
            r"\bAIza[\w-]{30,}",
            r"\bya29\.[\w-]{16,}",
            r"\bnpm_\w{30,}",
            r"\bpypi-[\w-]{30,}",
            r"\bhf_\w{20,}",
            r"\bSG\.[\w-]{16,}\.[\w-]{16,}",
            r"(?<=://)[^\s/@]+(?=@)",  # user information of a URL: RFC 3986, section 3.2.1
        )
    ),
    re.ASCII,  # a letter of another script before a token is no part of it
)
_SCHEME: Final = re.compile(r"(?ia)\b(bearer|basic|dpop)(\s+)[\w.~+/=-]{8,}")
# A name, then `:` or `=` or, as headers are shown in Python, `',`; quotes may be escaped JSON.
_SEPARATOR: Final = r"""(?:\\*["']?\s*[:=]\s*|["'],\s*)(?:b?\\*["'])?"""
_HEADER: Final = re.compile(rf"(?i)((?:authorization|cookie){_SEPARATOR})[^\r\n\"']+")
_NAMED: Final = re.compile(
    r"(?i)((?:password|passwd|passphrase|secret|token(?!s)|api[_-]?key|private[_-]?key"
    rf"|access[_-]?key|credential|session[_-]?id){_SEPARATOR})"
    r"(?:\[redacted\]|[^\s,;&\"'\\}\])]+)"
)


def redact(text: str) -> str:
    """The text without credentials of a known shape, or after a name that tells of one."""
    text = _SHAPES.sub(REDACTED, text[:LOOKED_AT])
    text = _SCHEME.sub(rf"\1\2{REDACTED}", text)
    text = _HEADER.sub(rf"\1{REDACTED}", text)
    text = _NAMED.sub(rf"\1{REDACTED}", text)
    return text if len(text) <= TEXT else f"{text[:TEXT]}… (cut)"


@lru_cache(1024)
def names_secret(key: str) -> bool:
    """Whether a value under this key is a credential, as far as its name tells."""
    plain = "".join(filter(str.isalnum, key.lower()))
    return any(word in plain for word in _WORDS)


def clean(value: Any, depth: int = DEPTH) -> Any:
    """The value as plain JSON without credentials, cut to a size that a log can bear."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)  # JSON has no word for the others
    if isinstance(value, str):
        return redact(value)
    if depth == 0:
        return "…"
    if isinstance(value, Mapping):
        return {
            redact(str(key)): clean_entry(str(key), value[key], depth - 1)
            for key in list(value)[:ITEMS]
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(item, depth - 1) for item in list(value)[:ITEMS]]
    if isinstance(value, bytes):
        return redact(value[:LOOKED_AT].decode("utf-8", "backslashreplace"))
    return redact(_shown(value))


def clean_entry(key: str, value: Any, depth: int = DEPTH) -> Any:
    """The value of a key, replaced if the key names a credential; counts and flags are none."""
    if names_secret(key) and not (value is None or isinstance(value, bool | int | float)):
        return REDACTED
    return clean(value, depth)


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001  # whatever a foreign object does, the line must be written
        return f"<{type(value).__name__} that cannot be shown>"
