"""What leaves in arguments: held against the approved schema, and each value against what it is."""
