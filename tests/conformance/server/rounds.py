"""The tools and the prompt that need several rounds (SEP-2322)."""

from __future__ import annotations

from typing import Any, Final

from tests.conformance.server.asking import Call, form, roots, sampling
from tests.conformance.server.content import answer, text
from tests.conformance.server.tools import Entry

_NAME: Final = form("What is your name?", {"name": {"type": "string"}}, "name")
_CONFIRM: Final = form("Please confirm", {"ok": {"type": "boolean"}}, "ok")


async def elicitation(call: Call) -> dict[str, Any]:
    """One form."""
    got = await call.ask(user_name=_NAME)
    return answer(text(f"Hello, {got['user_name']['content']['name']}!"))


async def sample(call: Call) -> dict[str, Any]:
    """One completion."""
    got = await call.ask(capital_question=sampling("What is the capital of France?"))
    return answer(text(got["capital_question"]["content"]["text"]))


async def list_roots(call: Call) -> dict[str, Any]:
    """The client's roots."""
    got = await call.ask(client_roots=roots())
    return answer(text(", ".join(root["uri"] for root in got["client_roots"]["roots"])))


async def request_state(call: Call) -> dict[str, Any]:
    """Complete only if the state came back, where there is one."""
    await call.ask(confirm=_CONFIRM)
    kept = call.resumed or not call.modern
    return answer(text("state-ok" if kept else "no state"), failed=not kept)


async def multiple_inputs(call: Call) -> dict[str, Any]:
    """Three requests of three kinds at once."""
    got = await call.ask(
        user_name=_NAME, greeting=sampling("Generate a greeting", 50), client_roots=roots()
    )
    return answer(text(f"All of {', '.join(sorted(got))}"))


async def multi_round(call: Call) -> dict[str, Any]:
    """Two forms, one after the other."""
    first = await call.ask(step1=form("Step 1: your name?", {"name": {"type": "string"}}, "name"))
    second = await call.ask(
        step2=form("Step 2: your colour?", {"color": {"type": "string"}}, "color")
    )
    told = {**first["step1"]["content"], **second["step2"]["content"]}
    return answer(text(f"{told['name']} likes {told['color']}"))


async def capabilities(call: Call) -> dict[str, Any]:
    """Ask for no more than the client declared."""
    offers = {"elicitation": _NAME, "sampling": sampling("Hello?"), "roots": roots()}
    asked = {key: request for key, request in offers.items() if call.declares(key)}
    got = await call.ask(**asked)
    return answer(text(f"Answered: {', '.join(sorted(got))}"))


async def prompt(call: Call) -> dict[str, Any]:
    """prompts/get that asks first."""
    question = form("What context should be used?", {"context": {"type": "string"}}, "context")
    got = await call.ask(user_context=question)
    said = text(f"In the context of {got['user_context']['content']['context']}.")
    return {"messages": [{"role": "user", "content": said}]}


TOOLS: Final = {
    f"test_input_required_result_{name}": Entry(run, "needs several rounds")
    for name, run in {
        "elicitation": elicitation,
        "sampling": sample,
        "list_roots": list_roots,
        "request_state": request_state,
        "multiple_inputs": multiple_inputs,
        "multi_round": multi_round,
        "tampered_state": request_state,
        "capabilities": capabilities,
    }.items()
}
