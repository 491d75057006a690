"""The interfaces by which rooms meet; `app/` fills each with an implementation."""

from bawn.ports.callers import Arrival, Elsewhere, Emit, Gate, Reply
from bawn.ports.deciding import Approvals, Flows, Identity, PolicyEngine, Quotas
from bawn.ports.inspecting import Detector, Found, Inspected, Inspector, Judges, Placed
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
    "Detector",
    "Elsewhere",
    "Emit",
    "Flows",
    "Found",
    "Gate",
    "Graves",
    "HttpClient",
    "HttpReply",
    "HttpRequest",
    "Identity",
    "Inspected",
    "Inspector",
    "Judges",
    "Meter",
    "Placed",
    "PolicyEngine",
    "Quotas",
    "Reply",
    "SessionNotes",
    "Upstream",
    "UpstreamSession",
    "UpstreamSessions",
]
