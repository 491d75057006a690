"""The words by which `inference.py` reads what a tool does: English, lower-case, singular.

Kept apart so that they can be reviewed as a table. A word belongs to one group of verbs at most.
"""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


READS: Final = _words("""
    analyse analyze ask audit browse check compare count describe detail detect diff discover
    download explain explore export extract fetch filter find geocode get grep info inspect ingest iterate
    list load lookup measure monitor navigate open peek preview query read recall recommend resolve retrieve
    review scan scrape crawl search select show snapshot stat status summarize summarise
    suggest tail trace track translate transcribe tree verify view visit watch
""")
"""Verbs of those who take something out."""

COMPUTES: Final = _words("""
    calculate compute convert decode echo encode format hash multiply parse ping
    random render round sequentialthinking simulate solve sort subtract think validate
""")
"""Verbs of what makes its answer from the arguments alone."""

CHANGES: Final = _words("""
    accept activate add allocate append apply authenticate approve archive assign attach authorize backup ban
    batch block book build buy cancel change checkout clean clear click clone close commit complete
    configure connect copy create deactivate delete destroy detach disable disconnect drag drop
    duplicate edit enable enqueue erase fill fork generate grant import increment init initialize
    insert install kick kill label link lock login make manage mark merge modify move mutate mute
    order overwrite patch pause pin place play press provision purge put queue rebase reboot
    record refresh register release remove rename reopen replace reset resize restart restore
    resume revert revoke rollback rotate save scale schedule set sign stage start stash stop store
    subscribe swap switch sync tag terminate toggle transfer trigger type unassign unban
    unblock uninstall unlock unpin unpublish unsubscribe update upgrade upsert wipe write
""")
"""Verbs of those who change something."""

SENDS: Final = _words("""
    announce broadcast call comment deploy dial dm email forward invite mail message notify pay
    post publish push reply respond send share sms submit text tweet upload
""")
"""Verbs of those who send something to others."""

RUNS: Final = _words("""
    bash cmd command eval evaluate exec execute powershell python javascript run script shell
    spawn terminal
""")
"""What runs what its caller wrote: nobody knows what that does."""

SHELLS: Final = _words("bash eval exec execute powershell shell terminal")
"""Those of them that say so wherever they stand in a name."""

QUERIES: Final = _words(
    "cypher database db graphql mongo mysql postgre postgresql query redis sparql sql sqlite"
)
"""What narrows running something down to data that the server holds."""

REACHES: Final = _words("""
    browse browser crawl curl http navigate playwright puppeteer scrape selenium url webhook
    webpage website
""")
"""What reaches an address that the caller picks: asking there tells something there."""

WEB: Final = _words("internet online url web webpage website")
"""Where `fetch`, `load` and the like reach out, when a description names it."""

OPENS: Final = _words("download fetch load open retrieve visit")

OTHERS: Final = _words("""
    alert attachment channel chat comment contribution conversation discussion email feed feedback
    form gmail inbox incident invite issue mail mailbox mention message notification pr pull reply
    response review slack sms submission support thread ticket timeline
""")
"""What other people write to whom it may concern: neither public nor to be trusted."""

WORLD: Final = _words("""
    advisory airbnb arxiv article blog book crate cve duckduckgo forum hackernews
    headline internet map movie news npm online package paper podcast post public publication pubmed
    pypi recipe reddit rss scholar subreddit trending tweet twitter url video weather web webpage website
    wiki wikipedia youtube
""")
"""What anybody may have published."""

PLACES: Final = _words("""
    announcement attachment chat comment discussion email event gist invitation invite issue mail
    message notification page post pr pull release reply repository review sms team ticket thread
    tweet webhook
""")
"""What others get to see once it is made or changed."""

NEUTRAL: Final = _words("""
    capability clock date day help hour now sum time timezone uuid version
""")
"""What tells nothing of anybody."""

FILLERS: Final = _words("a all an and by current for from in of on the to with")

COMMANDS: Final = frozenset({"cmd", "command", "script", "shell"})
"""Arguments that hold what is to be run."""

ADDRESSES: Final = frozenset({"url", "urls", "uri", "link", "webhook", "webhook_url", "endpoint"})
"""Arguments that hold an address to reach."""

PEOPLE: Final = frozenset({"to", "cc", "bcc", "recipient", "recipients", "channel", "channel_id"})
"""Arguments that hold whom a change is told to."""

HOSTED: Final = frozenset({"owner", "repo"})
"""Arguments of what lies on a host that others use as well."""
