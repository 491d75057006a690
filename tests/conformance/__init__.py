"""The official conformance suite, against a server direct and against bawn in front of it."""
