"""The path of a call, and what goes beside it: asking callers, and telling them what changes."""
