"""The model holds every default, and refuses what contradicts itself."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from bawn.config.limits import Limits
from bawn.config.model import Config, IdentityConfig, Issuer
from bawn.config.policy import RoleRule
from bawn.config.section import Section
from bawn.config.server import SERVER_ID, Auth, Server

URL = "https://mcp.example.com/mcp"


def refusal(model: type[BaseModel], **values: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        model(**values)
    return str(caught.value)


def test_every_key_has_a_default() -> None:
    assert Config().listen == "127.0.0.1:8811"


def test_the_defaults_are_closed() -> None:
    config = Config()

    assert config.loopback_only
    assert config.identity.mode == "embedded"
    assert not config.management.open
    assert (config.servers, config.roles, config.hosts, config.origins) == ({}, {}, (), ())
    assert Server(url=URL).isolation == "principal"
    assert RoleRule().tools == ()


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Config().listen = "0.0.0.0:1"  # type: ignore[misc]  # the point of the test


def sections() -> list[type[Section]]:
    found = Section.__subclasses__()  # other rooms have sections in files of their own
    return [each for each in found if each.__module__.startswith("bawn.config.")]


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.__name__)
def test_every_section_is_closed_to_unknown_keys(section: type[Section]) -> None:
    assert "Extra inputs are not permitted" in refusal(section, surplus=1)


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.__name__)
def test_every_setting_has_a_sentence_and_a_tier(section: type[Section]) -> None:
    for name, field in section.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        assert isinstance(field.json_schema_extra, dict), name
        assert field.json_schema_extra["tier"] in {"stable", "preview", "experimental"}, name


@pytest.mark.parametrize("name", Limits.model_fields)
def test_every_limit_is_above_zero_and_takes_no_text(name: str) -> None:
    assert "greater than" in refusal(Limits, **{name: 0})
    assert "valid" in refusal(Limits, **{name: "1"})
    assert getattr(Limits(), name) > 0


@pytest.mark.parametrize("address", ["127.0.0.1:8811", "[::1]:0", "gate.example.com:65535"])
def test_an_address_is_host_and_port(address: str) -> None:
    assert Config(listen=address).listen == address


@pytest.mark.parametrize("address", ["8811", ":8811", "host:", "host:65536", "host:-1", "host:x"])
def test_what_is_no_address_is_refused(address: str) -> None:
    assert "expected HOST:PORT" in refusal(Config, listen=address)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.com", "expected an http"),
        ("https://", "expected an http"),
        ("https://user@example.com", "must not carry credentials"),
        ("https://:password@example.com", "must not carry credentials"),
        ("https://example.com/#part", "must not carry a fragment"),
    ],
)
def test_a_url_that_is_not_one_of_ours_is_refused(url: str, why: str) -> None:
    assert why in refusal(Server, url=url)


def test_a_server_is_reached_in_exactly_one_way() -> None:
    assert "exactly one of" in refusal(Server)
    assert "exactly one of" in refusal(Server, url=URL, command=("server",))


@pytest.mark.parametrize("key", [{"cwd": "/srv"}, {"env": {"A": "b"}}])
def test_a_remote_server_takes_no_setting_of_a_local_one(key: dict[str, Any]) -> None:
    assert "belongs to servers with a `command`" in refusal(Server, url=URL, **key)


@pytest.mark.parametrize(
    "key",
    [
        {"ca": "ca.pem"},
        {"proxy": "http://proxy.example.com"},
        {"auth": Auth(type="bearer", token="${env:T}")},
    ],
)
def test_a_local_server_takes_no_setting_of_a_remote_one(key: dict[str, Any]) -> None:
    assert "belongs to servers with a `url`" in refusal(Server, command=("server",), **key)


def test_a_token_goes_with_bearer_and_only_with_it() -> None:
    assert "goes with `type: bearer`" in refusal(Auth, type="bearer")
    assert "goes with `type: bearer`" in refusal(Auth, token="${env:T}")


@pytest.mark.parametrize(
    ("settings", "reference"),
    [
        ({}, False),
        ({"http": "reference"}, True),
        ({"ca": "ca.pem"}, True),
        ({"proxy": "http://proxy.example.com"}, True),
    ],
)
def test_the_reference_client_is_used_where_only_it_serves(
    settings: dict[str, Any], reference: bool
) -> None:
    assert Server(url=URL, **settings).uses_reference_client is reference


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS512", "rs256", ""])
def test_an_issuer_accepts_asymmetric_signatures_only(algorithm: str) -> None:
    assert "is not accepted" in refusal(Issuer, issuer=URL, algorithms=("RS256", algorithm))


def test_issuers_go_with_oidc_and_only_with_it() -> None:
    issuer = Issuer(issuer="https://idp.example.com")

    assert "goes with `mode: oidc`" in refusal(IdentityConfig, mode="oidc")
    assert "goes with `mode: oidc`" in refusal(IdentityConfig, issuers=(issuer,))
    assert IdentityConfig(mode="oidc", issuers=(issuer,)).issuers == (issuer,)


@pytest.mark.parametrize("name", ["a", "my-files", "0", "x" * 32])
def test_a_server_id_is_short_and_lower_case(name: str) -> None:
    assert SERVER_ID.fullmatch(name)
    assert Config(servers={name: Server(url=URL)}).servers[name].url == URL


@pytest.mark.parametrize("name", ["", "A", "a_b", "a b", "a.b", "x" * 33, "a\n", "é", "bawn"])
def test_any_other_server_id_is_refused(name: str) -> None:
    assert "expected 1 to 32" in refusal(Config, servers={name: Server(url=URL)})


def test_there_are_no_more_servers_than_the_limit() -> None:
    servers = {"a": Server(url=URL), "b": Server(url=URL)}

    assert "`limits.servers` is 1" in refusal(Config, servers=servers, limits=Limits(servers=1))


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "http://127.0.0.1:8811"),
        ({"listen": "[::1]:9000"}, "http://[::1]:9000"),
        ({"public_url": "https://gate.example.com/"}, "https://gate.example.com"),
    ],
)
def test_the_base_url_is_what_clients_see(settings: dict[str, Any], url: str) -> None:
    assert Config(**settings).base_url == url


@pytest.mark.parametrize(
    ("listen", "loopback"),
    [
        ("127.0.0.1:1", True),
        ("127.9.9.9:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("192.0.2.1:1", False),
        ("gate.example.com:1", False),
    ],
)
def test_what_only_this_machine_reaches_is_told_from_the_rest(listen: str, loopback: bool) -> None:
    assert Config(listen=listen).loopback_only is loopback


def test_a_prefix_is_the_id_unless_given() -> None:
    config = Config(
        servers={
            "a": Server(url=URL),
            "b": Server(url=URL, prefix="x."),
            "c": Server(url=URL, prefix=""),
        }
    )

    assert [config.prefix_of(name) for name in "abc"] == ["a__", "x.", ""]


@pytest.mark.parametrize("listed", ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"])
def test_trusted_proxies_are_addresses_or_networks(listed: str) -> None:
    assert Config(trusted_proxies=(listed,)).trusted_proxies == (listed,)


@pytest.mark.parametrize("listed", ["", "proxy.example.com", "10.0.0.1/8", "10.0.0.0/33", "*"])
def test_other_proxies_are_refused(listed: str) -> None:
    with pytest.raises(ValidationError, match="an address or a network"):
        Config(trusted_proxies=(listed,))


def test_review_and_additions_without_anybody_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="nobody has seen"):
        Config.model_validate({"approval": "review", "drift": {"auto": ("added",)}})
    Config.model_validate({"approval": "review", "drift": {"auto": ("cosmetic",)}})
