"""The processes of a gate: the only place that knows every room."""
