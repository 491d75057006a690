"""How rules are evaluated: entities, context, and what can be settled before a call."""
