"""The record without which nothing leaves: append-only segments, chained by hash."""

from bawn.audit.recover import recover
from bawn.audit.writer import Writer

__all__ = ["Writer", "recover"]
