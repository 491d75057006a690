"""Configuration: file and environment become one frozen Config; every limit is a named field."""

from bawn.config.limits import Limits
from bawn.config.model import (
    Auth,
    Config,
    IdentityConfig,
    Isolation,
    Issuer,
    LogConfig,
    Server,
)
from bawn.config.policy import RoleRule

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
