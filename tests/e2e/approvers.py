"""People who decide approvals: by the API, on the page, by a link from a webhook, by command."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2

from bawn.model import Json
from tests.e2e.gate_process import Gate

API = "/api/v1/approvals"


class Office:
    """Somebody with a token of their own, who looks at approvals by the API."""

    def __init__(self, up: Gate, token: str) -> None:
        self.up = up
        self.token = token

    def ask(self, path: str, method: str = "GET", **options: Any) -> tuple[int, Json]:
        """One request to the API; status and answer."""
        headers = {"authorization": f"Bearer {self.token}"}
        url = f"{self.up.base}{API}{path}"
        reply = httpx2.request(method, url, headers=headers, timeout=30, **options)
        told: Json = reply.json()
        return reply.status_code, told

    def listed(self, state: str = "") -> list[Json]:
        """What this person sees."""
        status, told = self.ask(f"?state={state}" if state else "")
        assert status == 200, told
        found: list[Json] = told["approvals"]
        return found

    def show(self, id_: str) -> Json:
        """One approval, which this person must be able to see."""
        status, told = self.ask(f"/{id_}")
        assert status == 200, told
        return told

    def grant(self, id_: str, note: str = "") -> str:
        """Consent; the state that it has then, or the reason why not."""
        return self._decide(id_, "grant", note)

    def deny(self, id_: str) -> str:
        """Say no; as `grant`."""
        return self._decide(id_, "deny", "")

    def _decide(self, id_: str, verdict: str, note: str) -> str:
        body = {"json": {"note": note}} if note else {}
        status, told = self.ask(f"/{id_}/{verdict}", "POST", **body)
        found: str = told["state"] if status == 200 else told["error"]
        return found


def by_page(up: Gate, url: str, token: str, verdict: str = "grant") -> str:
    """Decide as a browser does after a sign-in; the page that is shown then."""
    id_ = url.rpartition("/")[2]
    with httpx2.Client(headers={"origin": up.base}, timeout=30) as browser:
        asked = browser.get(url)
        assert 'type="password"' in asked.text, asked.text
        signed = browser.post(f"{up.base}/approvals/sign-in", data={"id": id_, "token": token})
        assert (signed.status_code, signed.headers["location"]) == (303, id_), signed.text
        shown = browser.get(url)
        sent = {"form": form_of(shown.text), "note": "seen on the page"}
        decided = browser.post(f"{url}/{verdict}", data=sent)
        assert decided.status_code == 303, decided.text
        return browser.get(url).text


def by_link(up: Gate, link: str, verdict: str = "grant") -> httpx2.Response:
    """Decide by a one-time link, without any sign-in."""
    with httpx2.Client(headers={"origin": up.base}, timeout=30) as browser:
        shown = browser.get(link)
        return browser.post(f"{link}/{verdict}", data={"form": form_of(shown.text)})


def form_of(page: str) -> str:
    """The token of a page's form; empty where it has none."""
    found = re.search(r'name="form" value="([^"]*)"', page)
    return found[1] if found else ""


class Receiver:
    """A webhook's other end on loopback: keeps every message, by its approval."""

    def __init__(self) -> None:
        self.heard: dict[str, list[tuple[dict[str, str], bytes]]] = {}
        self.refusing = 0  # how many of the next messages are answered with 503
        self._more = threading.Condition()
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"

    def hear(self, headers: dict[str, str], body: bytes) -> int:
        """Take a message; the status to answer with."""
        with self._more:
            self.heard.setdefault(json.loads(body)["id"], []).append((headers, body))
            self._more.notify_all()
            self.refusing -= (status := 503 if self.refusing else 200) == 503
            return status

    def of(self, approval: str, count: int = 1) -> list[tuple[dict[str, str], bytes]]:
        """The messages of an approval, once there are so many."""
        give_up = time.monotonic() + 20
        with self._more:
            while len(self.heard.get(approval, ())) < count:
                left = give_up - time.monotonic()
                assert left > 0, f"nobody was told of {approval}: {list(self.heard)}"
                self._more.wait(left)
            return list(self.heard[approval])

    def link(self, approval: str) -> str:
        """The one-time link that came with an approval."""
        link: str = json.loads(self.of(approval)[0][1])["link"]
        return link


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens until the end."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = receiver.hear({k.lower(): v for k, v in self.headers.items()}, body)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing of it is shown."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_address[1]
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            serving.join()
