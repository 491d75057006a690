"""Every way bawn says no: one tree, and one table of stable reason ids.

A refusal carries two texts. The caller gets the reason's `message` (the kind, never the cause);
the operator gets `detail` and `fix`, in the log and the audit. `docs/reasons.md` lists the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


class BawnError(Exception):
    """The root of bawn's own exceptions."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A kind of refusal: stable id, JSON-RPC code, HTTP status, what the caller reads, what to do."""

    id: str
    code: int
    status: int
    message: str
    fix: str


class Refused(BawnError):
    """A stage said no. `public` may be shown to the caller; `detail` is for the operator alone."""

    def __init__(
        self,
        reason: Reason,
        public: str = "",
        *,
        detail: str = "",
        data: dict[str, Any] | None = None,
        challenge: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{reason.id}: {detail or public or reason.message}")
        self.reason = reason
        self.public = public
        self.detail = detail
        self.data = data
        self.challenge = challenge  # the value of WWW-Authenticate, when there is one
        self.retry_after = retry_after  # seconds, when it is known

    @property
    def message(self) -> str:
        """What the caller reads."""
        return f"{self.reason.message}: {self.public}" if self.public else self.reason.message


class Misconfigured(BawnError):
    """The configuration cannot be used: every problem with its place, what was expected, what to do."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


REASONS: Final[dict[str, Reason]] = {}


def _reason(id_: str, code: int, status: int, message: str, fix: str) -> Reason:
    if id_ in REASONS:
        raise ValueError(f"reason {id_} is defined twice")
    REASONS[id_] = Reason(id_, code, status, message, fix)
    return REASONS[id_]


# JSON-RPC 2.0 section 5.1; the MCP codes are those of 2026-07-28, basic/index "Error codes".
PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
HEADER_MISMATCH = -32020
MISSING_CAPABILITY = -32021
UNSUPPORTED_VERSION = -32022
RESOURCE_NOT_FOUND_LEGACY = -32002
# Ours stand outside -32768…-32000, as the specification asks of applications.
REFUSED = 31001
BUSY = 31002
UPSTREAM = 31003

# A table: two lines for each reason.
# fmt: off
# ── transport ───────────────────────────────────────────────────────────────────────────────────
HTTP_HOST = _reason(
    "http.host", INVALID_REQUEST, 421, "This Host is not served here",
    "Add the name to `hosts` if clients legitimately reach the gate by it.")
HTTP_ORIGIN = _reason(
    "http.origin", INVALID_REQUEST, 403, "This Origin may not call the gate",
    "Add the origin to `origins` if a browser client is meant to be let in.")
HTTP_METHOD = _reason(
    "http.method", INVALID_REQUEST, 405, "This HTTP method is not served here",
    "POST carries messages. GET and DELETE are for legacy sessions, and name one.")
HTTP_ACCEPT = _reason(
    "http.accept", INVALID_REQUEST, 406, "Accept must name both application/json and text/event-stream",
    "Repair the client: the Streamable HTTP transport asks for both media types.")
HTTP_MEDIA_TYPE = _reason(
    "http.media_type", INVALID_REQUEST, 415, "Content-Type must be application/json",
    "Repair the client: messages are JSON, in UTF-8.")
HTTP_BODY = _reason(
    "http.body", INVALID_REQUEST, 413, "The message is larger than the gate accepts",
    "Raise `limits.body` if messages of this size are expected.")
HTTP_HEADER = _reason(
    "http.header", INVALID_REQUEST, 431, "The header section is larger than the gate accepts",
    "Raise `limits.header` or `limits.header_count` if such headers are expected.")
HTTP_NOT_FOUND = _reason(
    "http.not_found", INVALID_REQUEST, 404, "Nothing is served at this path",
    "Use /mcp for all servers or /mcp/{server} for one; `bawn status` lists them.")
HTTP_UPGRADE = _reason(
    "http.upgrade", INVALID_REQUEST, 400, "Connections are not upgraded here",
    "Repair the client: it asks for another protocol (WebSocket, h2c), and HTTP/1.1 is served.")
HTTP_SYNTAX = _reason(
    "http.syntax", INVALID_REQUEST, 400, "The request is not well-formed HTTP",
    "Repair the client or the proxy before the gate; the log says what was wrong.")
HTTP_FRAMING = _reason(
    "http.framing", INVALID_REQUEST, 400, "The length of the request can be read in more than one way",
    "Send one Content-Length, or `Transfer-Encoding: chunked` without extensions and trailers.")
HTTP_TARGET = _reason(
    "http.target", INVALID_REQUEST, 400, "The request target must be a path",
    "Repair the client: the gate is no forward proxy, and is addressed by path and Host.")
HTTP_ONE_HOST = _reason(
    "http.one_host", INVALID_REQUEST, 400, "Exactly one Host must be named",
    "Repair the client or the proxy before the gate: RFC 9112, section 3.2.")
HTTP_VERSION = _reason(
    "http.version", INVALID_REQUEST, 505, "This version of HTTP is not served",
    "Speak HTTP/1.1; for HTTP/2 or TLS put a reverse proxy before the gate.")
HTTP_EXPECT = _reason(
    "http.expect", INVALID_REQUEST, 417, "This expectation cannot be met",
    "Repair the client: only `Expect: 100-continue` is understood.")
HTTP_ENCODING = _reason(
    "http.encoding", INVALID_REQUEST, 415, "Compressed bodies are not accepted",
    "Send messages without Content-Encoding.")
HTTP_SLOW = _reason(
    "http.slow", INVALID_REQUEST, 408, "The request did not arrive in time",
    "Raise `limits.header_time` or `limits.body_time` if callers are that slow.")
HTTP_CROWDED = _reason(
    "http.crowded", BUSY, 503, "There are too many connections",
    "Raise `limits.clients` or `limits.clients_per_address`, or name the proxy in `trusted_proxies`.")

# ── protocol ────────────────────────────────────────────────────────────────────────────────────
MESSAGE_JSON = _reason(
    "message.json", PARSE_ERROR, 400, "The body is not acceptable JSON",
    "Send one UTF-8 JSON object without duplicate keys or numbers that lose value.")
MESSAGE_LIMITS = _reason(
    "message.limits", PARSE_ERROR, 400, "The message is nested too deeply or holds too many values",
    "Raise `limits.json_depth` or `limits.json_nodes` if such messages are expected.")
MESSAGE_SHAPE = _reason(
    "message.shape", INVALID_REQUEST, 400, "The body is not one JSON-RPC request or notification",
    "Send one JSON-RPC 2.0 request or notification; batches are for clients of 2025-03-26 alone.")
MESSAGE_PARAMS = _reason(
    "message.params", INVALID_PARAMS, 400, "The parameters are missing or of the wrong type",
    "Repair the client; the message names the parameter.")
HEADER_BODY = _reason(
    "header.mismatch", HEADER_MISMATCH, 400, "A header and the body disagree",
    "MCP-Protocol-Version, Mcp-Method and Mcp-Name must repeat what the body says, once each.")
VERSION_UNSUPPORTED = _reason(
    "version.unsupported", UNSUPPORTED_VERSION, 400, "This protocol version is not served",
    "The error's data lists the versions that are.")
METHOD_UNKNOWN = _reason(
    "method.unknown", METHOD_NOT_FOUND, 404, "This method is not served",
    "docs/protocol.md lists the methods that this release carries.")
SESSION_UNKNOWN = _reason(
    "session.unknown", INVALID_REQUEST, 404, "This session is not known, or not yours",
    "Initialize again; sessions end with their time and belong to one principal.")
STREAM_UNKNOWN = _reason(
    "stream.unknown", INVALID_REQUEST, 400, "This stream cannot be resumed",
    "It ended, is another session's, or was resumed too late: see `limits.resume` and `limits.replay`.")
CURSOR_INVALID = _reason(
    "cursor.invalid", INVALID_PARAMS, 400, "The cursor is not one that this list gave out",
    "List again from the start.")

# ── identity ────────────────────────────────────────────────────────────────────────────────────
AUTH_MISSING = _reason(
    "auth.missing", REFUSED, 401, "Credentials are required",
    "Present a bearer token: `bawn token` mints one where identity.mode is embedded.")
AUTH_INVALID = _reason(
    "auth.invalid", REFUSED, 401, "The credentials were not accepted",
    "The log names the check that failed: signature, issuer, audience, time or algorithm.")
AUTH_EXPIRED = _reason(
    "auth.expired", REFUSED, 401, "The credentials have expired", "Obtain a new token."
)
AUTH_AUDIENCE = _reason(
    "auth.audience", REFUSED, 401, "The token was issued for another resource",
    "Ask the authorization server for a token whose resource is this endpoint (RFC 8707).")
AUTH_UNAVAILABLE = _reason(
    "auth.unavailable", REFUSED, 503, "Credentials cannot be checked now",
    "The issuer's keys cannot be fetched; the log says why. Nothing is let in meanwhile.")
AUTH_SCOPE = _reason(
    "auth.scope", REFUSED, 403, "The token's scopes do not suffice",
    "Ask the authorization server for the scope that the challenge names; `scopes` maps scopes to items.")

# From here on a refusal is a JSON-RPC error on HTTP 200: the SDKs of both eras then show it as the
# error of that call, where a status of its own would read as a broken transport.

# ── policy ──────────────────────────────────────────────────────────────────────────────────────
TARGET_UNKNOWN = _reason(
    "target.unknown", INVALID_PARAMS, 400, "Not known here",
    "The name is not offered, or not to this caller. `bawn status` lists servers; names are case-sensitive.")
POLICY_DENIED = _reason(
    "policy.denied", INVALID_PARAMS, 400, "Not known here",
    "No role of the caller allows it; the audit names the roles. Extend `roles` if it should be.")
POLICY_ERROR = _reason(
    "policy.error", INVALID_PARAMS, 400, "Not known here",
    "A rule could not be evaluated for this call, so it was refused: `bawn why` names rule and error.")
INTEGRITY_DRIFT = _reason(
    "integrity.drift", REFUSED, 200, "This has changed since it was approved, and waits for review",
    "`bawn server diff NAME` shows the change by field; `bawn server approve` makes it the approved one.")
INTEGRITY_UNAPPROVED = _reason(
    "integrity.unapproved", REFUSED, 200, "This is new and waits for approval",
    "`bawn server diff NAME` shows it; `bawn server approve NAME --tool T` lets it serve.")
INTEGRITY_QUARANTINED = _reason(
    "integrity.quarantined", REFUSED, 200, "This is in quarantine",
    "`bawn server show NAME` tells by whom and why; `bawn server release` lifts it.")
INTEGRITY_CHECKING = _reason(
    "integrity.checking", BUSY, 200, "The server says that it has changed, and is being looked at",
    "Retry shortly. If it stays so, the server cannot be listed: `bawn status` shows why.")
INTEGRITY_STORE = _reason(
    "integrity.store", REFUSED, 200, "What was approved of this server cannot be read",
    "`bawn server show NAME` names the file and what is wrong with it; nothing of the server serves meanwhile.")
INTEGRITY_LAUNCH = _reason(
    "integrity.launch", REFUSED, 200, "The server would not be started as it was approved",
    "Its command breaks the launch grammar, or its package has changed on the disk: `bawn scan` and `bawn server show NAME` tell.")
INTEGRITY_LOCK = _reason(
    "integrity.lock", REFUSED, 200, "This is not what the lockfile says",
    "`bawn lock --check` shows the difference; the gate was started with --locked.")
INTEGRITY_SIGNATURE = _reason(
    "integrity.signature", REFUSED, 200, "What was approved is not signed as it has to be",
    "`bawn sign verify` names the signature that is missing, expired or of an unknown key.")
INTEGRITY_DECIDER = _reason(
    "integrity.decider", REFUSED, 403, "You may not decide what servers serve",
    "`drift.roles` names the roles that may; those with management rights may look.")
INTEGRITY_SEEN = _reason(
    "integrity.seen", REFUSED, 400, "What you were shown is not what waits any more",
    "`bawn server diff NAME` shows what waits now; decide on that.")
# ── inspection ─────────────────────────────────────────────────────────────────────────────────────
INSPECTION_SCHEMA = _reason(
    "inspection.schema", INVALID_PARAMS, 400, "The arguments are not as the tool's schema wants them",
    "Repair the arguments by the message; the approved schema decides. `inspection.schemas: pass` records alone.")
INSPECTION_ARGUMENT = _reason(
    "inspection.argument", REFUSED, 200, "An argument was refused",
    "`bawn why` names rule and argument. Set its kind under `servers.NAME.arguments`, `roots` or `hosts`, or suppress the rule with a reason.")
INSPECTION_AGENT = _reason(
    "inspection.agent_config", REFUSED, 200, "Agents' configuration may not be written by this call",
    "Only tools named in `servers.NAME.configures` may, for callers with a role of `inspection.keepers`.")
INSPECTION_SECRET = _reason(
    "inspection.secret", REFUSED, 200, "A secret would have left",
    "`bawn why` names the rule. Send a reference in its place, or set what is done about secrets under `inspection`.")
INSPECTION_CANARY = _reason(
    "inspection.canary", REFUSED, 200, "This call was refused",
    "A planted value was about to leave: somebody or something sends what it should not know. The audit names caller and tool.")
INSPECTION_OUTPUT = _reason(
    "inspection.output", REFUSED, 200, "The server's answer was refused",
    "`bawn why` names the rule and the place. `inspection.outputs` and `inspection.rules` set what is done.")
INSPECTION_QUESTION = _reason(
    "inspection.question", REFUSED, 200, "The server asked for what it may not ask for",
    "A form must not ask for credentials (client/elicitation, 2026-07-28): the server has to use URL mode.")
INSPECTION_JUDGE = _reason(
    "inspection.judge", REFUSED, 200, "A judge that has to decide this cannot be asked now",
    "The log says why. `inspection.judges.NAME.on_failure: pass` lets calls pass meanwhile.")
INSPECTION_FAILED = _reason(
    "inspection.failed", REFUSED, 200, "This could not be inspected, so it was refused",
    "This is a defect in bawn or in a plugin: the log names the detector. Nothing passed.")
INSPECTION_HELD = _reason(
    "inspection.held", REFUSED, 404, "Nothing is held under this handle, or not for you",
    "It was discarded, has expired, or waits for somebody's release: `bawn quarantine list`.")

RESOURCE_CLAIMED = _reason(
    "resource.claimed", INVALID_PARAMS, 400, "Several servers offer this resource",
    "Read it at /mcp/{server}, where its owner is clear.")
APPROVAL_PENDING = _reason(
    "approval.pending", REFUSED, 200, "This call needs an approval first",
    "`bawn approvals list` shows it; the same call passes once after it was granted.")
APPROVAL_DENIED = _reason(
    "approval.denied", REFUSED, 200, "This call was not approved",
    "Somebody who may approve it said no; `bawn approvals show` tells who and when.")
APPROVAL_UNKNOWN = _reason(
    "approval.unknown", REFUSED, 404, "No such approval, or not yours to decide",
    "It expired, was used, is another tenant's, or your roles are not among those that may decide it.")
LIMIT_PRINCIPAL = _reason(
    "limit.principal", BUSY, 200, "This caller has too many calls in flight",
    "Retry later, or raise `limits.calls_per_principal`.")
LIMIT_SERVER = _reason(
    "limit.server", BUSY, 200, "This server has too many calls in flight",
    "Retry later, or raise `limits.calls_per_server`.")

LIMIT_HELD = _reason(
    "limit.held", BUSY, 503, "The gate holds as many large messages as it may",
    "Retry later, or raise `limits.held`; one caller may hold a quarter of it.")
LIMIT_PARKED = _reason(
    "limit.parked", BUSY, 200, "Too many calls wait for answers of their callers",
    "Answer or cancel those that wait, or raise `limits.parked`.")
LIMIT_LISTENS = _reason(
    "limit.listens", BUSY, 200, "There are too many streams of notifications",
    "Close those that are not needed, or raise `limits.listens`.")
LIMIT_MESSAGES = _reason(
    "limit.messages", BUSY, 503, "Too many messages of this stream are being answered",
    "Wait for answers on the stream before sending more.")
LIMIT_CHILDREN = _reason(
    "limit.children", BUSY, 200, "This server has too many processes",
    "Retry later, raise its `max_children` or `limits.children_per_principal`, or lower its `idle_stop`.")
LIMIT_CONCURRENCY = _reason(
    "limit.concurrency", BUSY, 200, "Too many calls are in flight",
    "Retry when one has ended, or raise `concurrency` of the quota that the log names.")
LIMIT_APPROVALS = _reason(
    "limit.approvals", BUSY, 200, "Too many calls of this caller wait for approval",
    "Have those that wait decided, or raise `approvals.pending`.")
LIMIT_RATE = _reason(
    "limit.rate", BUSY, 200, "Too many calls",
    "Retry after the time that `retryAfter` tells, or raise the quota that the log names.")
LIMIT_BUDGET = _reason(
    "limit.budget", BUSY, 200, "The budget is used up",
    "Wait for the time that `retryAfter` tells, or raise the quota that the log names.")

# ── audit, gate ─────────────────────────────────────────────────────────────────────────────────
SERVER_UNAVAILABLE = _reason(
    "server.unavailable", BUSY, 200, "This server is not available now",
    "It could not be listed since the gate started; `bawn status` shows why.")
AUDIT_UNAVAILABLE = _reason(
    "audit.unavailable", REFUSED, 200, "The call cannot be recorded, so it was not made",
    "Look at the disk that holds `state`: full, read-only or gone.")
STORE_UNAVAILABLE = _reason(
    "store.unavailable", REFUSED, 200, "The gate cannot look up what it has to know",
    "Look at the disk that holds `state`: full, read-only or gone.")
GATE_WORKER_LOST = _reason(
    "gate.worker_lost", REFUSED, 200, "The process that had this call ended; its outcome is unknown",
    "The audit has its intent if it left. Repeat it only if it may be done twice.")
GATE_CUT = _reason(
    "gate.cut", REFUSED, 200, "This has been switched off by the gate's operator",
    "`bawn incident list` shows what is cut and since when; `bawn incident restore` lifts it.")
GATE_NOT_READY = _reason(
    "gate.not_ready", BUSY, 503, "The gate is starting, or changing over to what is new",
    "Retry shortly; /readyz tells when calls are served.")
INTERNAL = _reason(
    "internal.error", INTERNAL_ERROR, 200, "The gate failed, and refused the call",
    "This is a defect in bawn: please report it with the log lines of this trace id.")

CALL_CANCELLED = _reason(
    "call.cancelled", REFUSED, 200, "The call was cancelled",
    "The caller asked for it, or went away; the server was told.")

# ── upstream ────────────────────────────────────────────────────────────────────────────────────
UPSTREAM_UNREACHABLE = _reason(
    "upstream.unreachable", UPSTREAM, 200, "The server cannot be reached",
    "The call was not sent. `bawn status` shows the server's state and its last error.")
UPSTREAM_NOT_STARTED = _reason(
    "upstream.not_started", UPSTREAM, 200, "The server did not start",
    "Run its command by hand; its standard error is in the log under its name.")
UPSTREAM_DIED = _reason(
    "upstream.died", UPSTREAM, 200, "The server ended during the call; its outcome is unknown",
    "Its standard error is in the log under its name. Nothing was retried.")
UPSTREAM_OUTCOME = _reason(
    "upstream.outcome_unknown", UPSTREAM, 200, "The connection broke during the call; its outcome is unknown",
    "The server may have acted. Nothing was retried; check before calling again.")
UPSTREAM_FIRST_BYTE = _reason(
    "upstream.first_byte", UPSTREAM, 200, "The server did not answer in time; the call's outcome is unknown",
    "Raise `limits.first_byte` if such calls may take longer.")
UPSTREAM_TOTAL = _reason(
    "upstream.total", UPSTREAM, 200, "The call took too long and was given up; its outcome is unknown",
    "Raise `limits.total` if such calls may take longer.")
UPSTREAM_INVALID = _reason(
    "upstream.invalid", UPSTREAM, 200, "The server's answer is not valid",
    "The log says what was wrong: HTTP framing, JSON, JSON-RPC or the protocol's own shape.")
UPSTREAM_TOO_LARGE = _reason(
    "upstream.too_large", UPSTREAM, 200, "The server's answer is larger than the gate releases",
    "Raise `limits.result` if answers of this size are expected.")
UPSTREAM_STATUS = _reason(
    "upstream.status", UPSTREAM, 200, "The server refused at the HTTP level",
    "The log has the status it answered with.")
UPSTREAM_SIGN_IN = _reason(
    "upstream.sign_in", UPSTREAM, 200, "The server wants credentials that the gate does not have",
    "Set `auth` for this server; `bawn status` shows what it asks for.")

# ── what servers ask back ───────────────────────────────────────────────────────────────────────
INPUT_UNDECLARED = _reason(
    "input.undeclared", MISSING_CAPABILITY, 400, "This needs a capability that the client did not declare",
    "Use a client that can answer what the server asks; the error's data names the capability.")
INPUT_FAILED = _reason(
    "input.failed", UPSTREAM, 200, "What the server asked was not answered",
    "The client refused, did not answer in time, or has no stream on which it could be asked.")
INPUT_ROUNDS = _reason(
    "input.rounds", UPSTREAM, 200, "The server asks again and again",
    "Raise `limits.rounds` if a call may take so many rounds.")
STATE_INVALID = _reason(
    "state.invalid", INVALID_PARAMS, 400, "This requestState is not one that was given for this request",
    "Echo `requestState` unchanged, once, with the same request, as the same caller, before it expires.")
STATE_USED = _reason(
    "state.used", INVALID_PARAMS, 400, "This requestState was used before",
    "A retry that was lost cannot be repeated, as the server may have acted: begin the call anew.")
STATE_LOST = _reason(
    "state.lost", UPSTREAM, 200, "The call that waited for this answer is gone; its outcome is unknown",
    "The worker or the server ended, or the answer came too late. Nothing was sent a second time.")
TASK_UNKNOWN = _reason(
    "task.unknown", INVALID_PARAMS, 400, "No such task",
    "Task ids belong to one caller and end with their time.")
# fmt: on
