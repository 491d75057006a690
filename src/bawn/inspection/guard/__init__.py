"""The guard of agents' configuration: no argument may write it, by any disguise (CVE-2025-54135, 2026-21852)."""
