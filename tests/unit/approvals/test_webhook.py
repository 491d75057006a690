from __future__ import annotations

import pytest

from bawn.approvals.message import Notice
from bawn.approvals.request import request_of
from bawn.approvals.webhook import UntoldError, Webhook, check
from bawn.errors import Misconfigured
from bawn.ports import HttpReply, HttpRequest
from tests.approving import NOW, TOOL, asking, call

URL = "https://hooks.example.com/services/T0/s3cr3t"
NOTICE = Notice("id", request_of(call(), TOOL, asking(), lambda rule: ""), NOW, "https://x/link")


class Site:
    """Answers with one status."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.asked: list[HttpRequest] = []
        self.released = 0

    async def send(self, request: HttpRequest) -> HttpReply:
        self.asked.append(request)
        return HttpReply(self.status, {}, b"", release=self._release)

    async def aclose(self) -> None:
        return None

    def _release(self) -> None:
        self.released += 1


async def test_one_signed_post_is_sent() -> None:
    site = Site(204)
    await Webhook(site, "Sue", URL, b"k" * 24, lambda: NOW).send(NOTICE, "msg_1")
    (asked,) = site.asked
    names = [name for name, _ in asked.headers]
    assert (asked.method, asked.url, asked.body) == ("POST", URL, NOTICE.body())
    assert names == [b"content-type", b"webhook-id", b"webhook-timestamp", b"webhook-signature"]
    assert site.released == 1


@pytest.mark.parametrize("status", [301, 307, 400, 410, 429, 500, 101])
async def test_whatever_is_no_success_is_no_success(status: int) -> None:
    site = Site(status)
    with pytest.raises(UntoldError) as caught:
        await Webhook(site, "Sue", URL, None, lambda: NOW).send(NOTICE, "msg_1")
    assert str(status) in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
    assert (len(site.asked), site.released) == (1, 1)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/x",
        "http://127.0.0.1.example.com/x",
        "https://user:s3cr3t@hooks.example.com/x",
        "http+unix://%2Frun%2Fx/",
        "ftp://localhost/s3cr3t",
        "https:///s3cr3t",
        "https://[::1/s3cr3t",
        "https://x:99999/s3cr3t",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\r\nx: s3cr3t",
        "s3cr3t",
        "",
    ],
)
def test_a_url_that_others_could_read_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        check("Sue", url)
    assert "Sue" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    "url", [URL, "http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]/x"]
)
def test_https_and_loopback_are_fine(url: str) -> None:
    check("Sue", url)
