"""Finds the secrets that stand literally in a client's configuration: by the name beside them, by
their issuer's prefix, by their place in a URL. One pass over each text.

What names and prefixes tell is `config/credentials.py`'s knowledge; here is where clients put them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from bawn.config.credentials import denotes_credential, known_credential


class Hit(NamedTuple):
    """Where in a text a secret stands."""

    start: int
    end: int

    def moved(self, by: int) -> Hit:
        """The same secret in a text that has so many characters before it."""
        return Hit(self.start + by, self.end + by)


_LOOK = 512  # a prefix shows at a token's beginning; this bounds the work on huge ones
_SCHEME = re.compile(r"(?:bearer|basic|token|digest|apikey)\s+", re.IGNORECASE)
_OPTION_PAIR = re.compile(r"(-{0,2}[A-Za-z_][A-Za-z0-9_.-]*)(?:=|:\s*)")
_LOOSE_PAIR = re.compile(r"(?<![A-Za-z0-9_])([A-Za-z_][A-Za-z0-9_]*+)[\"']?\s?[=:]")
_URL = re.compile(r"://(?P<login>[^\s/?#@]*@)?[^\s?#]*(?:\?(?P<query>[^\s#]*))?")
_TOKEN = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?s:.*)|[A-Za-z0-9_.~+/-]{8,}={0,2}")
_VARIABLE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*|%[A-Za-z_][A-Za-z0-9_]*%")
_WORD = re.compile(r"[a-z]+")
_TRIVIAL = frozenset(["true", "false", "yes", "no", "on", "off", "none", "null", "0", "1"])
_NOT_CREDENTIALS = frozenset({"PWD", "OLDPWD", "auth"})
_SWITCHES = frozenset(["no", "disable", "enable", "skip", "allow", "use", "with", "require"])
_NAMES_A_VARIABLE = ("env", "env_var", "env-var", "envvar")
_NEVER_A_PATH = frozenset(
    ["token", "secret", "password", "passwd", "passphrase", "bearer", "authorization"]
)


def names_credential(name: str) -> bool:
    """Whether a variable, header, option or parameter of this name holds a credential."""
    bare = name.lstrip("-")
    if bare in _NOT_CREDENTIALS or bare.partition("-")[0] in _SWITCHES:
        return False
    if bare.lower().endswith(_NAMES_A_VARIABLE):
        return False
    return denotes_credential(bare)


def in_pair(name: str, value: str) -> tuple[Hit, ...]:
    """Secrets in the value of a named thing: a variable, a header, an option."""
    scheme = _SCHEME.match(value)
    start = scheme.end() if scheme else 0
    if names_credential(name) and _is_literal(name, value[start:]):
        return (Hit(start, len(value)),)
    return in_text(value)


def in_text(text: str) -> tuple[Hit, ...]:
    """Secrets that show by themselves: an issuer's prefix, a private key, a URL's credentials."""
    return _merged((*_in_urls(text), *_issued(text)))


def in_arguments(arguments: Sequence[str]) -> tuple[tuple[Hit, ...], ...]:
    """Secrets of each argument: `--token X`, `--token=X`, `-e TOKEN=X`, `Authorization: X`, URLs."""
    found: list[tuple[Hit, ...]] = []
    option = ""
    for argument in arguments:
        if option and not argument.startswith("-"):
            found.append(in_pair(option, argument))
        else:
            found.append(_in_argument(argument))
        option = argument if argument.startswith("-") and names_credential(argument) else ""
    return tuple(found)


def pair_name(argument: str) -> str:
    """The name in an argument like `--token=X` or `TOKEN=X`; empty when there is none."""
    pair = _OPTION_PAIR.match(argument)
    return pair.group(1) if pair is not None and not argument.startswith("//", pair.end()) else ""


def mask(text: str, hits: Sequence[Hit]) -> str:
    """The text with each secret replaced by its length."""
    for hit in reversed(hits):
        text = f"{text[: hit.start]}<secret: {hit.end - hit.start} characters>{text[hit.end :]}"
    return text


def mask_comment(comment: str) -> str:
    """A comment as it may be shown; settings that are commented out hold secrets too."""
    if any(names_credential(pair.group(1)) for pair in _LOOSE_PAIR.finditer(comment)):
        return f"{comment[:2].rstrip()} <comment withheld: it may hold a secret>"
    return mask(comment, in_text(comment))


def without_references(text: str) -> str:
    """The text without its `${…}` parts, except for the defaults that `${NAME:-default}` carries."""
    kept: list[str] = []
    at = 0
    while (start := text.find("${", at)) >= 0 and (end := text.find("}", start)) >= 0:
        kept += (text[at:start], text[start:end].partition(":-")[2])
        at = end + 1
    return "".join((*kept, text[at:]))


def _merged(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    kept: list[Hit] = []
    for hit in sorted(hits):
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
        else:
            kept[-1] = Hit(kept[-1].start, max(kept[-1].end, hit.end))
    return tuple(kept)


def _in_argument(argument: str) -> tuple[Hit, ...]:
    name = pair_name(argument)
    pair = _OPTION_PAIR.match(argument) if name else None
    if pair is None:
        return in_text(argument)
    named = in_pair(name, argument[pair.end() :])
    return _merged((*(hit.moved(pair.end()) for hit in named), *in_text(argument)))


def _is_literal(name: str, value: str) -> bool:
    """Whether a credential's value is the credential, not a reference, a placeholder or a path."""
    text = value.strip()
    if not text or text.lower() in _TRIVIAL or _VARIABLE.fullmatch(text):
        return False
    if (text.startswith("<") and text.endswith(">")) or text.lower().startswith(("your-", "your_")):
        return False
    may_be_path = _NEVER_A_PATH.isdisjoint(_WORD.findall(name.lower()))
    if may_be_path and text.startswith(("/", "./", "../", "~/")):
        return False
    rest = without_references(text)
    return rest == text or len(rest) >= 8


def _issued(text: str) -> Iterator[Hit]:
    for token in _TOKEN.finditer(text):
        if known_credential(text[token.start() : min(token.end(), token.start() + _LOOK)]):
            yield Hit(*token.span())


def _in_urls(text: str) -> Iterator[Hit]:
    for url in _URL.finditer(text):
        if url.start("login") >= 0:
            start, end = url.start("login"), url.end("login") - 1
            start = text.find(":", start, end) + 1 or start
            if without_references(text[start:end]) and not _VARIABLE.fullmatch(text[start:end]):
                yield Hit(start, end)
        at = url.start("query")
        for part in url.group("query").split("&") if at >= 0 else ():
            name, equals, value = part.partition("=")
            if equals and names_credential(unquote(name)) and _is_literal(name, unquote(value)):
                yield Hit(at + len(name) + 1, at + len(part))
            at += len(part) + 1
