from __future__ import annotations

import pytest

from bawn.app.children import Children
from bawn.errors import UPSTREAM_UNREACHABLE, Refused
from bawn.ports import HttpReply, HttpRequest


class FakeClient:
    """The runner's page, or why it cannot be had."""

    def __init__(self, body: bytes | Refused) -> None:
        self.body = body

    async def send(self, request: HttpRequest) -> HttpReply:
        assert (request.method, request.url) == ("GET", "http+unix://%2Frun%2Fr.sock/servers")
        if isinstance(self.body, Refused):
            raise self.body
        return HttpReply(200, {}, self.body)

    async def aclose(self) -> None:
        """Nothing is held."""


async def test_confinement_is_told_in_words() -> None:
    page = b"""{"servers": {
        "a": {"confined": "bubblewrap", "why": "", "changed": 1},
        "b": {"confined": "no", "why": "bubblewrap is not installed"}
    }, "children": []}"""
    told = await Children(FakeClient(page), "/run/r.sock").confinement()
    assert told == {"a": "bubblewrap", "b": "no: bubblewrap is not installed"}


@pytest.mark.parametrize("body", [b"", b"[]", b'{"servers": 1}', Refused(UPSTREAM_UNREACHABLE)])
async def test_a_runner_that_does_not_tell_tells_nothing(body: bytes | Refused) -> None:
    assert await Children(FakeClient(body), "/run/r.sock").confinement() == {}
