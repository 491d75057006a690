"""A local MCP server that asks its client for things, logs, and tells of changes. No SDK, one thread.

Arguments: `legacy` (default) or `modern`, `gone` (ends at `resources/subscribe`). What it hears is
written to the file in $DIARY, one JSON object a line. The tool's name is the behaviour of a call.
"""

import json
import os
import sys
from typing import Any

SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
MODERN = "modern" in sys.argv
CAPABILITIES: dict[str, Any] = {
    "tools": {"listChanged": True},
    "resources": {"subscribe": True, "listChanged": True},
    "logging": {},
}
PAGE = {"mode": "url", "url": "https://example.com/in", "message": "Sign in", "elicitationId": "e"}
client: dict[str, Any] = {}
open_asks: dict[Any, dict[str, Any]] = {}  # by the id of what was asked: the call it was asked for
listens: dict[Any, dict[str, Any]] = {}


def note(**entry: Any) -> None:
    if path := os.environ.get("DIARY"):
        with open(path, "a", encoding="utf-8") as diary:  # noqa: PTH123
            diary.write(json.dumps({"pid": os.getpid(), **entry}) + "\n")


def send(**message: Any) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def answer(id_: Any, value: Any) -> None:
    result: dict[str, Any] = {"content": [{"type": "text", "text": json.dumps(value)}]}
    send(id=id_, result={**result, "resultType": "complete"} if MODERN else result)


def told(listen: Any, method: str, **params: Any) -> None:
    send(method=method, params={**params, "_meta": {SUBSCRIPTION: listen}})


def ask(call: dict[str, Any], id_: Any, method: str, params: Any) -> None:
    call["open"] += 1
    open_asks[json.dumps(id_)] = call
    send(id=id_, method=method, params=params)


def changed(method: str, wanted: str, **params: Any) -> None:
    """Say that something changed, in the way of the era."""
    if not MODERN:
        send(method=method, params=params)
    for id_, filter_ in listens.items():
        value = filter_.get(wanted)
        if value is True or (value and params["uri"] in value):
            told(id_, method, **params)


def behave(id_: Any, params: dict[str, Any]) -> None:
    name, arguments = params["name"], params.get("arguments") or {}
    call: dict[str, Any] = {"id": id_, "open": 0, "answers": {}}
    if name == "ask":
        for asked in arguments["asks"]:
            ask(call, *asked)
        note(event="asked")
    elif name == "leave":
        ask(call, "left", "roots/list", {})
        answer(id_, "gone")
        ask(call, "late", "roots/list", {})
    elif name == "withdraw":
        ask(call, "w", "roots/list", {})
        send(method="notifications/cancelled", params={"requestId": "w"})
        answer(id_, "never mind")
    elif name == "flood":
        call["flood"] = True
        for number in range(arguments["count"]):
            ask(call, f"flood-{number}", "roots/list", {})
    elif name == "odd":
        for odd in (None, True, 1.5, [1], {"a": 1}, "x" * 1000):
            send(id=odd, method="roots/list", params={})
        ask(call, "same", "roots/list", {})
        send(id="same", method="roots/list", params={})
    elif name == "die":
        ask(call, "last", "roots/list", {})
        os._exit(3)
    elif name == "log":
        for level in ("debug", "info", "error"):
            send(method="notifications/message", params={"level": level, "data": level})
        answer(id_, "logged")
    elif name == "hang":
        note(event="hanging", id=id_)
    elif name == "page":
        data = {"elicitations": [PAGE]}
        send(id=id_, error={"code": -32042, "message": "Sign in first", "data": data})
    elif name == "client":
        answer(id_, client)
    elif name == "pid":
        answer(id_, os.getpid())
    elif name == "seen":
        answer(id_, params)
    elif name == "update":
        changed("notifications/resources/updated", "resourceSubscriptions", uri=arguments["uri"])
        answer(id_, "updated")
    elif name == "change":
        changed("notifications/tools/list_changed", "toolsListChanged")
        answer(id_, "changed")
    elif name == "end":
        for listen in list(listens):
            del listens[listen]
            send(method="notifications/cancelled", params={"requestId": listen})
            meta = {SUBSCRIPTION: listen}
            send(id=listen, result={"resultType": "complete", "_meta": meta})
        answer(id_, "ended")
    else:
        send(id=id_, error={"code": -32602, "message": f"Unknown tool: {name}"})


def hear_answer(message: dict[str, Any]) -> None:
    id_ = message["id"]
    outcome = message.get("result", message.get("error"))
    note(event="answer", id=id_, outcome=outcome)
    call = open_asks.pop(json.dumps(id_), None)
    if call is None:
        return
    call["open"] -= 1
    call["answers"][id_] = outcome
    if "result" in message and call.pop("flood", False):  # most of the others nobody will answer
        answer(call["id"], "enough")
    elif not call["open"]:
        answer(call["id"], call["answers"])


def listen(id_: Any, params: dict[str, Any]) -> None:
    note(event="listen", params=params)
    listens[id_] = params["notifications"]
    acknowledged = "notifications/subscriptions/acknowledged"
    told(id_, acknowledged, notifications=params["notifications"])


def request(id_: Any, method: str, params: dict[str, Any]) -> None:
    if method == "server/discover" and MODERN:
        found = {"supportedVersions": ["2026-07-28"], "capabilities": CAPABILITIES}
        send(id=id_, result={"resultType": "complete", **found, "ttlMs": 0, "cacheScope": "public"})
    elif method == "initialize" and not MODERN:
        client.update(params["capabilities"])
        info = {"name": "asking", "version": "1"}
        result = {"protocolVersion": "2025-11-25", "capabilities": CAPABILITIES, "serverInfo": info}
        send(id=id_, result=result)
    elif method == "tools/call":
        behave(id_, params)
    elif method == "subscriptions/listen" and MODERN:
        listen(id_, params)
    elif method in ("resources/subscribe", "resources/unsubscribe", "logging/setLevel"):
        if "gone" in sys.argv:
            os._exit(4)
        note(event=method, params=params)
        if "no" in params.get("uri", ""):
            send(id=id_, error={"code": -32602, "message": "no such resource"})
        else:
            send(id=id_, result={})
    else:
        send(id=id_, error={"code": -32601, "message": "Method not found"})


def main() -> None:
    note(event="start")
    for line in sys.stdin:
        message = json.loads(line)
        if "method" not in message:
            hear_answer(message)
        elif "id" in message:
            request(message["id"], message["method"], message.get("params") or {})
        else:
            note(event=message["method"], params=message.get("params"))
            listens.pop((message.get("params") or {}).get("requestId"), None)


main()
