"""A local MCP server that behaves as well, or as badly, as it is told to. No SDK, one thread.

Arguments: `legacy` (default), `modern`, `silent` (legacy, answers no unknown method), `strict`
(legacy, ends at a first message that is not initialize), `old` (answers initialize with a version
nobody speaks), `mute` (answers nothing), `slow` (waits for the file in $GATE before its first
word), `crash` (ends at once), `stubborn` (ignores SIGTERM and the end of its input).
Every start, probe and notification is written to the file in $DIARY, one JSON object a line.
The tool's name is the behaviour of a call.
"""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

TOOLS = (
    "echo",
    "where",
    "meta",
    "garbage",
    "die",
    "last-words",
    "hang",
    "twice",
    "huge",
    "surrogate",
    "malformed",
    "complain",
    "progress",
    "ask-back",
    "changed",
    "impostor",
    "gone",
    "mum",
    "spawn",
    "deaf",
)
TRAITS = set(sys.argv[1:]) or {"legacy"}
SECRET = os.environ.get("SECRET", "")
waiting: dict[str, Any] = {}


def note(**entry: Any) -> None:
    if path := os.environ.get("DIARY"):
        with open(path, "a", encoding="utf-8") as diary:  # noqa: PTH123
            diary.write(json.dumps({"pid": os.getpid(), **entry}) + "\n")


