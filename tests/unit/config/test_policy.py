from __future__ import annotations

import pytest
from pydantic import ValidationError

from bawn.config import Config, IdentityConfig, RoleRule, Server
from bawn.config.policy import SCOPE, TENANT, FlowConfig

URL = "https://wiki.example.com/mcp"


@pytest.mark.parametrize("name", ["", "acme", "a-1", "a" * 32])
def test_a_tenant_is_named_like_a_server_or_not_at_all(name: str) -> None:
    assert TENANT.fullmatch(name)
    assert Server(url=URL, tenant=name).tenant == name
    assert IdentityConfig(local_tenant=name).local_tenant == name


@pytest.mark.parametrize("name", ["Acme", "a b", "a\n", "a.b", "ä", "a" * 33])
def test_any_other_name_of_a_tenant_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="expected 1 to 32"):
        Server(url=URL, tenant=name)
    with pytest.raises(ValidationError, match="expected 1 to 32"):
        IdentityConfig(local_tenant=name)


@pytest.mark.parametrize("name", ["files:read", "https://example.com/read", "!", "~", "a" * 512])
def test_a_scope_is_named_as_the_standard_has_it(name: str) -> None:
    assert SCOPE.fullmatch(name)
    assert list(Config(scopes={name: RoleRule()}).scopes) == [name]


@pytest.mark.parametrize("name", ["", "a b", 'a"', "a\\", "a\n", "ä", "a\x7f", "a" * 513])
def test_a_scope_that_could_not_stand_in_a_challenge_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="without spaces"):
        Config(scopes={name: RoleRule()})


def test_no_challenge_can_ask_for_refresh_tokens() -> None:
    with pytest.raises(ValidationError, match="refresh tokens"):
        Config(scopes={"offline_access": RoleRule()})


def test_a_conversation_is_what_its_client_says_and_remembers_for_an_hour() -> None:
    flow = Config().flow
    assert (flow.by, flow.lifetime) == ("conversation", 3600.0)
    assert Config(flow=FlowConfig(by="principal", lifetime=60.0)).flow.by == "principal"


@pytest.mark.parametrize("flow", [{"by": "agent"}, {"lifetime": 0.0}, {"lifetime": 86_401.0}])
def test_a_conversation_of_any_other_kind_is_refused(flow: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FlowConfig.model_validate(flow)
