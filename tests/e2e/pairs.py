"""What real clients and real servers have, as data: the matrix of test_pairs.py.

`STEPS` says of each server what a client does to see a feature, and what it must see then; `LACKS` says
why a feature cannot be seen. Every server and client has an entry for every feature, in one or the other.
"""

from __future__ import annotations

from typing import Any, Final

from bawn.model import Json

FEATURES: Final = (
    "tools", "call", "prompts", "resources", "templates", "completion", "elicitation", "url",
    "sampling", "roots", "progress", "cancellation", "logging", "links", "updates", "changes",
)  # fmt: skip

CLIENTS: Final = {
    "python-modern": "2026-07-28",
    "python-legacy": "2025-11-25",
    "client2": "2026-07-28",
    "sdk1": "2025-11-25",
    "inspector": "",
}
"""Every client, and the version that it must come to speak; the Inspector shows none."""

ANSWERS: Final[Json] = {
    "form": {"name": "Ada Lovelace"},
    "model": "forty-two",
    "root": {"uri": "file:///desk/of/ada", "name": "Engine"},
}
"""What every client answers when it is asked."""

RESOURCE: Final = "demo://resource/dynamic/text/7"
LONG: Final[Json] = {"name": "trigger-long-running-operation"}

EVERYTHING: Final[dict[str, Json]] = {
    "tools": {"names": ["echo", "get-sum", "trigger-elicitation-request", "get-roots-list"]},
    "call": {"name": "get-sum", "arguments": {"a": 2, "b": 3}, "says": "The sum of 2 and 3 is 5."},
    "prompts": {
        "names": ["simple-prompt", "completable-prompt"],
        "name": "args-prompt", "arguments": {"city": "Cork"}, "says": "Cork",
    },
    "resources": {"uri": "demo://resource/static/document/features.md", "says": "Everything"},
    "templates": {
        "names": ["demo://resource/dynamic/text/{resourceId}"], "uri": RESOURCE, "says": "Resource 7",
    },
    "completion": {
        "ref": {"type": "ref/prompt", "name": "completable-prompt"},
        "argument": {"name": "name", "value": "E"}, "context": {"department": "Sales"},
        "values": ["Eve"],
    },
    "elicitation": {
        "name": "trigger-elicitation-request", "arguments": {}, "says": "- Name: Ada Lovelace",
        "asked": "Please provide inputs for the following fields:", "form": True,
    },
    "url": {
        "name": "trigger-url-elicitation",
        "arguments": {"url": "https://example.com/in", "message": "Sign in"},
        "says": "User completed the URL elicitation flow", "asked": "https://example.com/in",
    },
    "sampling": {
        "name": "trigger-sampling-request", "arguments": {"prompt": "the answer", "maxTokens": 9},
        "says": "forty-two", "asked": "Resource trigger-sampling-request context: the answer",
    },
    "roots": {"name": "get-roots-list", "arguments": {}, "says": "file:///desk/of/ada"},
    "progress": {
        **LONG, "arguments": {"duration": 0.2, "steps": 4}, "steps": [1, 2, 3, 4],
        "says": "Steps: 4",
    },
    "cancellation": {**LONG, "arguments": {"duration": 4, "steps": 40, "tag": "{client}"}},
    "logging": {
        "name": "toggle-simulated-logging", "arguments": {}, "says": "Started simulated",
        "logged": "-level message|level-message",
    },
    "links": {
        "name": "gzip-file-as-resource", "link": "demo://resource/session/{client}.gz",
        "arguments": {
            "name": "{client}.gz", "data": "data:text/plain,one", "outputType": "resourceLink",
        },
    },
    "updates": {"uri": RESOURCE, "name": "toggle-subscriber-updates", "arguments": {}},
    "changes": {
        "list": "resources", "name": "gzip-file-as-resource",
        "arguments": {
            "name": "{client}2.gz", "data": "data:text/plain,two", "outputType": "resourceLink",
        },
    },
}  # fmt: skip

