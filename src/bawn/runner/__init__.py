"""The one process that owns local servers: starts them, talks to them over stdio, stops them."""
