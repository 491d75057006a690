"""The registry: what an organisation says of its servers, and how others read it."""
