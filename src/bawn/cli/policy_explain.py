"""`bawn policy explain`: one caller, one call, and every rule that mattered."""

from __future__ import annotations

import json
import time
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.policy_set import policy_set, published
from bawn.cli.reading import explained, loaded

if TYPE_CHECKING:
    from bawn.model import Item, Kind

AsOption = Annotated[str, typer.Option("--as", help="Subject of the caller.")]
RoleOption = Annotated[
    list[str] | None, typer.Option("--role", "-r", help="A role of the caller; repeatable.")
]
ScopeOption = Annotated[
    list[str] | None, typer.Option("--scope", help="A scope of its token; repeatable.")
]
IssuerOption = Annotated[str, typer.Option("--issuer", help="Issuer of its token.")]
AgentOption = Annotated[str, typer.Option("--agent", help="The OAuth client that acts.")]
TenantOption = Annotated[str, typer.Option("--tenant", help="Tenant of the caller.")]
ServerOption = Annotated[str, typer.Option("--server", "-s", help="Server, by its id.")]
ToolOption = Annotated[str | None, typer.Option("--tool", "-t", help="Tool, by its own name.")]
PromptOption = Annotated[str | None, typer.Option("--prompt", help="Prompt, by its own name.")]
ResourceOption = Annotated[str | None, typer.Option("--resource", help="Resource, by URI.")]
MethodOption = Annotated[
    str | None,
    typer.Option("--method", help="The method, where it is not the plain use: tasks/get, …"),
]
ArgumentsOption = Annotated[str, typer.Option("--arguments", help="Arguments, as a JSON object.")]
FlowOption = Annotated[
    list[str] | None,
    typer.Option(
        "--flow",
        help="What the conversation touched: untrusted, private, sends, changes; repeatable.",
    ),
]
PolicyOption = Annotated[
    Path | None,
    typer.Option(
        "--policy", metavar="DIR", help="Policy directory. Default: that of the configuration."
    ),
]


def explain(
    server: ServerOption,
    tool: ToolOption = None,
    prompt: PromptOption = None,
    resource: ResourceOption = None,
    method: MethodOption = None,
    arguments: ArgumentsOption = "{}",
    subject: AsOption = "somebody",
    role: RoleOption = None,
    scope: ScopeOption = None,
    issuer: IssuerOption = "",
    agent: AgentOption = "",
    tenant: TenantOption = "",
    flow: FlowOption = None,
    policy: PolicyOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell which rules decide a call, part by part, and what would have to change.

    Exit code 1 tells that the call is denied or asks for consent. (preview)
    """
    from bawn.cli import explained as told
    from bawn.model import Call, Client, Principal
    from bawn.review.advice import advise
    from bawn.review.explain import Explainer

    kind, name, called = _target(tool, prompt, resource, method)
    chosen = policy_set(config, policy)
    owner = chosen.tenant_of.get(server, "")
    if server in chosen.config.servers and owner != tenant:
        fail(
            f"server {server} belongs to {owner or 'no tenant'}: policy is not asked.",
            f"Only callers of that tenant can name it: --tenant {owner or repr('')}",
        )
    principal = Principal(
        subject, issuer, frozenset(role or ()), inf,
        scopes=frozenset(scope or ()), agent=agent, tenant=tenant,
    )  # fmt: skip
    call = Call(0, called, {"arguments": _arguments(arguments)}, principal, None, Client(""), "")
    explainer = Explainer(
        chosen.rules, chosen.config.roles,
        within=chosen.config.approvals.within, tenant_of=chosen.tenant_of,
    )  # fmt: skip
    item = _item(config, kind, server, name)
    explanation = explainer.explain(call, item, now=time.time(), touched=_labels(flow))
    advice = advise(explanation)
    if as_json:
        print(json.dumps(told.as_json(explanation, advice), indent=2))
    else:
        print("\n".join(told.text(explanation, advice)))
    if not explanation.verdict.allowed or explanation.verdict.asks:
        raise typer.Exit(1)


def _target(
    tool: str | None, prompt: str | None, resource: str | None, method: str | None
) -> tuple[Kind, str, str]:
    """The kind and name of the item, and the method of the call."""
    from pydantic import ValidationError

    from bawn.review.trials.case_file import Target

    try:
        target = Target(server="x", tool=tool, prompt=prompt, resource=resource, method=method)
    except ValidationError as error:
        wrong = str(error.errors()[0]["ctx"]["error"])
        fail(wrong, "Use one of --tool, --prompt, --resource and --method.", code=2)
    return target.kind, target.name, target.called


def _arguments(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as problem:
        fail(f"--arguments: not JSON: {problem}", code=2)
    if not isinstance(found, dict):
        fail('--arguments: expected a JSON object, such as {"path": "/tmp"}', code=2)
    return found


def _labels(flow: list[str] | None) -> frozenset[Any]:
    from bawn.model import Label

    try:
        return frozenset(map(Label, flow or ()))
    except ValueError as problem:
        fail(f"--flow: {problem}; expected one of {', '.join(Label)}", code=2)


def _item(config: Path | None, kind: Kind, server: str, name: str) -> Item:
    """The item as the running gate knows it, with its hints; else by its name alone."""
    from bawn.cli.options import user_config
    from bawn.model import Item
    from bawn.storage import StateDirectory

    bare = Item(kind, server, name, name, {})
    if config is None and not (Path("bawn.yaml").is_file() or user_config().is_file()):
        return bare
    found = loaded(config)
    if not (found.state / "run").is_dir():
        return bare
    with explained():
        view = published(StateDirectory(found.state))
    endpoint = view.endpoints.get(server) if view else None
    return endpoint.items.get(kind, {}).get(name, bare) if endpoint else bare
