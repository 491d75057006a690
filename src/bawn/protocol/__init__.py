"""MCP itself, without I/O: what a message is, which version it speaks, what it means."""
