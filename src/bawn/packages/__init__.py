"""Packages: resolved once to exact digests, installed from them, started from there."""