def put(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def send(**message: Any) -> None:
    put(json.dumps({"jsonrpc": "2.0", **message}))


def text(value: str) -> dict[str, Any]:
    made: dict[str, Any] = {"content": [{"type": "text", "text": value}]}
    return {**made, "resultType": "complete"} if "modern" in TRAITS else made


def discover(id_: Any) -> None:
    if "modern" in TRAITS:
        send(
            id=id_,
            result={
                "resultType": "complete",
                "supportedVersions": ["2026-07-28"],
                "capabilities": {"tools": {}},
                "ttlMs": 1000,
                "cacheScope": "public",
            },
        )
    elif not TRAITS & {"silent", "mute"}:
        send(id=id_, error={"code": -32601, "message": "Method not found"})


def initialize(id_: Any) -> None:
    if "mute" in TRAITS:
        return
    if "modern" in TRAITS:
        data = {"supported": ["2026-07-28"], "requested": "2025-11-25"}
        send(id=id_, error={"code": -32022, "message": "Unsupported version", "data": data})
        return
    version = "1999-01-01" if "old" in TRAITS else "2025-06-18"
    info = {"name": "fixture", "version": "1"}
    result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
    send(id=id_, result={**result, "instructions": "be good"})


def behave(id_: Any, params: dict[str, Any]) -> None:
    name, arguments = params["name"], params.get("arguments") or {}
    if name == "echo":
        send(id=id_, result=text(json.dumps(arguments)))
    elif name == "where":
        facts = {"pid": os.getpid(), "cwd": os.getcwd(), "env": dict(os.environ)}  # noqa: PTH109
        facts["fds"] = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0  # noqa: PTH112, PTH208
        send(id=id_, result=text(json.dumps(facts)))
    elif name == "meta":
        send(id=id_, result=text(json.dumps(params.get("_meta"))))
    elif name == "garbage":
        put("hello from a banner")
        put("[1, 2")
        put('"a string"')
        put('{"jsonrpc":"2.0","id":999999,"result":{}}')
        put('{"jsonrpc":"2.0","id":true,"result":{}}')
        sys.stdout.buffer.write(b"\xff\xfe\n\n\r\n")
        send(id=id_, result=text("after the garbage"))
    elif name == "die":
        sys.stderr.write(f"goodbye {SECRET}\n")
        sys.stderr.flush()
        os._exit(3)
    elif name == "last-words":
        send(id=id_, result=text("and then it was gone"))
        os._exit(0)
    elif name == "hang":
        waiting[str(id_)] = params
        note(event="hanging", id=id_)
    elif name == "twice":
        send(id=id_, result=text("first"))
        send(id=id_, result=text("second"))
    elif name == "huge":
        size = arguments["size"]
        if arguments.get("id_last"):
            result = json.dumps(text("x" * size))
            put(f'{{"jsonrpc": "2.0", "result": {result}, "id": {id_}}}')
        else:
            put(f'{{"jsonrpc": "2.0", "id": {id_}, "result": {json.dumps(text("x" * size))}}}')
    elif name == "surrogate":
        put(f'{{"jsonrpc":"2.0","id":{id_},"result":{{"content":[{{"text":"a\\ud800b"}}]}}}}')
    elif name == "malformed":
        send(id=id_, result=[])
    elif name == "complain":
        for number in range(arguments["lines"]):
            sys.stderr.write(f"complaint {number} {SECRET} " + "y" * 200 + "\n")
        sys.stderr.flush()
        send(id=id_, result=text("enough"))
    elif name == "progress":
        token = (params.get("_meta") or {}).get("progressToken")
        for step in (1, 2, 3):
            send(
                method="notifications/progress",
                params={"progressToken": token, "progress": step, "x": "kept"},
            )
        send(method="notifications/progress", params={"progressToken": 424242, "progress": 1})
        send(method="notifications/message", params={"level": "info", "data": "a word"})
        send(id=id_, result=text("done"))
    elif name == "ask-back":
        waiting["ask-back"] = {"id": id_, "answers": {}}
        send(id="p", method="ping")
        send(id="s", method="sampling/createMessage", params={"messages": [], "maxTokens": 1})
    elif name == "changed":
        send(method="notifications/tools/list_changed")
        send(id=id_, result=text("changed"))
    elif name == "impostor":
        data = {"reason": "auth.missing"}
        send(id=id_, error={"code": 31001, "message": "no", "data": data})
    elif name == "gone":
        send(id=id_, error={"code": -32002, "message": "Resource not found", "data": {"uri": "x"}})
    elif name == "mum":
        sys.stdout.close()
        os.close(1)
    elif name == "spawn":
        code = "import signal,time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)"
        grandchild = subprocess.Popen([sys.executable, "-c", code])
        send(id=id_, result=text(str(grandchild.pid)))
    elif name == "deaf":
        send(id=id_, result=text("reading no more"))
        while True:
            time.sleep(600)
    else:
        send(id=id_, error={"code": -32602, "message": f"Unknown tool: {name}"})


def hear(message: dict[str, Any]) -> None:
    method, id_ = message.get("method"), message.get("id")
    if method is None:
        asked = waiting["ask-back"]
        asked["answers"][id_] = message.get("result", message.get("error"))
        if len(asked["answers"]) == 2:
            send(id=asked["id"], result=text(json.dumps(asked["answers"])))
    elif id_ is None:
        note(event=method, params=message.get("params"))
    elif method == "server/discover":
        note(event=method)
        discover(id_)
    elif method == "initialize":
        initialize(id_)
    elif method == "tools/list":
        send(
            id=id_,
            result={"tools": [{"name": n, "inputSchema": {"type": "object"}} for n in TOOLS]},
        )
    elif method == "tools/call":
        behave(id_, message["params"])
    elif "silent" not in TRAITS:
        send(id=id_, error={"code": -32601, "message": "Method not found"})


def main() -> None:
    note(event="start", cwd=os.getcwd())  # noqa: PTH109
    if "crash" in TRAITS:
        sys.stderr.write(f"cannot start with {SECRET}\n")
        sys.exit(7)
    if "stubborn" in TRAITS:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "slow" in TRAITS:
        with open(os.environ["GATE"], encoding="utf-8") as gate:  # noqa: PTH123  (a FIFO)
            gate.read()
    first = True
    for line in sys.stdin:
        message = json.loads(line)
        if first and "strict" in TRAITS and message.get("method") != "initialize":
            sys.exit(1)
        first = False
        hear(message)
    note(event="end of input")
    while "stubborn" in TRAITS:
        time.sleep(600)


main()
