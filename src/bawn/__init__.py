"""bawn: the guarded gate between AI agents and MCP servers."""

__version__ = "0.1.0"
