"""A loopback server that speaks the OSV API over given records and claims."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.vulnerable import Record

Claims = Mapping[tuple[str, str], Sequence[str]]
PAGE = 1


class OsvApi:
    """Answers `querybatch`, a page of one id at a time, and `vulns`."""

    def __init__(self, records: Sequence[Record], claims: Claims) -> None:
        self._records = {each["id"]: each for each in records}
        self._claims = claims

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if (method, path) == ("POST", "/v1/querybatch"):
            return 200, {"results": [self._page(each) for each in body["queries"]]}
        found = self._records.get(path.removeprefix("/v1/vulns/"))
        return (404, {"code": 5}) if found is None else (200, found)

    def _page(self, query: Any) -> Any:
        ids = self._claims.get((query["package"]["name"], query["version"]), ())
        start = int(query.get("page_token", 0))
        page: dict[str, Any] = {}
        if ids[start : start + PAGE]:
            page["vulns"] = [{"id": each, "modified": "x"} for each in ids[start : start + PAGE]]
        if len(ids) > start + PAGE:
            page["next_page_token"] = str(start + PAGE)
        return page


@asynccontextmanager
async def serving(api: OsvApi) -> AsyncIterator[str]:
    """The URL at which it is served meanwhile."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method, path, _ = head.split(" ", 2)
                headers = dict(
                    line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line
                )
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                status, told = api.answer(method, path, json.loads(body or b"null"))
                content = json.dumps(told).encode()
                writer.write(
                    f"HTTP/1.1 {status} X\r\ncontent-length: {len(content)}\r\n\r\n".encode()
                    + content
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
