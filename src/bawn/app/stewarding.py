"""The steward as a process: told what to look at, tells what it found.

`python -m bawn.app.stewarding FD` is the supervisor's. Each View goes into a file that is named by its
digest, and the supervisor is told the name. What servers said is kept for the steward that follows this
one, so that one killed is replaced without asking all servers first.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import msgspec
import uvloop

from bawn.app import health, inspecting
from bawn.app.assemble import Clients
from bawn.app.assuring import Assuring
from bawn.app.children import Children
from bawn.app.compiling import keep_compiled
from bawn.app.health import Report
from bawn.app.keeping import Keeping
from bawn.app.locked import refused
from bawn.app.orders import SWITCH, Channel, StewardOrder
from bawn.app.places import Places
from bawn.app.reviewing import Reviewing
from bawn.app.sweeping import sweeping
from bawn.app.telling import notifier
from bawn.barrier import views
from bawn.config import Config
from bawn.config.atomic import replace
from bawn.errors import Misconfigured
from bawn.findings.evidence import Evidence
from bawn.model import Listing, View
from bawn.packages.store import resolutions
from bawn.policy.files import reading
from bawn.protocol.strict import DIGITS
from bawn.steward import Steward
from bawn.storage.directory import StateDirectory
from bawn.storage.files import ServerFiles
from bawn.storage.quarantine import Quarantine
from bawn.telemetry import logs
from bawn.vulnerabilities.schedule import Watching

log = logging.getLogger("bawn.steward")

_LOOK: Final = 10.0  # seconds between looks at how servers are confined
_SOON: Final = 0.5

PATIENCE: Final = 3.0
"""Seconds that the first View waits for servers that are slow to introduce themselves."""


class _Known(msgspec.Struct):
    """A listing, and the settings of the server that it was had under."""

    settings: str
    listing: Listing


class Memory:
    """What stewards of this run of the gate know of servers, as long as their settings stay."""

    def __init__(self, path: Path, config: Config) -> None:
        self._path = path
        self._settings = {n: s.model_dump_json() for n, s in config.servers.items()}

    def recall(self) -> list[Listing]:
        """The listings of servers that are configured as they were."""
        try:
            known = msgspec.json.decode(self._path.read_bytes(), type=list[_Known])
        except (OSError, msgspec.MsgspecError, UnicodeError):
            return []
        return [k.listing for k in known if self._settings.get(k.listing.server) == k.settings]

    def keep(self, listings: list[Listing]) -> None:
        """Replace what is remembered."""
        known = [_Known(self._settings[each.server], each) for each in listings]
        replace(self._path, msgspec.json.encode(known), durable=False)


class Stewarding:
    """Joins the steward to its files and to the supervisor."""

    def __init__(self, order: StewardOrder, config: Config, channel: Channel) -> None:
        keep_compiled()
        state = StateDirectory(Path(order.state))
        base = Path(order.base)
        self._config = config
        self._channel = channel
        self._places = Places(state)
        self._shelf = self._places.shelf()
        self._memory = Memory(self._places.listings, config)
        self.clients = Clients(config, base)
        self._children = Children(self.clients.own(), order.runner)
        self._notifier = notifier(config, base, state, self.clients.own())
        self._confinement: dict[str, str] = {}
        rules = reading.ruleset(order.policy, config.approvals.within)
        self._reviewing = Reviewing(rules, config, self._report)
        lock = Path(order.lock) if order.lock else None
        self._assuring = Assuring(rules, config, base, state, self._report, lock=lock)
        kept = ServerFiles(state.evidence, tuple[Evidence, ...])
        self._watching = Watching(config, base, kept, resolutions(state).read, self._assuring.look)
        self.upstreams = {
            name: self.clients.upstream(name, server, order.runner)
            for name, server in config.servers.items()
        }
        self._keeping = Keeping(state, config, lock=order.lock)
        self._resources = inspecting.resources(config, base)
        self._said: dict[str, str] = {}  # of the resources of each server
        self._quarantine = Quarantine(state, config.inspection.quarantine_days)
        self._steward = Steward(
            config,
            self.upstreams,
            self._publish,
            project=str(base),
            known=(*(refused(order.lock) if order.lock else ()), *self._memory.recall()),
            states=health.read(self._places.health).servers,
            noted=self._report,
            kept=self._kept,
            approved=self._keeping.approved,
            doubting=self._tell_doubts,
            doubted=order.doubted,
        )

    async def run(self) -> None:
        """Publish the first View, report readiness; stop on SIGTERM or the channel's end."""
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await self._steward.start(PATIENCE)
        self._confinement = await self._children.confinement()
        self._report()
        await self._channel.send({"ok": True})
        watching = [
            asyncio.create_task(each)
            for each in (
                self._watch_confinement(),
                self._assuring.run(),
                self._watching.run(),
                sweeping(self._quarantine),
            )
        ]
        if self._notifier is not None:
            watching.append(asyncio.create_task(self._notifier.run()))
        until_gone = self._channel.until_gone(self._told)
        ends = [asyncio.create_task(until_gone), asyncio.create_task(stop.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in watching:
            task.cancel()
        await self._steward.stop()
        await self._reviewing.aclose()
        await self._assuring.aclose()
        for upstream in self.upstreams.values():
            await upstream.aclose()
        await self.clients.aclose()

    def _publish(self, view: View) -> None:
        name = self._shelf.put(views.dump(view, uuid4().hex))
        self._channel.post({"news": {"view": name, "doubted": sorted(self._steward.doubted)}})
        self._reviewing.look(view)
        self._assuring.look()
        try:
            self._memory.keep(list(self._steward.listings))
        except OSError as problem:
            log.error("what servers said cannot be kept for the next steward: %s", problem)

    def _kept(self, listing: Listing) -> Listing:
        """A listing with its resources as they may be shown: what else they say is not written anywhere."""
        listing, said = self._resources.shown(listing)
        if said and said != self._said.get(listing.server):
            log.warning("%s: %s", listing.server, said)
        self._said[listing.server] = said
        return listing

    def _tell_doubts(self) -> None:
        """Have callers of servers that say that they have changed wait until they were looked at."""
        self._channel.post({"news": {"doubted": sorted(self._steward.doubted)}})

    def _told(self, message: dict[str, Any]) -> None:
        """What was approved of a server has changed."""
        in_force = self._steward.reconsider()
        self._report()
        self._assuring.look()
        if in_force:
            self._channel.post({"news": {"settled": message.get("ticket", 0)}})

    async def _watch_confinement(self) -> None:
        """How local servers are confined, for as long as there are any."""
        while any(server.command for server in self._config.servers.values()):
            told = await self._children.confinement()
            if told != self._confinement:
                self._confinement = told
                self._report()
            await asyncio.sleep(_LOOK if told else _SOON)

    def _vulnerabilities(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for (server, severity), count in self._watching.figures.items():
            found.setdefault(server, {})[severity] = count
        return found

    def _report(self) -> None:
        steward = self._steward
        report = Report(
            steward.states,
            steward.version,
            steward.items,
            steward.longest_name,
            self._confinement,
            self._reviewing.problems,
            self._assuring.problems,
            self._assuring.trust,
            self._assuring.waiting,
            self._vulnerabilities(),
        )
        try:
            health.write(self._places.health, report)
        except OSError as problem:
            log.error("the health of servers cannot be told: %s", problem)


async def _main(end: socket.socket) -> int:
    channel = await Channel.over(end)
    line = await channel.line()
    if not line:
        return 1
    order = msgspec.json.decode(line, type=StewardOrder)
    config = Config.model_validate_json(bytes(order.config))
    logs.configure(config.log.format, config.log.level, sys.stderr)
    try:
        stewarding = Stewarding(order, config, channel)
    except Misconfigured as error:
        await channel.send({"misconfigured": error.problems})
        return 2
    await stewarding.run()
    return 0


def serve(control: socket.socket) -> int:
    """Be a steward on this control channel; the code to exit with."""
    sys.set_int_max_str_digits(DIGITS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor's to handle
    sys.setswitchinterval(SWITCH)
    return uvloop.run(_main(control))


def main() -> None:
    """Run a steward on the control channel whose descriptor is the only argument."""
    sys.exit(serve(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
