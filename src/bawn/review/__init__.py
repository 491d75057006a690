"""Policies looked at from outside: checked, tested, explained, replayed, suggested."""
