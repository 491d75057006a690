"""The interfaces by which rooms meet; `app/` fills each with an implementation."""

from bawn.ports.callers import Arrival, Elsewhere, Emit, Gate, Reply
from bawn.ports.deciding import Approvals, Flows, Identity, PolicyEngine, Quotas
from bawn.ports.records import Audit, Meter
from bawn.ports.servers import (
    HttpClient,
    HttpReply,
    HttpRequest,
    Upstream,
    UpstreamSession,
    UpstreamSessions,
)
from bawn.ports.shared import Barrier, Graves, SessionNotes

__all__ = [
    "Approvals",
    "Arrival",
    "Audit",
    "Barrier",
    "Elsewhere",
    "Emit",
    "Flows",
    "Gate",
    "Graves",
    "HttpClient",
    "HttpReply",
    "HttpRequest",
    "Identity",
    "Meter",
    "PolicyEngine",
    "Quotas",
    "Reply",
    "SessionNotes",
    "Upstream",
    "UpstreamSession",
    "UpstreamSessions",
]
