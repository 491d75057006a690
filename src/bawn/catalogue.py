"""What the View offers to a caller: finding one item, listing those that may be used.

Pages are kept as ready bytes for each permission set until the next View.
"""

from __future__ import annotations

from typing import Any, Final

from bawn.errors import MESSAGE_PARAMS, RESOURCE_CLAIMED, Refused
from bawn.model import Endpoint, Item, Kind, Principal
from bawn.ports import PolicyEngine, Reply
from bawn.protocol import envelope, lists, outbound, strict, templates
from bawn.protocol.inbound import Request
from bawn.protocol.sealing import Sealer

_PAGES: Final = 4096
_BYTES: Final = 64 << 20  # of all pages


class Catalogue:
    """Answers from Endpoints; it holds no state but the pages it has made of them."""

    def __init__(self, policy: PolicyEngine, sealer: Sealer, page_size: int) -> None:
        self._policy = policy
        self._sealer = sealer
        self._page_size = page_size
        self._pages: dict[tuple[str, str, str], bytes] = {}
        self._held = 0
        self._told: dict[tuple[str | None, str], str] = {}

    def forget(self) -> None:
        """Drop what was made: there is a new View."""
        self._pages.clear()
        self._held = 0
        self._told.clear()

    def find(self, endpoint: Endpoint, kind: Kind, asked: Request, name: Any = None) -> Item:
        """The item of this name, else the one that a call names.

        Raises:
            Refused: target.unknown or resource.claimed; message.params without a name.
        """
        if name is None:
            named = asked.method.named or "name"
            name = asked.params.get(named)
            if not isinstance(name, str):
                raise Refused(MESSAGE_PARAMS, f"`{named}` must be a string")
        item = endpoint.items[kind].get(name)
        if item is None and endpoint.withheld:
            item = self._withheld(endpoint, kind, name)
        if item is not None:
            return item
        if kind is Kind.RESOURCE and len(name) <= outbound.LONGEST:
            item = self._unlisted(endpoint, name)
        if item is None:
            raise outbound.unknown(kind)
        return item

    def offered(self, endpoint: Endpoint, kind: Kind, asked: Request, name: str) -> Item | None:
        """The item that the endpoint of one server offers under this name, by list or template."""
        templated = endpoint.items[Kind.TEMPLATE]
        if name in endpoint.items[kind] or any(templates.matches(t, name) for t in templated):
            return self.find(endpoint, kind, asked, name)
        return None

    def _withheld(self, endpoint: Endpoint, kind: Kind, name: str) -> Item | None:
        """What is there and not served: who may use it is told so, whoever may not finds nothing."""
        found = endpoint.withheld.get(kind, {}).get(name)
        if found is not None or kind is not Kind.RESOURCE or len(name) > outbound.LONGEST:
            return found
        served = any(templates.matches(each, name) for each in endpoint.items[Kind.TEMPLATE])
        several = {} if served else endpoint.withheld.get(Kind.TEMPLATE, {})
        for template, item in several.items():
            if templates.matches(template, name):
                return Item(kind, item.server, name, name, {}, withheld=item.withheld)
        return None

    def _unlisted(self, endpoint: Endpoint, uri: str) -> Item | None:
        """The owner of a resource that no list names: found by template, or the endpoint's only server."""
        if any(templates.matches(claimed, uri) for claimed in endpoint.claimed):
            raise Refused(RESOURCE_CLAIMED)
        named = endpoint.named.get(uri)
        if named is not None:
            return Item(Kind.RESOURCE, named, uri, uri, {})
        owners = {
            item.server
            for template, item in endpoint.items[Kind.TEMPLATE].items()
            if templates.matches(template, uri)
        }
        if len(owners) > 1:
            raise Refused(RESOURCE_CLAIMED)
        if not owners and endpoint.resources is not None:
            owners = {endpoint.resources}
        return Item(Kind.RESOURCE, owners.pop(), uri, uri, {}) if owners else None

    def instructions(self, endpoint: Endpoint, principal: Principal) -> str:
        """What servers tell their users, of those servers that this principal may use at all."""
        if not endpoint.instructions:
            return ""
        key = (endpoint.server, self._whose(principal))
        told = self._told.get(key)
        if told is None:
            if len(self._told) >= _PAGES:
                self._told.clear()
            told = self._told[key] = self._tell(endpoint, principal)
        return told

    def _whose(self, principal: Principal) -> str:
        """Equal for callers of one tenant who may do the same."""
        return f"{principal.tenant}|{self._policy.permission_set(principal)}"

    def _tell(self, endpoint: Endpoint, principal: Principal) -> str:
        mine = {
            item.server
            for items in endpoint.items.values()
            for item in items.values()
            if self._policy.may(principal, item)
        }
        told = {server: text for server, text in endpoint.instructions.items() if server in mine}
        if endpoint.server is not None:
            return told.get(endpoint.server, "")
        return "\n\n".join(f"# {server}\n{text}" for server, text in told.items())

    def page(self, endpoint: Endpoint, kind: Kind, asked: Request, principal: Principal) -> Reply:
        """One page of a list, of what this principal may use.

        Raises:
            Refused: cursor.invalid.
        """
        scope = f"{kind}|{endpoint.server or ''}|{self._whose(principal)}"
        after = None
        if "cursor" in asked.params:
            cursor = asked.params["cursor"]
            after = lists.cursor_position(self._sealer, cursor, scope)
        version = asked.client.version
        key = (scope, after or "", version)
        ready = self._pages.get(key)
        if ready is None:
            ready = self._made(endpoint, kind, principal, scope, after, version)
            if len(self._pages) >= _PAGES or self._held + len(ready) > _BYTES:
                self._pages.clear()
                self._held = 0
            self._pages[key] = ready
            self._held += len(ready)
        return Reply(200, envelope.written_result(asked.id, ready))

    def _made(
        self, endpoint: Endpoint, kind: Kind, principal: Principal, scope: str, after: str | None,
        version: str,
    ) -> bytes:  # fmt: skip
        entries, more = lists.page(
            endpoint,
            kind,
            lambda item: self._policy.may(principal, item),
            after=after,
            size=self._page_size,
        )
        cursor = None if more is None else self._sealer.seal("cursor", {scope: more})
        return strict.encode(lists.result(kind, entries, endpoint.ttl_ms, cursor, version))
