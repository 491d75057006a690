"""What the gate says of itself: logs and metrics."""
