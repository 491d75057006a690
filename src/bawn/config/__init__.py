"""Configuration: file and environment become one frozen Config; every limit is a named field."""

from bawn.config.limits import Limits
from bawn.config.model import Config, IdentityConfig, Issuer, LogConfig
from bawn.config.policy import RoleRule
from bawn.config.server import Auth, Isolation, Server

__all__ = [
    "Auth",
    "Config",
    "IdentityConfig",
    "Isolation",
    "Issuer",
    "Limits",
    "LogConfig",
    "RoleRule",
    "Server",
]
