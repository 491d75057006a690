"""Where in the text of a lockfile something stands, for those who look at a change of it."""

from __future__ import annotations

import re
from typing import Final

import msgspec

_SERVER: Final = re.compile(rb'  "([a-z0-9-]{1,32})": \{')


class _Pin(msgspec.Struct):
    aspect: str
    name: str


def lines(content: bytes) -> dict[str, int]:
    """The line, from 1, of each server and item: by `files`, `files/read_file`, `files/instructions`.

    Of a file that is laid out in another way nothing is known.
    """
    decode = msgspec.json.Decoder(_Pin).decode
    found: dict[str, int] = {}
    server = ""
    for number, line in enumerate(content.split(b"\n"), 1):
        if opened := _SERVER.fullmatch(line):
            server = opened[1].decode()
            found[server] = number
        elif server and line.startswith(b'    {"aspect"'):
            try:
                pin = decode(line.rstrip(b","))
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                continue
            found.setdefault(f"{server}/{pin.name or pin.aspect}", number)
    return found
