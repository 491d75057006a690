"""Servers of clients taken into the configuration."""
