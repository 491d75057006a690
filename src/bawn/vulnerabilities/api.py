"""The OSV API, or a mirror of it: asked in batches, within bounds, over verified TLS.

Source: https://google.github.io/osv.dev/post-v1-querybatch/ and …/get-v1-vulns/.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

import httpx2
import msgspec

from bawn.model import Json
from bawn.vulnerabilities import osv
from bawn.vulnerabilities.component import OSV_ECOSYSTEMS, Component
from bawn.vulnerabilities.database import Answer

BATCH: Final = 1000
"""Queries of one request; the API's own bound."""

PAGES: Final = 20
"""Pages that are read of one component's ids."""

MOST_IDS: Final = 5000
"""Records that are fetched in one look."""

LARGEST: Final = 16 << 20
"""Bytes of one answer."""

TOTAL: Final = 300.0
"""Seconds for one look, whatever it needs."""

_REQUEST: Final = 30.0  # seconds for one request, however slowly it drips
_TOGETHER: Final = 8


class _UnansweredError(Exception):
    """The API gave no answer that can be relied on."""


class _Asked:
    """What has been had on one component so far."""

    def __init__(self, component: Component) -> None:
        self.component = component
        self.ids: list[str] = []
        self.tokens: set[str] = set()
        self.token = ""
        self.problem = ""

    def query(self) -> Json:
        """The next question about it."""
        package = {
            "name": self.component.name,
            "ecosystem": OSV_ECOSYSTEMS[self.component.ecosystem],
        }
        query: Json = {"package": package, "version": self.component.version}
        return {**query, "page_token": self.token} if self.token else query

    def take(self, result: Any) -> None:
        """Note one result of a batch.

        Raises:
            _UnansweredError: it is not of the API's form.
        """
        if not isinstance(result, dict) or not result.keys() <= {"vulns", "next_page_token"}:
            raise _UnansweredError("a result is not of the API's form")
        vulns = result.get("vulns")
        token = result.get("next_page_token")
        if not isinstance(vulns, list | None) or not isinstance(token, str | None):
            raise _UnansweredError("a result is not of the API's form")
        for each in vulns or ():
            known = osv.well_named(each.get("id")) if isinstance(each, dict) else None
            if known is None:
                raise _UnansweredError("a result names a vulnerability by no usual id")
            self.ids.append(known)
        if token and (token in self.tokens or len(self.tokens) >= PAGES):
            raise _UnansweredError("its pages do not end")
        self.token = token or ""
        self.tokens.add(self.token)


class Api:
    """Asks an API for ids, then for the record of each."""

    def __init__(self, url: str, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self.title = url.rstrip("/")
        self._client = httpx2.AsyncClient(
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            timeout=httpx2.Timeout(10.0),
            limits=httpx2.Limits(max_connections=_TOGETHER),
            # identity, so that a small answer cannot unfold into a large one
            headers={"accept": "application/json", "accept-encoding": "identity"},
        )
        self._records: dict[str, Json | str] = {}

    async def answers(self, components: Sequence[Component]) -> list[Answer]:
        """One answer for each component; those of ecosystems that OSV has not are problems."""
        asked = [_Asked(each) for each in components]
        known = [each for each in asked if osv.key_of(each.component) is not None]
        try:
            async with asyncio.timeout(TOTAL):
                for start in range(0, len(known), BATCH):
                    await self._batch(known[start : start + BATCH])
                await self._fetch(known)
        except TimeoutError:
            for each in known:
                each.problem = each.problem or f"{self.title} did not answer within {TOTAL:.0f} s"
        return [self._answer(each) for each in asked]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _batch(self, waiting: list[_Asked]) -> None:
        while waiting:
            try:
                body = {"queries": [each.query() for each in waiting]}
                results = _results(await self._ask("/v1/querybatch", body), len(waiting))
            except _UnansweredError as error:
                for each in waiting:
                    each.problem = str(error)
                return
            for each, result in zip(waiting, results, strict=True):
                try:
                    each.take(result)
                except _UnansweredError as error:
                    each.problem, each.token = f"{self.title}: {error}", ""
            waiting = [each for each in waiting if each.token]

    async def _fetch(self, asked: list[_Asked]) -> None:
        wanted = dict.fromkeys(id_ for each in asked for id_ in each.ids)
        missing = [id_ for id_ in wanted if id_ not in self._records]
        gate = asyncio.Semaphore(_TOGETHER)

        async def one(id_: str) -> None:
            async with gate:
                self._records[id_] = await self._record(id_)

        for id_ in missing[MOST_IDS:]:
            self._records[id_] = f"more than {MOST_IDS} records would have to be fetched"
        async with asyncio.TaskGroup() as group:
            for id_ in missing[:MOST_IDS]:
                group.create_task(one(id_))

    async def _record(self, id_: str) -> Json | str:
        """The record, or why it cannot be had."""
        try:
            found = await self._ask(f"/v1/vulns/{quote(id_, safe='')}")
        except _UnansweredError as error:
            return str(error)
        if not isinstance(found, dict) or found.get("id") != id_:
            return f"{self.title} answered with another record than {id_}"
        return found

    def _answer(self, asked: _Asked) -> Answer:
        if osv.key_of(asked.component) is None:
            return Answer(problem=f"no database has packages of {asked.component.ecosystem}")
        records, problem = [], asked.problem
        for id_ in asked.ids:
            found = self._records.get(id_, f"{id_} was not fetched")
            if isinstance(found, str):
                problem = problem or found
            else:
                records.append(found)
        return Answer(tuple(records), tuple(dict.fromkeys(asked.ids)), problem)

    async def _ask(self, path: str, body: Json | None = None) -> Any:
        """The JSON of a 200.

        Raises:
            _UnansweredError: there is none in time.
        """
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if body is None else {"content-type": "application/json"}
        method = "GET" if body is None else "POST"
        url = self.title + path
        try:
            async with (
                asyncio.timeout(_REQUEST),
                self._client.stream(method, url, content=content, headers=headers) as response,
            ):
                if response.status_code != 200:
                    raise _UnansweredError(f"{url} answered {response.status_code}")
                return msgspec.json.decode(await _body(response, url))
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            why = str(error) or type(error).__name__
            raise _UnansweredError(f"{url} cannot be asked: {why}") from error
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise _UnansweredError(f"{url} answered with something else than JSON") from error


def _results(answer: Any, expected: int) -> list[Any]:
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(results, list) or len(results) != expected:
        raise _UnansweredError(f"expected {expected} results in the answer of the API")
    return results


async def _body(response: httpx2.Response, url: str) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise _UnansweredError(f"{url} answered compressed, which was not asked for")
    held = bytearray()
    async for chunk in response.aiter_raw():
        held += chunk
        if len(held) > LARGEST:
            raise _UnansweredError(f"{url} answered with more than {LARGEST} bytes")
    return bytes(held)
