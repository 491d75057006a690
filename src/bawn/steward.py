"""The steward: lists and probes every server, and publishes a new View when something changed."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from time import monotonic, time
from typing import Final

from bawn.compile import compile_view
from bawn.config import Config
from bawn.errors import INTERNAL, UPSTREAM_INVALID, UPSTREAM_SIGN_IN, UPSTREAM_TOO_LARGE, Refused
from bawn.feeds import news
from bawn.model import (
    OWN_ISOLATION,
    Health,
    Json,
    Kind,
    Listing,
    Outbound,
    ServerState,
    View,
    Withheld,
)
from bawn.ports import Upstream
from bawn.protocol import own, versions
from bawn.protocol.strict import encode
from bawn.protocol.versions import LIST_METHODS

log = logging.getLogger("bawn.steward")

_PAGES: Final = 1_000
_LISTING: Final = 16
"""How many times `limits.result` one list may hold over all its pages: it stays in memory."""
_FIRST_RETRY: Final = 0.5
_SPREAD: Final = 0.75  # the least part of a time between two looks that is waited
_MOMENT: Final = 0.2
_LONGEST_PAUSE: Final = 30.0
"""Seconds between two looks at least, when a server says that its lists change: at first, and at last."""
_DOUBTFUL_PAUSE: Final = 5.0  # at last, while its calls wait: less than they do
_PATIENCE: Final = 10  # looks in a row, before the time between them doubles
_MOST_LOOKS: Final = 20
_DUE: Final = 0.75
"""The part of `drift.max_age` after which a listing is due, so that it is done before its end."""

_NEEDS: Final[Mapping[Kind, str]] = {
    Kind.TOOL: "tools",
    Kind.PROMPT: "prompts",
    Kind.RESOURCE: "resources",
    Kind.TEMPLATE: "resources",
}


class Steward:
    """Keeps `states` current, calls `publish` with each new View and `noted` after each look.

    `project` is the directory in which servers of `isolation: project` are looked at. `known` is what
    a steward before this one had found out: it holds until the servers are looked at again. `kept` says
    what of a listing is kept, `approved` what of that serves. A server that says that its lists have
    changed is `doubted` until it was listed since and what was found is published; `doubting` is called
    when that set has grown, or has shrunk without a new View.
    """

    def __init__(
        self,
        config: Config,
        upstreams: Mapping[str, Upstream],
        publish: Callable[[View], None],
        project: str | None = None,
        *,
        known: Iterable[Listing] = (),
        states: Mapping[str, ServerState] | None = None,
        noted: Callable[[], None] = lambda: None,
        kept: Callable[[Listing], Listing] = lambda listing: listing,
        approved: Callable[[Listing], Listing] = lambda listing: listing,
        doubting: Callable[[], None] = lambda: None,
        doubted: Iterable[str] = (),
    ) -> None:
        self._config = config
        self._upstreams = upstreams
        self._publish = publish
        self._project = project
        self._noted = noted
        self._approved = approved
        self._doubting = doubting
        self.doubted = set(doubted) & _active(config)
        self._answered: set[str] = set()  # of those, who was listed since
        self._complete = False
        self._kept = kept
        self._listings = {
            each.server: kept(each) for each in known if each.server in config.servers
        }
        self.version = ""
        self._tasks: list[asyncio.Task[None]] = []
        self._servers = sorted(_active(config))
        self._changes = {name: Counter[Kind]() for name in config.servers}
        self._pauses = dict.fromkeys(config.servers, 0)  # looks that were asked for, in a row
        self._stale = {name: asyncio.Event() for name in config.servers}
        self._following: dict[str, tuple[Json, asyncio.Task[None]]] = {}
        self._looked_at = {name: asyncio.Event() for name in config.servers}
        before = states or {}
        self.states = {
            name: before.get(name, ServerState(Health.STARTING)) for name in config.servers
        }
        self.items: dict[str, int] = {}
        self.longest_name = ""

    @property
    def listings(self) -> Collection[Listing]:
        """What the servers said of themselves, the last good one of a server that fails now."""
        return self._listings.values()

    async def start(self, patience: float) -> None:
        """Begin; returns once every server was looked at or is known, at most after `patience` seconds."""
        for name in self._servers:
            self._tasks.append(asyncio.create_task(self._watch(name), name=f"steward {name}"))
        seen = [
            asyncio.create_task(event.wait())
            for name, event in self._looked_at.items()
            if name in self._servers and name not in self._listings
        ]
        if seen:
            _, waiting = await asyncio.wait(seen, timeout=patience)
            for task in waiting:
                task.cancel()
        self._complete = True
        self._compile()

    async def stop(self) -> None:
        """End the tasks."""
        tasks = [*self._tasks, *[task for _, task in self._following.values()]]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, name: str) -> None:
        """List and probe one server for ever; a failing one is tried again soon, then ever less often."""
        probe = self._config.refresh.probe
        retry, listed = _FIRST_RETRY, float("-inf")
        while True:
            health, detail = Health.FAILING, INTERNAL.id
            try:
                listed = await self._look(name, listed)
                health, detail = Health.OK, ""
            except Refused as refused:
                sign_in = refused.reason is UPSTREAM_SIGN_IN
                health, detail = Health.SIGN_IN if sign_in else Health.FAILING, str(refused)
            except Exception:
                log.exception("looking at a server failed", extra={"server": name})
            self._note(name, health, detail)
            self._looked_at[name].set()
            unsettled = name in self.doubted and not self._stale[name].is_set()
            failing = health is Health.FAILING or unsettled
            signing_in = health is Health.SIGN_IN
            due = self._config.refresh.probe if signing_in else self._probe_in(listed)
            await self._until_due(name, retry if failing else due)
            retry = min(retry * 2, probe) if failing else _FIRST_RETRY

    def _probe_in(self, listed: float) -> float:
        """Seconds until a server is looked at again: for its health, or to find silent changes in time."""
        probe, most = self._config.refresh.probe, self._config.drift.max_age
        left = listed + most - monotonic() if most else probe
        return max(min(probe, left), min(_MOMENT, probe))

    async def _until_due(self, name: str, seconds: float) -> None:
        """Wait about so long, or until the server says that its lists have changed, but a moment at least."""
        stale = self._stale[name]
        seconds *= random.uniform(_SPREAD, 1.0)  # noqa: S311 - so that not all are asked at once
        looks = self._pauses[name]
        longest = _DOUBTFUL_PAUSE if name in self.doubted else _LONGEST_PAUSE
        pause = min(_MOMENT * 2.0 ** max(0, looks - _PATIENCE), longest)
        await asyncio.sleep(min(seconds, pause))
        try:
            async with asyncio.timeout(seconds):
                await stale.wait()
        except TimeoutError:
            self._pauses[name] = 0  # it was quiet for all that time
        else:  # each look is work for every worker: who changes again and again waits
            self._pauses[name] = min(looks + 1, _MOST_LOOKS)

    def _changed(self, name: str, capability: str) -> None:
        """A server says that a list of its has changed: those who follow are told, changed or not.

        Whoever calls it waits until it was looked at.
        """
        for kind, needed in _NEEDS.items():
            if needed == capability:
                self._changes[name][kind] += 1
        self._answered.discard(name)
        if capability != "resources" and name not in self.doubted:
            self.doubted.add(name)
            self._doubting()
        self._stale[name].set()

    def reconsider(self) -> bool:
        """What was approved has changed: say what serves now. Returns whether that is published."""
        return self._compile()

    def _follow(self, name: str, capabilities: Json) -> None:
        """Have the server tell of changes to those of its lists that it tells of."""
        lists = news.wanted(capabilities)
        following = self._following.get(name)
        if following is not None:
            if following[0] == lists:
                return
            following[1].cancel()
            del self._following[name]
        if lists:
            upstream, listen = self._upstreams[name], self._own(name, "subscriptions/listen", {})
            work = news.follow(upstream, listen, lists, partial(self._changed, name))
            self._following[name] = (lists, asyncio.create_task(work, name=f"news {name}"))

    async def _look(self, name: str, listed: float) -> float:
        """List the server when that is due, else probe it; returns when it was listed last."""
        now, stale = monotonic(), self._stale[name]
        due = now - listed >= self._config.drift.max_age * _DUE
        unsure = name in self.doubted or self.states[name].health is not Health.OK
        if due or stale.is_set() or unsure:
            stale.clear()
            await self._list(name)
            return now
        await self._ask(name, "server/discover", {})
        return listed

    def _note(self, name: str, health: Health, detail: str = "") -> None:
        before = self.states[name]
        listing = self._listings.get(name)
        version = listing.version if listing else ""
        self.states[name] = ServerState(health, detail, version, time())
        if before.health is not health:
            say = log.info if health is Health.OK else log.warning
            say("server is %s", health.value, extra={"server": name, "detail": detail})
            self._compile()
        self._noted()

    async def _list(self, name: str) -> None:
        discovered = await self._ask(name, "server/discover", {})
        capabilities = discovered.get("capabilities")
        if not isinstance(capabilities, dict):
            raise Refused(UPSTREAM_INVALID, detail="server/discover has no `capabilities`")
        self._follow(name, capabilities)  # first: what changes while it is listed is told then
        definitions: dict[Kind, tuple[Json, ...]] = {}
        ttl = _ttl(discovered)
        for kind in LIST_METHODS:
            definitions[kind] = ()
            if _NEEDS[kind] in capabilities:
                definitions[kind], listed_ttl = await self._pages(name, kind)
                ttl = min(ttl, listed_ttl)
        supported = discovered.get("supportedVersions")
        version = _spoken(supported) if isinstance(supported, list) else ""
        instructions = discovered.get("instructions")
        listing = Listing(
            name,
            version,
            capabilities,
            instructions if isinstance(instructions, str) else "",
            definitions,
            ttl,
            dict(self._changes[name]),
        )
        self._listings[name] = self._kept(listing)
        if name in self.doubted and not self._stale[name].is_set():
            self._answered.add(name)
        if self.states[name].health is Health.OK:  # else what is noted next has it compiled
            self._compile()

    async def _pages(self, name: str, kind: Kind) -> tuple[tuple[Json, ...], int]:
        """Every definition of a kind, and the shortest time that a page may be kept."""
        method, member = LIST_METHODS[kind]
        found: list[Json] = []
        ttl = 1 << 31
        cursor: str | None = None
        room = _LISTING * self._config.limits.result
        for _ in range(_PAGES):
            page = await self._ask(name, method, {} if cursor is None else {"cursor": cursor})
            listed = page.get(member)
            if not isinstance(listed, list) or not all(isinstance(d, dict) for d in listed):
                raise Refused(
                    UPSTREAM_INVALID, detail=f"{method}: `{member}` is no list of objects"
                )
            found += listed
            if len(found) > self._config.limits.tools:
                raise Refused(UPSTREAM_TOO_LARGE, detail=f"{method} lists more than limits.tools")
            room -= len(encode(listed))
            if room < 0:
                detail = f"{method} lists more than {_LISTING} times limits.result"
                raise Refused(UPSTREAM_TOO_LARGE, detail=detail)
            ttl = min(ttl, _ttl(page))
            following = page.get("nextCursor")
            if following is None:
                return tuple(found), ttl
            if not isinstance(following, str) or following == cursor:
                raise Refused(UPSTREAM_INVALID, detail=f"{method}: the cursor does not go on")
            cursor = following
        raise Refused(UPSTREAM_TOO_LARGE, detail=f"{method} does not end within {_PAGES} pages")

    def _own(self, name: str, method: str, params: Json) -> Outbound:
        """A request of the gate's own."""
        shared = self._config.servers[name].isolation == "shared"
        isolation = "shared" if shared else OWN_ISOLATION
        return Outbound(
            name, method, own.asking(params), isolation, trace="", project=self._project
        )

    async def _ask(self, name: str, method: str, params: Json) -> Json:
        answer = await self._upstreams[name].call(self._own(name, method, params))
        if answer.result is None:
            code = (answer.error or {}).get("code")
            raise Refused(UPSTREAM_INVALID, detail=f"{method} was answered with error {code}")
        return answer.result

    def _compile(self) -> bool:
        """Publish a new View when there is one; a failure here keeps the old one, and what is in doubt."""
        if not self._complete:  # the first one shows all servers that do not keep us waiting
            return False
        settled = self.doubted & self._answered
        self.doubted -= settled
        before = self.version
        try:
            self._publish_changes()
        except Exception:
            self.doubted |= settled
            log.exception("no new view could be made; the old one goes on")
            return False
        self._answered -= settled
        if settled and self.version == before:
            self._doubting()
        return True

    def _judged(self, listing: Listing) -> Listing:
        """What of a listing serves: nothing, where that cannot be told."""
        try:
            return self._approved(listing)
        except Exception:
            log.exception("what was listed cannot be judged", extra={"server": listing.server})
        withheld = {
            kind: tuple(Withheld(each, INTERNAL.id) for each in several)
            for kind, several in listing.definitions.items()
        }
        nothing: dict[Kind, tuple[Json, ...]] = dict.fromkeys(listing.definitions, ())
        return replace(
            listing, definitions=nothing, withheld=withheld, capabilities={}, instructions=""
        )

    def _publish_changes(self) -> None:
        failing = [name for name, state in self.states.items() if state.health is not Health.OK]
        serving = [self._judged(each) for each in self._listings.values()]
        view = compile_view(self._config, serving, failing=failing)
        if view.version == self.version:
            return
        self._publish(view)  # when this fails, the next look tries again
        self.version = view.version
        every = [view.endpoints[None], *view.aggregates.values()]
        self.items = {kind.value: sum(len(e.items[kind]) for e in every) for kind in LIST_METHODS}
        tools = [name for each in every for name in each.items[Kind.TOOL]]
        self.longest_name = max(tools, key=len, default="")
        log.info("a new view is served", extra={"view": view.version[:12], **self.items})


def _active(config: Config) -> set[str]:
    return {name for name, server in config.servers.items() if server.status != "disabled"}


def _ttl(page: Json) -> int:
    ttl = page.get("ttlMs", 0)
    return max(ttl, 0) if type(ttl) is int else 0


def _spoken(supported: list[object]) -> str:
    return (
        versions.MODERN if versions.MODERN in supported else str(supported[0] if supported else "")
    )
