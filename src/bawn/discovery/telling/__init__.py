"""What was seen, held against what is registered."""
