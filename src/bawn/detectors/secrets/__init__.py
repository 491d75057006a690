"""Secrets: what opens something for whoever has it, by its issuer's format, its structure or its name."""
