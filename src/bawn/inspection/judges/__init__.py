"""External judges: other processes that are shown texts and say what they think of them."""
