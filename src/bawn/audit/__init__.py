"""The record without which nothing leaves: append-only segments, chained by hash."""
