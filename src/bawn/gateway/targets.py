"""From a request to the item it is about, and to what leaves for that item's server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bawn.catalogue import Catalogue
from bawn.errors import (
    INPUT_UNDECLARED,
    INTEGRITY_QUARANTINED,
    METHOD_UNKNOWN,
    RESOURCE_CLAIMED,
    SERVER_UNAVAILABLE,
    STATE_LOST,
    TARGET_UNKNOWN,
    TASK_UNKNOWN,
    Refused,
)
from bawn.gateway.consent import check_reserved
from bawn.gateway.stages import Stages
from bawn.gateway.step import Step
from bawn.model import Call, Endpoint, Item, Json, Kind, Principal, View
from bawn.ports import Arrival, Elsewhere
from bawn.protocol import completion, lifecycle, mirrors, outbound, rounds, tasks, versions
from bawn.protocol.inbound import Request
from bawn.protocol.tasks import TaskHandle

_RENAMED: Final = frozenset({Kind.TOOL, Kind.PROMPT})


class Targets:
    """Finds what requests are about, in the View and in the handles that callers bring back."""

    def __init__(self, catalogue: Catalogue, stages: Stages, tenant_of: Mapping[str, str]) -> None:
        self._catalogue = catalogue
        self._stages = stages
        self._tenant_of = tenant_of
        self.view: View | None = None

    def step(self, endpoint: Endpoint, call: Call, asked: Request, arrival: Arrival) -> Step:
        """What a request for a server comes down to.

        Raises:
            Refused: target.unknown, resource.claimed, message.params, header.mismatch, state.*,
                task.unknown or method.unknown.
            Elsewhere: what it goes on with waits in another worker.
        """
        method = asked.method
        if method.name == "completion/complete":
            return self._completion(endpoint, call, asked)
        if method.named == "taskId":
            return self._task(call, asked)
        kind = method.kind
        if kind is None or kind is Kind.METHOD:
            return self._extension(endpoint, call, asked)
        item = self.find(endpoint, kind, asked, call)
        named = method.named or "name"
        params = call.params.copy()
        if item.kind in _RENAMED:  # a template's item stands for whichever URI the caller asked
            params[named] = item.name
        fields: tuple[tuple[bytes, bytes], ...] = ()
        if item.mirrors:
            arguments = params.get("arguments") or {}
            if asked.modern and arrival.peer.uid is None:  # stdio has no headers
                mirrors.check(item.mirrors, arguments, arrival.headers)
            fields = mirrors.fields(item.mirrors, arguments)
        step = Step(call, method, asked.modern, item, params, params[named], fields)
        return self._retried(step, arrival) if rounds.is_retry(call.params) else step

    def find(
        self, endpoint: Endpoint, kind: Kind, asked: Request, call: Call, name: str | None = None
    ) -> Item:
        """The item that a request names; what is not found is recorded.

        Raises:
            Refused: target.unknown, resource.claimed, message.params.
        """
        try:
            return self._catalogue.find(endpoint, kind, asked, name)
        except Refused as refused:
            # as for a name that is there: what a new caller may do is settled at its first guess
            self._stages.policy.permission_set(call.principal)
            self._stages.audit.refusal(call, refused.reason.id, refused.public)
            if refused.reason is RESOURCE_CLAIMED:
                uri = name or asked.params[asked.method.named or "uri"]
                if not self._may_use_one(kind, asked, call, uri):
                    raise outbound.unknown(kind) from None
            raise

    def usable(self, principal: Principal) -> frozenset[str]:
        """The servers of its own tenant of which a principal may use something at all."""
        endpoints = () if self.view is None else self.view.endpoints.values()
        may = self._stages.policy.may
        return frozenset(
            each.server
            for each in endpoints
            if each.server is not None
            and self._tenant_of[each.server] == principal.tenant
            and any(
                may(principal, item) for items in each.items.values() for item in items.values()
            )
        )

    def _may_use_one(self, kind: Kind, asked: Request, call: Call, uri: str) -> bool:
        """Whether one of the servers that claim a resource offers it to this caller."""
        principal, may = call.principal, self._stages.policy.may
        endpoints = () if self.view is None else self.view.endpoints.values()
        own = [e for e in endpoints if e.server and self._tenant_of[e.server] == principal.tenant]
        found = (self._catalogue.offered(each, kind, asked, uri) for each in own)
        return any(may(principal, item) for item in found if item is not None)

    def _retried(self, step: Step, arrival: Arrival) -> Step:
        """The step of a caller who comes back with what a server asked for."""
        if rounds.STATE not in step.params:
            # a modern server judges what it did not ask for, a legacy one never sees it
            check_reserved(step.params[rounds.RESPONSES])
            return step
        state = self._stages.rounds.opened(step.call)
        if not state.approval:
            check_reserved(step.params.get(rounds.RESPONSES) or {})
        if self._stages.rounds.elsewhere(state):
            if arrival.settled:
                raise Refused(STATE_LOST, detail="the worker that has the call is gone")
            raise Elsewhere(state.owner)
        params = rounds.unwrapped(step.params, state.inner)
        return msgspec.structs.replace(
            step, params=params, state=state, parked=state.parked, consented=state.consented
        )

    def _completion(self, endpoint: Endpoint, call: Call, asked: Request) -> Step:
        kind, name = completion.target(asked.params)
        there = name in endpoint.items[kind] or name in endpoint.withheld.get(kind, {})
        if kind is Kind.TEMPLATE and not there:
            kind = Kind.RESOURCE  # clients may name a resource itself
        item = self.find(endpoint, kind, asked, call, name)
        params: Json = call.params
        if item.kind in _RENAMED:
            params = completion.renamed(params, item.name)
        return Step(call, asked.method, asked.modern, item, params)

    def _task(self, call: Call, asked: Request) -> Step:
        if versions.TASKS not in lifecycle.extensions(call.client.capabilities):
            raise Refused(INPUT_UNDECLARED, data={"requiredCapabilities": tasks.REQUIRED})
        task = self.task(call, asked.params.get("taskId"))
        params = {**call.params, "taskId": task.task}
        return Step(
            call, asked.method, asked.modern, self.started(task), params, task.task, task=task
        )

    def started(self, task: TaskHandle) -> Item:
        """What started a task: as its server offers it now, if it still does.

        What no list has goes on by its handle alone; so not where the whole server is withheld, or
        nobody knows yet whether it is as it was approved.
        """
        kind = Kind(task.kind)
        single = self.view.endpoints.get(task.server) if self.view is not None else None
        if single is None:
            withheld = SERVER_UNAVAILABLE.id
        else:
            found = single.items[kind].get(task.name)
            found = found or single.withheld.get(kind, {}).get(task.name)
            if found is not None:
                return found
            withheld = "" if single.capabilities else _why_nothing(single)
        return Item(kind, task.server, task.name, task.name, {}, withheld=withheld)

    def task(self, call: Call, id_: Any) -> TaskHandle:
        """The task that a caller means by this id.

        Raises:
            Refused: task.unknown, somebody else's too.
        """
        task = tasks.open(self._stages.sealer, id_)
        if not task.serves(call.principal.key, call.endpoint, self._stages.clock()):
            raise Refused(TASK_UNKNOWN)
        if task.server not in self._stages.upstreams:  # it was removed since
            raise Refused(TASK_UNKNOWN)
        return task

    def _extension(self, endpoint: Endpoint, call: Call, asked: Request) -> Step:
        """A method that the gate knows nothing of: it passes where a server declares an extension.

        Nothing says to which extension a method belongs: it may be any that the client declares as well,
        or any at all for a client that declares none of them. All of those must be of one server.
        """
        if versions.is_core(asked.method.name):
            raise Refused(METHOD_UNKNOWN)
        offered = endpoint.extensions
        both = offered.keys() & lifecycle.extensions(call.client.capabilities).keys()
        owners = {offered[each] for each in both or offered}
        if len(owners) != 1:
            raise Refused(METHOD_UNKNOWN)
        name = asked.method.name
        item = Item(Kind.METHOD, owners.pop(), name, name, {})
        if len(name) > outbound.LONGEST:
            raise Refused(TARGET_UNKNOWN, "no such method")
        return Step(call, asked.method, asked.modern, item, call.params)


def _why_nothing(single: Endpoint) -> str:
    """By which reason a server that offers nothing at all does so."""
    reasons = (item.withheld for items in single.withheld.values() for item in items.values())
    return next(reasons, INTEGRITY_QUARANTINED.id)
