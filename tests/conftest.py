"""Settings for every test."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes tells of the machine and its load, not of what is tested.
settings.register_profile("bawn", deadline=None)
settings.load_profile("bawn")
