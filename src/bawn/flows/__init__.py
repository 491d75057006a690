"""What conversations have touched."""
