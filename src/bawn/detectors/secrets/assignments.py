"""Values that are given to names of credentials: `api_key = …`, `"password": "…"`, `<token>…</token>`."""

from __future__ import annotations

import re
from typing import Final

from bawn.detectors.secrets.values import LONGEST, disorder, entropy, kinds, placeholder, words

_QUALIFIED: Final = (
    "api|access|auth|private|encryption|encrypt|signing|sign|master|account|shared|service|app|admin|client"
    "|license|security|storage|webhook|consumer|server|bot|deploy|hmac|jwt|crypto|cipher|root|secret|host|integration"
)
NAMES: Final = (
    r"passw(?:or)?d",
    r"passphrase",
    r"passcode",
    r"passwort",
    r"kennwort",
    r"contrase",
    r"mot_?de_?passe",
    r"\bsenha",
    r"pwd",
    r"[_.-]pass\b",
    r"[_.-]pw\b",
    r"\bpass\b",
    r"secret",
    r"token",
    rf"(?:{_QUALIFIED})[_ .-]?key",
    r"credential",
    r"creds",
    r"\bauth\b",
    r"[_.-]auth\b",
)
"""What the names of credentials hold."""

CHOSEN: Final = frozenset(name for name in NAMES if name not in ("token", "secret", NAMES[-5]))
"""Those whose values people choose, so that they may be short; the others are drawn."""

SHORTEST: Final = 6
"""Characters of a value that may be one."""

_LONGEST_NAME: Final = 48
_SEALED: Final = "[sealed:"
_LEAST_SEALED: Final = 64  # characters: nothing that is sealed is shorter
_NAME_CHARACTERS: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
)
_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SIGN: Final = re.compile(
    r"(?P<rest>[\w.\-]{0,32}+)(?P<gap>(?:[ \t][ \t\w.\-]{0,19}?)?)(?P<closes>[\s\"'`\])\\]{0,4})"
    r"(?P<sign>:=|\?=|={1,3}>?|:{1,3}|>|\|\||,|(?<=\s)(?:is|was)[ :]{1,2}|(?<=[ \t])(?=[\"'`]?[A-Za-z0-9!@#$%^&*+/_-]{8}))(?P<opens>[\s`\"'=>\\|({\[]{0,8})",
    re.A,
)
_BARE: Final = re.compile(rf"[^\s\"'`,;<>(){{}}\[\]\\|]{{1,{LONGEST}}}")
_QUERY: Final = re.compile(r"&[\w.%-]{1,40}=")

_PASSWORDS: Final = words(
    "password passwd passphrase passcode passwort kennwort pwd pw pass senha contrase contrasena passe"
)
_WEAK: Final = frozenset(("auth", "credential", "credentials", "creds"))
# `token_limit`, `secret-name` and the like speak about a credential, and do not hold it.
_ABOUT: Final = words(
    "algorithm alias attempts budget class code config count created date dir directory enabled endpoint expires expired expiry"
    " field fields file filename format hash header help hint id ids index input issuer label length level"
    " limit limits link list location manager max message method min mode model name names ok only output path policy prefix price"
    " provider reset rotation rules scope scopes size source status store strength supply symbol timeout ttl type types uri url usage"
    " used user username usernames uuid valid validator version"
)
_HARMLESS: Final = words(
    "public pub csrf xsrf next prev previous page paging continuation continue sync start stop pad eos bos unk mask sep cls special"
    " prompt completion total max min num input output cached reasoning per idempotency anti forgery request verification"
    " contract erc20 nft crypto coin mint base quote swap pair"
)
_SAYS_NOTHING: Final = words(
    "true false null none nil undefined string str text number integer boolean object array required optional password"
    " passwd secret token bearer basic default value empty unset hidden"
)


