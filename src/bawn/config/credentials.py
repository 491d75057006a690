"""Telling text that may be a credential from text that cannot be one.

It errs towards suspicion: a suspect is not shown, and not accepted inline, where a reference to it
costs the owner one line.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit

HIDDEN: Final = "***"

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NAMES = re.compile(
    "apikey|auth|authkey|authorization|bearer|cookie|credentials?|creds?|dsn|jwt|key|passphrase|passwd"
    "|password|pass|pat|pin|private|pwd|secrets?|sig|signature|token"
)
# `API_KEY_FILE`, `TOKEN_LIMIT` and the like speak about a credential, and do not hold it.
_ABOUT = re.compile(
    "algorithm|count|dir|directory|enabled|endpoint|expiry|file|format|header|id|issuer|length|limit"
    "|lifetime|location|max|method|min|mode|name|path|prefix|provider|size|timeout|ttl|type|uri|url"
)

# What issuers put in front, so that leaks can be found: gathered from their own documentation.
_PREFIXED = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\b(?:Bearer|Basic) +[A-Za-z0-9._~+/=-]{8}"
    r"|(?<![A-Za-z0-9])(?:"
    r"gh[pousr]_|github_pat_|gl(?:pat|dt|rt|ptt|soat|ft|cbt)-|sk-[A-Za-z0-9]|[rs]k_(?:live|test)_|whsec_"
    r"|xox[abeprs]-|xapp-|AKIA[0-9A-Z]{8}|ASIA[0-9A-Z]{8}|AIza[0-9A-Za-z_-]{8}|ya29\.|GOCSPX-|npm_[A-Za-z0-9]{8}|pypi-[A-Za-z0-9_-]{16}"
    r"|hf_[A-Za-z0-9]{8}|SG\.[A-Za-z0-9_-]{8}|do[opr]_v1_|shp(?:at|ca|pa|ss)_|dckr_pat_|ops_ey|hv[sbr]\."
    r"|AGE-SECRET-KEY-|lin_api_|ntn_[0-9A-Za-z]{8}|secret_[A-Za-z0-9]{8}|figd_|PMAK-|eyJ[A-Za-z0-9_-]{8})"
)
_LOGIN = re.compile(r"://[^/\s?#@]*@")
_RUN = re.compile(r"[A-Za-z0-9_+/=.~%-]{20,}")
_RUN_IN_PATH = re.compile(r"[A-Za-z0-9_+=.~%-]{20,}")
_NUMBER = re.compile(r"v?[0-9]{1,10}")
_IRREGULAR: Final = 12  # characters outside words and plain numbers that make a run a suspect


def denotes_credential(name: str) -> bool:
    """Whether a name says that its value is a credential: `API_KEY`, `--token`, `githubPat`."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or _ABOUT.fullmatch(words[-1]):
        return False
    return any(_NAMES.fullmatch(word) for word in words)


def may_be_credential(text: str) -> bool:
    """Whether a value may be a credential by its look: a known prefix, a login in a URL, randomness."""
    return bool(_PREFIXED.search(text)) or url_with_login(text) or bool(_random_run(text))


def known_credential(text: str) -> bool:
    """Whether a value certainly is one: it bears an issuer's prefix, or is a URL with a password."""
    return bool(_PREFIXED.search(text)) or url_with_login(text)


def url_with_login(text: str) -> bool:
    """Whether the text holds a URL with a user or password before its host."""
    return bool(_LOGIN.search(text))


def query_credential(url: str) -> str | None:
    """The first parameter of a URL's query that denotes or looks like a credential."""
    try:
        parameters = parse_qsl(urlsplit(url).query, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return "?"
    for name, value in parameters:
        if value and (denotes_credential(name) or may_be_credential(value)):
            return name
    return None


def masked(text: str) -> str:
    """The text with everything hidden that may be a credential."""
    if known_credential(text):
        return HIDDEN
    runs = _runs_of(text)
    return runs.sub(lambda run: HIDDEN if _irregular(run[0]) else run[0], text)


def _random_run(text: str) -> bool:
    return any(_irregular(run) for run in _runs_of(text).findall(text))


def _runs_of(text: str) -> re.Pattern[str]:
    # In paths and URLs a slash separates names; elsewhere it is a character of base64.
    path = text.startswith(("/", "./", "../", "~", "@")) or "://" in text
    return _RUN_IN_PATH if path else _RUN


def _irregular(run: str) -> bool:
    words = re.split(r"[-_+/=.~%]", run)
    odd = [word for word in words if word and not _is_regular(word)]
    return sum(map(len, odd)) >= _IRREGULAR


def _is_regular(word: str) -> bool:
    """Whether it is a number, or words in any case with a short number behind: `serverV2`, `HTTPPort`."""
    if len(word) == 1 or _NUMBER.fullmatch(word):
        return True
    *letters, end = _WORDS.findall(word)
    if not end.isdigit():
        letters.append(end)
    elif len(end) > 4:
        return False
    return bool(letters) and all(part.isalpha() and 2 <= len(part) <= 23 for part in letters)
