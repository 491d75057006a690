"""Names on the aggregate endpoint: prefixed, bounded, and never two servers' at once.

Source: server/tools, "Tool Names" (2026-07-28): at most 128 characters.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

LONGEST: Final = 128
_DIGEST: Final = 8


def shown(prefix: str, name: str) -> str:
    """The prefixed name, cut and made unique by a digest when it is too long."""
    full = prefix + name
    if len(full) <= LONGEST:
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()[:_DIGEST]
    return f"{full[: LONGEST - _DIGEST - 1]}_{digest}"


def assign(
    names: Iterable[tuple[str, str]], prefixes: Mapping[str, str]
) -> dict[tuple[str, str], str]:
    """Shown names for (server, own name) pairs.

    A server id has no underscore, so names under the default prefix `{server}__` never meet. A name
    under a prefix of the operator's choosing yields to the default when it would meet another's, or
    stand under another's default prefix or longer one: no server can take over another's name, not
    even while that one is away. `prefixes` therefore has every server, listed or not.
    """
    pairs = list(names)
    default = {(server, own): shown(f"{server}__", own) for server, own in pairs}
    foreign = {server: _foreign(server, prefixes) for server in {server for server, _ in pairs}}
    chosen: dict[tuple[str, str], str] = {}
    for server, own in pairs:
        name = shown(prefixes[server], own)
        taken = name.startswith(foreign[server])
        chosen[server, own] = default[server, own] if taken else name
    while True:  # each round moves a name to its default for good, so the rounds are bounded
        holders: dict[str, set[str]] = defaultdict(set)
        for (server, _), name in chosen.items():
            holders[name].add(server)
        clashing = [p for p in pairs if len(holders[chosen[p]]) > 1 and chosen[p] != default[p]]
        if not clashing:
            return chosen
        for pair in clashing:
            chosen[pair] = default[pair]


def _foreign(server: str, prefixes: Mapping[str, str]) -> tuple[str, ...]:
    """The prefixes of others under which no name of this server may come to stand."""
    own = prefixes[server]
    if own == f"{server}__":
        return ()
    others = prefixes.keys() - {server}
    longer = {prefixes[name] for name in others if len(prefixes[name]) > len(own)}
    return tuple({f"{name}__" for name in others} | longer)
