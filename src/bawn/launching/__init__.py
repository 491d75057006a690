"""Launch commands: what they run, and what they must not. No I/O."""
