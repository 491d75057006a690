"""What using an item does to a conversation, as servers and operators say it."""
