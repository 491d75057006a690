"""A local server that answers what a file says, and writes down what it is sent.

`python saying.py modern|legacy SCRIPT`. The script is {"tools": […], "prompts": […], "resources": […],
"answers": {NAME: RESULT or {"error": …}}, "tells": {NAME: [NOTIFICATION, …]}} and is read again for each
request; NAME is that of the tool or prompt, or the URI. Each request is a line of JSON in SCRIPT.calls.
"""

import json
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]

ERA, SCRIPT = sys.argv[1], Path(sys.argv[2])
LISTS = {"tools/list": "tools", "prompts/list": "prompts", "resources/list": "resources"}
CALLS = ("tools/call", "prompts/get", "resources/read", "completion/complete")
HINTS = {"ttlMs": 0, "cacheScope": "private"}


def capabilities() -> Json:
    """Everything."""
    return {"tools": {}, "prompts": {}, "resources": {}, "completions": {}, "logging": {}}


def send(message: Json) -> None:
    """One line."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def name_of(params: Json) -> str:
    """What a call is about."""
    return str(params.get("name") or params.get("uri") or params["ref"]["name"])


def called(message: Json, script: Json) -> Json:
    """The answer to a call, after what is told on the way."""
    params = message["params"]
    name = name_of(params)
    with Path(f"{SCRIPT}.calls").open("a") as calls:
        calls.write(json.dumps({"method": message["method"], "params": params}) + "\n")
    for each in script.get("tells", {}).get(name, ()):
        send(each)
    said = script.get("answers", {}).get(name)
    return said if said is not None else {"content": [{"type": "text", "text": "done"}]}


def answer(message: Json, script: Json) -> Json | None:
    """The result of a request; None for what is not known."""
    method = message["method"]
    about = {"serverInfo": {"name": "saying", "version": "1"}, "capabilities": capabilities()}
    if method in LISTS:
        return {LISTS[method]: script.get(LISTS[method], []), **HINTS}
    if method == "resources/templates/list":
        return {"resourceTemplates": [], **HINTS}
    if method == "server/discover" and ERA == "modern":
        return {"supportedVersions": ["2026-07-28"], **about, **HINTS}
    if method == "initialize" and ERA == "legacy":
        return {"protocolVersion": "2025-11-25", **about}
    if method in CALLS:
        return called(message, script)
    return {} if method in ("ping", "logging/setLevel") else None


def main() -> None:
    """Serve until the input ends."""
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message or "method" not in message:
            continue
        result = answer(message, json.loads(SCRIPT.read_text()))
        if result is None:
            send({"id": message["id"], "error": {"code": -32601, "message": "no such method"}})
        elif "error" in result:
            send({"id": message["id"], "error": result["error"]})
        else:
            done = {"resultType": "complete"} if ERA == "modern" else {}
            send({"id": message["id"], "result": {**done, **result}})


main()
