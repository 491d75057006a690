"""A local server that does whatever its caller says: the tool's argument `code` is run as Python.

What the code puts into `answer` is the result; an OSError is answered by its name, such as `EROFS`.
"""

import errno
import json
import sys
import traceback
from typing import Any


def discovered() -> dict[str, Any]:
    versions = {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}
    return {"resultType": "complete", **versions, "ttlMs": 1000, "cacheScope": "public"}


def called(code: str) -> dict[str, Any]:
    scope: dict[str, Any] = {"answer": None}
    try:
        exec(code, scope)
        said = scope["answer"]
    except OSError as problem:
        said = errno.errorcode.get(problem.errno or 0, str(problem))
    except Exception:  # noqa: BLE001
        said = traceback.format_exc()
    content = [{"type": "text", "text": json.dumps(said, default=str)}]
    return {"resultType": "complete", "content": content}


for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    calls = message["method"] == "tools/call"
    result = called(message["params"]["arguments"]["code"]) if calls else discovered()
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}) + "\n")
    sys.stdout.flush()
