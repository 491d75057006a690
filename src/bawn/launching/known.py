"""Names of well-known packages, which others imitate; and the few that are known to be bad."""

from __future__ import annotations

from typing import Final

from bawn.launching.options import names
from bawn.launching.package import Ecosystem

SCOPES: Final = names(
    "@modelcontextprotocol @playwright @upstash @stripe @notionhq @sentry @supabase @cloudflare @azure @heroku "
    "@shopify @anthropic-ai @browserbasehq @circleci @neondatabase @wonderwhy-er @executeautomation @apify "
    "@brightdata @microsoft @google-cloud @aws-sdk @openbnb @mongodb-js @elastic @hubspot @atlassian @linear"
)
"""Scopes of npm whose owners are well known. Whatever stands in them is theirs."""

_REFERENCE: Final = names(
    "filesystem github gitlab git postgres sqlite memory fetch puppeteer slack time everything redis sentry "
    "google-maps gdrive brave-search sequential-thinking everart aws-kb-retrieval"
)
_REFERENCE_PYTHON: Final = ("fetch", "git", "time", "sqlite", "sentry")

NAMES: Final[dict[Ecosystem, frozenset[str]]] = {
    "npm": frozenset(f"@modelcontextprotocol/server-{name}" for name in _REFERENCE)
    | names(
        "@playwright/mcp @upstash/context7-mcp @stripe/mcp @notionhq/notion-mcp-server @sentry/mcp-server "
        "@supabase/mcp-server-supabase @cloudflare/mcp-server-cloudflare @azure/mcp @heroku/mcp-server "
        "@shopify/dev-mcp @browserbasehq/mcp-server-browserbase @circleci/mcp-server-circleci "
        "@neondatabase/mcp-server-neon @wonderwhy-er/desktop-commander @executeautomation/playwright-mcp-server "
        "mcp-remote supergateway firecrawl-mcp tavily-mcp exa-mcp-server repomix figma-developer-mcp "
        "mongodb-mcp-server kubernetes-mcp-server chrome-devtools-mcp mcp-server-kubernetes "
        "@modelcontextprotocol/inspector @modelcontextprotocol/sdk"
    ),
    "pypi": frozenset(f"mcp-server-{name}" for name in _REFERENCE_PYTHON)
    | names(
        "fastmcp markitdown-mcp mcp-atlassian mcp-clickhouse mcp-neo4j-cypher mcp-obsidian basic-memory "
        "wikipedia-mcp semgrep-mcp elevenlabs-mcp mcp-proxy mcp-text-editor docker-mcp mcp-server-qdrant "
        "awslabs-aws-documentation-mcp-server serena-agent excel-mcp-server"
    ),
    "oci": names(
        "mcp/fetch mcp/git mcp/github mcp/filesystem mcp/memory mcp/postgres mcp/sqlite mcp/puppeteer mcp/slack "
        "mcp/time mcp/sequentialthinking mcp/grafana mcp/stripe mcp/notion mcp/playwright "
        "ghcr.io/github/github-mcp-server"
    ),
    "binary": frozenset(),
}

MALICIOUS: Final[dict[tuple[Ecosystem, str], str]] = {
    ("npm", "postmark-mcp"): "1.0.16 sent a copy of every mail to its author",
}

VULNERABLE: Final[dict[tuple[Ecosystem, str], tuple[tuple[int, ...], str]]] = {
    ("npm", "mcp-remote"): ((0, 1, 16), "CVE-2025-6514"),
}
"""The first version that is right again, by package."""

BRIDGES: Final = frozenset([("npm", "mcp-remote"), ("npm", "supergateway"), ("pypi", "mcp-proxy")])
