"""Secrets by the structure that they stand in: keys, tokens that can be read, logins, headers, files."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from bawn.detectors.secrets.values import disorder, entropy, kinds, placeholder, words

Read: TypeAlias = tuple[int, int, float]
"""Start and end of a secret, and how sure it is one."""

Reader: TypeAlias = Callable[[str, int, int], Iterator[Read]]
"""Reads on from where a structure begins, which stands from the first number to the second."""

_LONGEST_KEY: Final = 32_768
_LEAST_KEY: Final = 64  # letters of a private key
_KEY_END: Final = re.compile(r"-----END[ A-Z0-9_-]{0,60}-----|KEY(?: BLOCK)?-----|Private-MAC")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=_%-]{4,4096}")
_VALUE: Final = re.compile(r"[^\s\"'`,;<>&(){}\[\]\\]{1,512}")
_HOST: Final = re.compile(r"[A-Za-z0-9\[._%-]")
_COMMON: Final = words(
    "password pass passwd secret user username pwd token key root admin postgres mysql guest test changeme p pw x"
)


def private_key(text: str, start: int, end: int) -> Iterator[Read]:
    """A private key from its first line to its last; what is cut off is one as far as it goes (RFC 7468)."""
    limit = min(len(text), end + _LONGEST_KEY)
    other = text.find("-----BEGIN", end, limit)
    limit = limit if other < 0 else other
    stop = _KEY_END.search(text, end, limit)
    last = stop.start() if stop else min(limit, end + 4096)
    body = text[end:last]
    letters = sum(map(str.isalnum, body))
    if stop is None and letters < _LEAST_KEY:
        return
    if letters >= 20 and (placeholder(body[-200:]) or len(set(body)) < 12):
        return
    if len(body) >= _LEAST_KEY:
        yield start, stop.end() if stop else last, 1.0 if letters >= _LEAST_KEY else 0.7


def web_token(text: str, start: int, end: int) -> Iterator[Read]:
    """A signed token whose header can be read; one that cannot is a token as far as it looks (RFC 7519)."""
    while end < len(text) and (text[end].isalnum() or text[end] in "_-."):
        end += 1
    value = text[start:end].rstrip(".")
    if placeholder(value) or value.count(".") < 1:
        return
    header = _decoded(value.partition(".")[0])
    try:
        known = isinstance(json.loads(header), dict)
    except ValueError:
        known = False
    if known or (entropy(value) >= 4 and value.count(".") >= 2):
        yield start, start + len(value), 1.0 if known else 0.6


def login(text: str, start: int, end: int) -> Iterator[Read]:
    """The password of a URL with a login, `scheme://user:password@host` (RFC 3986, section 3.2.1)."""
    colon = text.index(":", start + 3)
    stop = colon + 1
    while (
        stop < len(text)
        and stop - colon < 200
        and text[stop] not in " \t\r\n\"'`<>\\/"
        and not (text[stop] == ":" and "@" in text[colon:stop])
    ):
        stop += 1
    at = text.rfind("@", colon, stop)
    if at < 0 or not _HOST.match(text, at + 1):
        return
    password, user = text[colon + 1 : at], text[start + 3 : colon]
    if len(password) < 3 or password.lower() in _COMMON or placeholder(password):
        return
    if password.lower() == user.lower() or "{" in password or "[" in password:
        return
    yield colon + 1, at, 0.9 if disorder(password) or kinds(password) > 1 else 0.6


def authorization(text: str, start: int, end: int) -> Iterator[Read]:
    """The credentials of an `Authorization` header (RFC 9110, section 11.6.2)."""
    scheme = text[start:end].lower().rstrip()
    value = _VALUE.match(text, end)
    if value is None:
        return
    given = value[0].rstrip(".,:")
    if placeholder(given) or len(given) < 8:
        return
    if scheme.endswith("basic"):
        if not _names_login(given):
            return
    elif (len(given) < 16 and "authorization" not in scheme) or disorder(given) < 8:
        return
    yield end, end + len(given), 0.9


def cookie(text: str, start: int, end: int) -> Iterator[Read]:
    """The value of a cookie that names a session or a credential."""
    value = _VALUE.match(text, end)
    if value and len(value[0]) >= 16 and disorder(value[0]) >= 12 and not placeholder(value[0]):
        yield end, value.end(), 0.8


def command_login(text: str, start: int, end: int) -> Iterator[Read]:
    """The password of `curl -u user:password` and its like."""
    quote = text[end : end + 1] if text[end : end + 1] in ("'", '"') else ""
    first = end + len(quote)
    last = text.find(quote, first, first + 256) if quote else -1
    if last < 0:
        bare = re.compile(r"[^\s\"'|;]{1,256}").match(text, first)
        last = bare.end() if bare else first
    user, colon, password = text[first:last].partition(":")
    if not colon or "\n" in password or placeholder(text[first:last]):
        return
    if "curl" not in text[max(0, start - 2000) : start].lower():
        return  # elsewhere `-u` is a user and a group, or something else
    secret = password or user
    if len(secret) < 3 or secret.lower() in _COMMON or placeholder(secret) or "$" in secret[:1]:
        return
    begin = last - len(password) if password else first
    if password or disorder(user) >= 8:
        yield begin, begin + len(secret), 0.8


def command_option(text: str, start: int, end: int) -> Iterator[Read]:
    """The value of `--password`, `--token` and the like."""
    value = _VALUE.match(text, end + (text[end : end + 1] in ("'", '"')))
    if value is None or len(value[0]) < 6 or placeholder(value[0]):
        return
    if value[0].startswith(("-", "/", "$", "@", "%")):
        return
    if disorder(value[0]) >= 8 or (
        "pass" in text[start:end].lower() and any(map(str.isdigit, value[0]))
    ):
        yield value.start(), value.end(), 0.7


def file_login(text: str, start: int, end: int) -> Iterator[Read]:
    """The password of an entry of `.netrc` or `.pgpass`."""
    value = re.compile(r"[^\s\"'\\]{3,256}").match(text, end)
    if value and value[0].lower() not in _COMMON and not placeholder(value[0]):
        yield end, value.end(), 0.9


def password_hash(text: str, start: int, end: int) -> Iterator[Read]:
    """The hash of a password beside its user, as in `htpasswd` and `shadow` files."""
    value = re.compile(r"[A-Za-z0-9./$=,+-]{20,200}").match(text, end)
    if value and not placeholder(value[0]):
        first = text.index("$", start)
        yield first, value.end(), 0.9


def configured_password(text: str, start: int, end: int) -> Iterator[Read]:
    """The value of an XML element whose key names a password, as in `nuget.config`."""
    value = re.compile(r"[\"'\\]{1,3}\s{1,80}value\s?=\s?[\"'\\]{1,3}([^\"'\\]{4,128})").match(
        text, end
    )
    value = value or re.compile(r"[\"']\s{1,80}value\s?=\s?\"([^\"]{4,128})\"").match(text, end)
    if value and not placeholder(value[1]) and not value[1].startswith("%"):
        last = value.end(1)
        if text[last : last + 1] == "\\" and text[last + 1 : last + 2] not in ('"', "'"):
            more = text.find('"', last, last + 128)
            last = more if more > 0 else last
        yield value.start(1), last, 0.8


def cluster_secret(text: str, start: int, end: int) -> Iterator[Read]:
    """The values of a Kubernetes Secret, which are base64 and not encrypted."""
    other = text.find("kind", end, end + 4000)
    limit = min(len(text), end + 4000) if other < 0 else other
    data = re.compile(r"(?m)^\s{0,16}data:|\"data\"\s?:\s?\{").search(text, end, limit)
    first = data.end() if data else max(0, text.rfind("data:", max(0, start - 1000), start))
    if not first:
        return
    last = limit if data else start
    for each in re.compile(r"[\w.-]{1,64}\"?:\s{1,3}[\"']?([A-Za-z0-9+/]{8,2048}={0,3})").finditer(
        text, first, last
    ):
        value = each[1]
        if len(value) % 4 == 0 and not placeholder(value) and _printable(value):
            yield each.start(1), each.end(1), 0.8


def seed_phrase(text: str, start: int, end: int) -> Iterator[Read]:
    """The words that a wallet is restored from (BIP 39): twelve to twenty-four."""
    phrase = re.compile(
        r"[\W_]{1,6}(?:is\s|are\s)?((?:[a-z]{3,8} ){11,23}[a-z]{3,8})(?![a-z])"
    ).match(text, end)
    if phrase and len(set(phrase[1].split())) >= 9 and len(phrase[1].split()) % 3 == 0:
        yield phrase.start(1), phrase.end(1), 0.8


def _names_login(given: str) -> bool:
    plain = _decoded(given)
    _, colon, password = plain.partition(":")
    return bool(colon) and plain.isprintable() and len(password) >= 3 and not placeholder(password)


def _printable(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        return False
    return True


def _decoded(value: str) -> str:
    try:
        raw = base64.urlsafe_b64decode(value.replace("+", "-").replace("/", "_").rstrip("=") + "==")
        return raw.decode()
    except (ValueError, binascii.Error):
        return ""


READERS: Final[Mapping[str, Reader]] = {
    "secret/private-key": private_key,
    "secret/web-token": web_token,
    "secret/login": login,
    "secret/authorization": authorization,
    "secret/cookie": cookie,
    "secret/command-login": command_login,
    "secret/command-option": command_option,
    "secret/file-login": file_login,
    "secret/password-hash": password_hash,
    "secret/configured-password": configured_password,
    "secret/cluster-secret": cluster_secret,
    "secret/seed-phrase": seed_phrase,
}
"""Who reads on from the patterns of which rule."""
