"""What every section of the configuration is made of: documented fields, closed to unknown keys."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Tier: TypeAlias = Literal["stable", "preview", "experimental"]

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Count = Annotated[int, Field(ge=1)]


def setting(default: Any, text: str, tier: Tier = "stable", **constraints: Any) -> Any:
    """A field with its documentation and stability tier."""
    extra: dict[str, Any] = {"tier": tier}
    if callable(default) and not isinstance(default, type(...)):
        return Field(
            default_factory=default, description=text, json_schema_extra=extra, **constraints
        )
    return Field(default, description=text, json_schema_extra=extra, **constraints)


class Section(BaseModel):
    """A mapping of the file: frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