STEPS: Final[dict[str, dict[str, Json]]] = {
    "everything": EVERYTHING,
    "everything-http": EVERYTHING,
    "everything-sse": EVERYTHING,
    "git": {
        "tools": {"names": ["git_log", "git_status", "git_branch"]},
        "call": {
            "name": "git_log", "arguments": {"repo_path": "{repository}", "max_count": 1},
            "says": "Commit: ",
        },
    },
    "time": {
        "tools": {"names": ["convert_time", "get_current_time"]},
        "call": {
            "name": "convert_time", "says": "21:00",
            "arguments": {
                "source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo",
            },
        },
    },
    "memory": {
        "tools": {"names": ["create_entities", "read_graph", "search_nodes"]},
        "call": {
            "name": "create_entities", "says": "Ada",
            "arguments": {
                "entities": [{"name": "Ada", "entityType": "person", "observations": ["counts"]}],
            },
        },
        "resources": {"uri": "memory://knowledge-graph", "says": "Ada"},
        "updates": {
            "uri": "memory://knowledge-graph", "name": "add_observations",
            "arguments": {"observations": [{"entityName": "Ada", "contents": ["and programs"]}]},
        },
    },
    "fastmcp": {
        "tools": {"names": ["add", "name", "wait"]},
        "call": {"name": "add", "arguments": {"a": 2, "b": 3}, "says": "2 and 3 make 5"},
        "prompts": {
            "names": ["tell"], "name": "tell", "arguments": {"about": "bawns"},
            "says": "Tell me about bawns.",
        },
        "resources": {"uri": "fast://greeting", "says": "hello from FastMCP"},
        "templates": {
            "names": ["fast://echo/{word}"], "uri": "fast://echo/cliff", "says": "echo of cliff",
        },
        "completion": {
            "ref": {"type": "ref/prompt", "name": "tell"},
            "argument": {"name": "about", "value": "Co"}, "values": ["Cork", "Coleraine"],
        },
        "elicitation": {
            "name": "name", "arguments": {}, "says": "accept: {'name': 'Ada Lovelace'}",
            "asked": "Who are you?", "form": True,
        },
        "url": {
            "name": "visit", "arguments": {}, "says": "visit: accept",
            "asked": "https://example.com/in",
        },
        "sampling": {
            "name": "think", "arguments": {"prompt": "the answer"}, "says": "thought: forty-two",
            "asked": "the answer",
        },
        "roots": {"name": "roots", "arguments": {}, "says": "file:///desk/of/ada"},
        "progress": {
            "name": "steps", "arguments": {"count": 4}, "steps": [1, 2, 3, 4], "says": "4 steps",
        },
        "cancellation": {"name": "wait", "arguments": {"tag": "{client}"}},
        "logging": {
            "name": "log", "arguments": {"text": "a word aside"}, "says": "logged",
            "logged": "a word aside",
        },
    },
}  # fmt: skip
"""For each server: what is done for a feature, and what must come of it."""

UNDECLARED: Final = "declares no such capability"
NONE: Final = "lists none"
_AT_ONCE: Final = "every call of it ends at once"
_ASKS_NOTHING: Final = "none of its tools asks its client for anything"
_FIXED: Final = "never says that a list of its has changed"
_NO_LINK: Final = "none of its results links to a resource"
_ONE_SHOT: Final = "its command line makes one request and prints the result"

SERVER_LACKS: Final[dict[str, dict[str, str]]] = {
    "everything": {},
    "everything-http": {},
    "everything-sse": {},
    **{
        server: {
            **dict.fromkeys(("prompts", "resources", "templates"), NONE),
            **dict.fromkeys(("completion", "logging", "updates"), UNDECLARED),
            "changes": _FIXED,
            **dict.fromkeys(("elicitation", "url", "sampling", "roots"), _ASKS_NOTHING),
            **dict.fromkeys(("progress", "cancellation"), _AT_ONCE),
            "links": _NO_LINK,
        }
        for server in ("git", "time")
    },
    "memory": {
        **dict.fromkeys(("prompts", "completion", "logging"), UNDECLARED),
        "templates": NONE,
        **dict.fromkeys(("elicitation", "url", "sampling", "roots"), _ASKS_NOTHING),
        **dict.fromkeys(("progress", "cancellation"), _AT_ONCE),
        "changes": _FIXED,
        "links": _NO_LINK,
    },
    "fastmcp": {"links": _NO_LINK, "updates": UNDECLARED, "changes": _FIXED},
}
"""For each server: why a feature is not there to be seen."""

CLIENT_LACKS: Final[dict[str, dict[str, str]]] = {
    "python-modern": {},
    "python-legacy": {},
    "client2": {},
    "sdk1": {},
    "inspector": {
        "completion": "no method of its command line",
        **dict.fromkeys(
            ("elicitation", "url", "sampling", "roots", "progress", "cancellation"), _ONE_SHOT
        ),
        **dict.fromkeys(("logging", "updates", "changes"), _ONE_SHOT),
    },
}
"""For each client: why it cannot use a feature."""

_ELSEWHERE: Final = "said in the caller's own session, while the gate hears of lists in its own"

LACKS: Final[dict[tuple[str, str], str]] = {
    ("everything-http", "changes"): _ELSEWHERE,
    ("everything-sse", "changes"): _ELSEWHERE,
}
"""What both sides have, and the gate does not carry: (server, feature) and why."""


def plan(repository: str, client: str) -> dict[str, dict[str, Json]]:
    """What this client does with each server, feature by feature."""
    known = {"{repository}": repository, "{client}": client}
    return {
        server: {
            feature: _known(step, known)
            for feature, step in steps.items()
            if feature not in CLIENT_LACKS[client] and (server, feature) not in LACKS
        }
        for server, steps in STEPS.items()
    }


def _known(value: Any, known: dict[str, str]) -> Any:
    """A step with the names in its texts filled in."""
    if isinstance(value, dict):
        return {key: _known(inner, known) for key, inner in value.items()}
    if isinstance(value, str):
        for name, meant in known.items():
            value = value.replace(name, meant)
    return value