def read(text: str, start: int, end: int) -> tuple[int, int, float] | None:
    """The span of the secret that is given to the name at `start`, and how sure that is."""
    left = start
    while left > 0 and start - left < _LONGEST_NAME and text[left - 1] in _NAME_CHARACTERS:
        left -= 1
    sign = _SIGN.match(text, end)
    if sign is None:
        return None
    name = text[left : sign.end("rest")]
    clear = not sign["gap"].strip() and sign["sign"] not in (",", "||")
    span = _value(text, sign)
    if span is None:
        return None
    value = text[span[0] : span[1]]
    quoted = span[0] > 0 and text[span[0] - 1] in "\"'`"
    if text[left - 1 : left] == "[" and text[span[1] : span[1] + 1] == "]":
        return None  # a label that stands for a secret: `[secret:github-token]`
    if text.endswith(_SEALED, 0, left) and span[1] - span[0] >= _LEAST_SEALED:
        return None  # a token of the gate that stands for one: `[sealed:github-token:…]`
    if text.startswith(("...", "…"), span[1]):
        return None  # cut off by who shows it
    if not quoted and text[span[1] : span[1] + 1] in ("(", "["):
        return None  # what gives it is called or looked up there
    sure = judged(
        name, value, clear=clear, quoted=quoted, said=not sign["sign"] or sign["sign"][0] in "iw"
    )
    return (*span, sure) if sure else None


def judged(
    name: str, value: str, *, clear: bool = True, quoted: bool = True, said: bool = False
) -> float:
    """How sure it is that a value under this name is a secret; 0 when it is none.

    `clear`: it is given to just this name; `said`: in a sentence.
    """
    parts = [word.lower() for word in _PARTS.findall(name)]
    if not parts or parts[-1] in _ABOUT or _HARMLESS.intersection(parts):
        return 0.0
    if len(value) < SHORTEST or value.lower() in _SAYS_NOTHING or placeholder(value):
        return 0.0
    if "://" in value or _names_only(value):
        return 0.0
    weak = not clear or said or (_WEAK.intersection(parts) and not _PASSWORDS.intersection(parts))
    if _PASSWORDS.intersection(parts) and clear and not (said and not quoted and len(value) < 8):
        return 0.8 if _is_password(value, quoted=quoted, said=said) else 0.0
    if any(map(str.isspace, value)):
        return 0.0
    odd = disorder(value)
    if weak:
        letters = sum(map(str.isalnum, value))
        if _PASSWORDS.intersection(parts):
            return 0.6 if odd >= 6 and kinds(value) >= 2 and any(map(str.isdigit, value)) else 0.0
        random = len(value) >= 16 and odd >= 0.7 * letters and entropy(value) >= 3.2
        return 0.6 if random and any(map(str.isdigit, value)) else 0.0
    return 0.8 if (odd >= 8 and len(value) >= 10) or (odd >= 5 and kinds(value) >= 3) else 0.0


def _value(text: str, sign: re.Match[str]) -> tuple[int, int] | None:
    start = sign.end()
    opens = sign["opens"].rstrip("=>|({[")
    quote = opens[-1:] if opens[-1:] in ("'", '"', "`") else ""
    if quote and opens == sign["opens"]:
        return _quoted(text, start, quote)
    bare = _BARE.match(text, start)
    if bare is None:
        return None
    query = _QUERY.search(bare[0])
    end = start + (query.start() if query else len(bare[0].rstrip(".,:!?")) or len(bare[0]))
    return start, end


def _quoted(text: str, start: int, quote: str) -> tuple[int, int] | None:
    end = text.find(quote, start, start + LONGEST)
    if end < 0 or "\n" in text[start:end]:
        bare = _BARE.match(text, start)
        return (start, bare.end()) if bare else None
    while end > start and text[end - 1] == "\\":  # an escaped quote ends what was quoted so
        end -= 1
    return start, end


def _names_only(value: str) -> bool:
    """Whether it is made of names of credentials: `admin_password`, `{token}`."""
    parts = [word.lower() for word in _PARTS.findall(value)]
    return bool(_SAYS_NOTHING.intersection(parts)) and disorder(value) == 0


def _is_password(value: str, *, quoted: bool, said: bool) -> bool:
    if any(map(str.isspace, value)):
        return False
    digit = any(map(str.isdigit, value))
    letter = any(map(str.isalpha, value))
    mark = any(each in "!@#$%^&*+~" for each in value)
    odd = disorder(value) >= 6
    if said:
        return letter and digit and (mark or odd or kinds(value) >= 3)
    if not letter:
        return digit and (mark or (quoted and len(value) >= 8))
    return digit or mark or (odd and len(value) >= 8)
