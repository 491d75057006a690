"""What this machine's MCP clients are configured to start, and how they are pointed at the gate."""
