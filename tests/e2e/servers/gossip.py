"""An MCP server that repeats what it is told, in every way the protocol has: the core, and stdio.

`gossip.py SCHEME` speaks 2025-11-25 on standard input and output; gossip_http.py is the same over HTTP,
of either era. Its tools take {mark, asks, touch}: `mark` is {who, data, nonce, seat}, and everything
that is said for the sake of a call carries it. Notes are resources, SCHEME://WHO, of whoever is named.
Nothing here keeps callers apart: ids are small numbers, the same in every session, and a modern task
is anybody's who names it. Starts fast: a fleet of these runs at once.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Send = Callable[[Json], None]

MODERN = "2026-07-28"
HANDSHAKE = "2025-11-25"
META = "io.modelcontextprotocol/"
TASKS = META + "tasks"
TOOLS = [{"name": name, "inputSchema": {"type": "object"}} for name in ("talk", "work")]
FRESH = {"ttlMs": 1000, "cacheScope": "private"}
ASKS = {"elicit": "elicitation/create", "sample": "sampling/createMessage", "roots": "roots/list"}
UPDATED = "notifications/resources/updated"


def request_of(ask: str, mark: Json) -> Json:
    """What is asked, with the mark in it wherever there is room."""
    told = json.dumps(mark)
    params: Json = {"_meta": {"mark": mark}}
    if ask == "elicit":
        schema = {"type": "object", "properties": {"said": {"type": "string", "title": told}}}
        params = {"message": told, "requestedSchema": schema}
    elif ask == "sample":
        message = {"role": "user", "content": {"type": "text", "text": told}}
        params = {"messages": [message], "maxTokens": 9, "systemPrompt": told}
    return {"method": ASKS[ask], "params": params}


class Session:
    """What one process, or one session over HTTP, knows; a modern server has none."""

    def __init__(self, aside: Send | None = None) -> None:
        self.known: dict[str, set[str]] = {"names": set(), "seats": set()}
        self.open: dict[int, tuple[Call, str]] = {}  # what was asked, and for which call
        self.asked = 0
        self.uris: set[str] = set()
        self.aside = aside

    def remember(self, mark: Json) -> Json:
        self.known["names"].add(mark["who"])
        self.known["seats"].add(mark["seat"])
        return {name: sorted(values) for name, values in self.known.items()}


class Call:
    """A call on its way; `send` takes what is said for its sake, its answer the last of it."""

    def __init__(self, id_: Any, params: Json, send: Send) -> None:
        arguments = params["arguments"]
        self.id = id_
        self.mark: Json = arguments["mark"]
        self.asks: list[str] = arguments.get("asks", [])
        self.touches: str | None = arguments.get("touch")
        self.meta: Json = params.get("_meta") or {}
        self.params = params
        self.answers: Json = {}
        self.send = send

    def begin(self) -> None:
        """Report progress, and log."""
        token, told = self.meta.get("progressToken"), json.dumps(self.mark)
        for step in (1, 2) if token is not None else ():
            params = {"progressToken": token, "progress": step, "message": told}
            self.send({"method": "notifications/progress", "params": params})
        params = {"level": "info", "logger": "gossip", "data": {"mark": self.mark}}
        self.send({"method": "notifications/message", "params": params})

    def end(self, **more: Any) -> None:
        """Answer with everything that was heard."""
        told = {"mark": self.mark, "answers": self.answers, **more}
        result = {"content": [{"type": "text", "text": json.dumps(told)}]}
        self.result({"resultType": "complete", **result})

    def result(self, result: Json) -> None:
        self.send({"id": self.id, "result": result})


class Gossip:
    """One server, of one era, whatever it is reached by."""

    def __init__(self, scheme: str, *, modern: bool) -> None:
        self.scheme = scheme
        self.modern = modern
        self.sessions: dict[str, Session] = {}
        self.listens: dict[int, tuple[Any, Json, Send]] = {}
        self.tasks: dict[str, Json] = {}
        self._listened = 0

    def hear(self, session: Session, message: Json, send: Send) -> None:
        """Take one message; whatever it brings about goes to `send`."""
        if "method" not in message:
            self._answered(session, message)
            return
        method, params = message["method"], message.get("params") or {}
        id_ = message.get("id")
        if id_ is None:
            return
        if method == "tools/call":
            self._call(session, Call(id_, params, send))
        elif method == "subscriptions/listen":
            self._listen(id_, params["notifications"], send)
        elif method.startswith("tasks/"):
            self._task(id_, method, params, send)
        elif (result := self._plain(session, method, params)) is not None:
            send({"id": id_, "result": {"resultType": "complete", **result}})
        else:
            send({"id": id_, "error": {"code": -32601, "message": "Method not found"}})

    def _plain(self, session: Session, method: str, params: Json) -> Json | None:
        """The result of what is answered at once."""
        capabilities: Json = {"tools": {}, "logging": {}, "resources": {"subscribe": True}}
        if method == "server/discover" and self.modern:
            capabilities["extensions"] = {TASKS: {}}
            return {"supportedVersions": [MODERN], "capabilities": capabilities, **FRESH}
        if method == "initialize" and not self.modern:
            info = {"name": "gossip", "version": "1"}
            return {"protocolVersion": HANDSHAKE, "capabilities": capabilities, "serverInfo": info}
        if method == "resources/templates/list":
            note = {"uriTemplate": f"{self.scheme}://{{who}}", "name": "note"}
            return {"resourceTemplates": [note], **FRESH}
        if method == "resources/read":
            return {"contents": [{"uri": params["uri"], "text": params["uri"]}], **FRESH}
        if method in ("resources/subscribe", "resources/unsubscribe"):
            change = session.uris.add if method.endswith("/subscribe") else session.uris.discard
            change(params["uri"])
        answers: Json = {
            "tools/list": {"tools": TOOLS, **FRESH}, "resources/list": {"resources": [], **FRESH},
            "ping": {}, "logging/setLevel": {}, "resources/subscribe": {},
            "resources/unsubscribe": {},
        }  # fmt: skip
        return answers.get(method)

    # ── calls, and what is asked in their midst ──

    def _call(self, session: Session, call: Call) -> None:
        known = {} if self.modern else session.remember(call.mark)
        call.begin()
        if call.touches:
            self.touch(call.touches, call.mark)
        if call.params["name"] == "work" and self.modern:
            self._work(call)
        elif self.modern:
            self._round(call)
        elif call.asks:
            for ask in call.asks:
                session.asked += 1
                session.open[session.asked] = call, ask
                call.send({"id": session.asked, **request_of(ask, call.mark)})
        else:
            call.end(**known)

    def _answered(self, session: Session, message: Json) -> None:
        call, ask = session.open.pop(message["id"], (None, ""))
        if call is not None:
            call.answers[ask] = message.get("result", message.get("error"))
            if len(call.answers) == len(call.asks):
                call.end(**session.remember(call.mark))

    def _round(self, call: Call) -> None:
        """One question a round; the state says whose it is, and what was answered before."""
        state = json.loads(call.params.get("requestState", "{}"))
        call.answers = {**state.get("answers", {}), **call.params.get("inputResponses", {})}
        if state.get("mark", call.mark) != call.mark:
            call.end(stray=state)
            return
        for ask in call.asks:
            if ask not in call.answers:
                kept = json.dumps({"mark": call.mark, "answers": call.answers})
                asked = {"inputRequests": {ask: request_of(ask, call.mark)}, "requestState": kept}
                call.result({"resultType": "input_required", **asked})
                return
        call.end()

    # ── what changes ──

    def touch(self, uri: str, mark: Json) -> None:
        """Tell everybody who subscribed to a note, and each of its sessions, that it has changed."""
        params = {"uri": uri, "_meta": {"mark": mark}}
        for session in self.sessions.values():
            if uri in session.uris and session.aside is not None:
                session.aside({"method": UPDATED, "params": params})
        self._tell(UPDATED, params, "resourceSubscriptions", uri)

    def _listen(self, id_: Any, wanted: Json, send: Send) -> None:
        self._listened += 1
        self.listens[self._listened] = id_, wanted, send
        method = "notifications/subscriptions/acknowledged"
        send({"method": method, "params": {"notifications": wanted, "_meta": _tag(id_)}})

    def _tell(self, method: str, params: Json, kind: str, thing: str) -> None:
        for id_, wanted, send in tuple(self.listens.values()):
            if thing in wanted.get(kind, ()):
                tagged = {**(params.get("_meta") or {}), **_tag(id_)}
                send({"method": method, "params": {**params, "_meta": tagged}})

    def _work(self, call: Call) -> None:
        """Go on as a task, which asks before it is done."""
        id_ = f"task-{len(self.tasks) + 1}"
        now = "2026-01-01T00:00:00.000Z"
        self.tasks[id_] = task = {
            "taskId": id_, "status": "working", "createdAt": now, "lastUpdatedAt": now,
            "ttlMs": 600_000, "pollIntervalMs": 10, "statusMessage": json.dumps(call.mark),
        }  # fmt: skip
        call.result({"resultType": "task", **task})
        asked = {"said": request_of("elicit", call.mark)}
        self.tasks[id_] = {**task, "status": "input_required", "inputRequests": asked}

    def _task(self, id_: Any, method: str, params: Json, send: Send) -> None:
        task = self.tasks.get(params["taskId"])
        if task is None:
            send({"id": id_, "error": {"code": -32602, "message": "Unknown task"}})
            return
        kept = {name: value for name, value in task.items() if name != "inputRequests"}
        if method == "tasks/update":
            told = json.dumps({"mark": json.loads(task["statusMessage"]), **params})
            result = {"content": [{"type": "text", "text": told}]}
            self._turn({**kept, "status": "completed", "result": result})
        elif method == "tasks/cancel":
            self._turn({**kept, "status": "cancelled"})
        shown = task if method == "tasks/get" else {}
        send({"id": id_, "result": {"resultType": "complete", **shown}})

    def _turn(self, task: Json) -> None:
        self.tasks[task["taskId"]] = task
        self._tell("notifications/tasks", task, "taskIds", task["taskId"])


def _tag(id_: Any) -> Json:
    return {META + "subscriptionId": id_}


def main() -> None:
    def send(message: Json) -> None:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()

    server, session = Gossip(sys.argv[1], modern=False), Session(send)
    server.sessions[""] = session
    for line in sys.stdin:
        server.hear(session, json.loads(line), send)


if __name__ == "__main__":
    main()
