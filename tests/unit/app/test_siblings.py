from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from bawn.app.places import Places
from bawn.app.siblings import Siblings
from bawn.errors import UPSTREAM_UNREACHABLE, Refused
from bawn.ports import HttpReply, HttpRequest
from bawn.storage import StateDirectory
from bawn.telemetry import figures
from bawn.telemetry.figures import Figures


class FakeClient:
    """Worker 1 has figures, 2 is down, 3 talks nonsense."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def send(self, request: HttpRequest) -> HttpReply:
        self.asked.append(request.url)
        if "worker-7-2" in request.url:
            raise Refused(UPSTREAM_UNREACHABLE)
        if "worker-7-3" in request.url:
            return HttpReply(200, {}, b"?")
        return HttpReply(200, {}, figures.encode(Figures(audit_records=5)))

    async def aclose(self) -> None:
        """Nothing is held."""


async def test_the_figures_of_all_who_answer_are_gathered(tmp_path: Path) -> None:
    places, client = Places(StateDirectory(tmp_path / "state")), FakeClient()
    siblings = Siblings(client, places, 7, 0, 4, lambda: Figures(audit_records=1))
    found = await siblings.figures()
    assert {slot: each.audit_records for slot, each in found.items()} == {"0": 1, "1": 5}
    own = quote(str(places.worker(7, 0)), safe="")
    assert len(client.asked) == 3
    assert not any(own in url for url in client.asked)
