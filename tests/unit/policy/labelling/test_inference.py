"""How good inference is: tools of well-known servers, with what each truly does.

Names, arguments and hints are theirs; the sentences are ours. The sums are published in the
documentation of labels, and fixed here: who makes inference better changes them.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.model import Json, Label
from bawn.policy.labelling import inference, words

LETTERS: Final = {
    "u": Label.UNTRUSTED, "p": Label.PRIVATE, "s": Label.SENDS, "c": Label.CHANGES,
}  # fmt: skip

# server and hints (R read-only, W not, C closed world, O open, - unsaid): name(arguments) = truth
TOOLS: Final = """
filesystem RC: read_text_file(path)=p read_media_file(path)=p read_multiple_files(paths)=p
filesystem RC: list_directory(path)=p directory_tree(path)=p search_files(path,pattern)=p
filesystem RC: get_file_info(path)=p list_allowed_directories()=p
filesystem WC: write_file(path,content)=c edit_file(path,edits)=c create_directory(path)=c
filesystem WC: move_file(source,destination)=c
everything RC: echo(message)= get-sum(a,b)= get-env()=p get-tiny-image()= get-resource-links(count)=
everything RC: get-annotated-message(messageType)= get-structured-content(location)=
everything RC: get-resource-reference(resourceId)= trigger-long-running-operation(duration,steps)=
everything WC: toggle-simulated-logging()=c toggle-subscriber-updates()=c
everything WO: gzip-file-as-resource(name,data)=us
everything WC: simulate-research-query(topic)=
git RC: git_status(repo_path)=p git_diff(repo_path,target)=p git_log(repo_path)=p git_show(revision)=p
git RC: git_branch(repo_path)=p git_diff_staged(repo_path)=p git_diff_unstaged(repo_path)=p
git WC: git_commit(repo_path,message)=c git_add(files)=c git_reset(repo_path)=c
git WC: git_create_branch(branch_name)=c git_checkout(branch_name)=c
time RC: get_current_time(timezone)= convert_time(time,target_timezone)=
fetch --: fetch(url,max_length)=us
memory --: create_entities(entities)=c create_relations(relations)=c add_observations(observations)=c
memory --: delete_entities(entityNames)=c read_graph()=p search_nodes(query)=p open_nodes(names)=p
thinking --: sequentialthinking(thought)=
sqlite --: read_query(query)=p write_query(query)=c list_tables()=p describe_table(table_name)=p
sqlite --: append_insight(insight)=c create_table(query)=c
postgres --: query(sql)=p execute_sql(sql)=pc
brave --: brave_web_search(query)=u brave_local_search(query)=u
puppeteer --: puppeteer_navigate(url)=us puppeteer_click(selector)=csu puppeteer_evaluate(script)=pcsu
puppeteer --: puppeteer_screenshot(name)=u
playwright --: browser_navigate(url)=us browser_click(ref)=csu browser_type(text)=csu
playwright --: browser_snapshot()=u
github --: search_repositories(query)=u create_issue(owner,repo,title)=cs get_issue(owner,repo)=up
github --: add_issue_comment(owner,repo,body)=cs list_issues(owner,repo)=up fork_repository(owner,repo)=c
github --: create_pull_request(owner,repo)=cs get_pull_request_comments(owner,repo)=up
github --: create_or_update_file(owner,repo,path)=cs push_files(owner,repo,files)=cs
github --: get_file_contents(owner,repo,path)=up merge_pull_request(owner,repo)=cs
github --: list_commits(owner,repo)=up search_code(q)=up create_repository(name)=cs
slack --: slack_list_channels()=p slack_post_message(channel_id,text)=cs slack_get_users()=p
slack --: slack_reply_to_thread(channel_id,text)=cs slack_get_channel_history(channel_id)=up
slack --: slack_add_reaction(channel_id,reaction)=cs
gmail --: send_email(to,subject,body)=cs search_emails(query)=up read_email(id)=up
gmail --: draft_email(to,subject)=c delete_email(id)=c modify_email(id)=c download_attachment(id)=up
drive --: gdrive_search(query)=up
notion --: API-post-page(parent)=cs API-retrieve-a-page(page_id)=p API-post-search(query)=p
notion --: API-create-a-comment(body)=cs API-delete-a-block(block_id)=c
linear --: linear_create_issue(title)=cs linear_search_issues(query)=up linear_add_comment(body)=cs
sentry --: get_sentry_issue(issue_id)=up list_projects(organization)=p
stripe --: create_refund(charge)=cs list_customers(limit)=p create_invoice(customer)=cs
calendar --: list_events(calendar)=up create_event(attendees,summary)=cs delete_event(id)=c
shell --: run_command(command)=pcsu execute_python(code)=pcsu
kubernetes --: kubectl_get(resource)=p kubectl_delete(resource)=c kubectl_logs(name)=p
docs RO: resolve-library-id(name)=u query-docs(topic)=u
maps --: maps_geocode(address)=u maps_directions(origin,destination)=u
wiki --: search_wikipedia(query)=u get_article(title)=u
weather --: get_forecast(city)=u get_alerts(state)=u
twitter --: post_tweet(text)=cs search_tweets(query)=u
unknown --: frobnicate(x)=pcsu do_it()=pcsu
"""

SENTENCES: Final = {
    "directory_tree": "Shows everything below a directory.",
    "git_status": "Shows the state of the working tree.",
    "git_branch": "Lists branches.",
    "browser_snapshot": "Shows the page as it is now.",
    "puppeteer_screenshot": "Shows the current page as a picture.",
    "kubectl_logs": "Gets what a pod has written.",
    "gzip-file-as-resource": "Compresses a file that lies at a URL.",
    "maps_directions": "Get directions between two places.",
    "kubectl_delete": "Delete a resource.",
}


def _cases() -> list[tuple[str, dict[str, Any], bool | None, bool | None, frozenset[Label]]]:
    cases = []
    for line in TOOLS.strip().splitlines():
        head, _, rest = line.partition(": ")
        hints = head.split()[1]
        read_only = {"R": True, "W": False}.get(hints[0])
        open_world = {"O": True, "C": False}.get(hints[1])
        for tool in rest.split():
            called, _, truth = tool.partition("=")
            name, _, arguments = called.rstrip(")").partition("(")
            properties: Json = {argument: {} for argument in arguments.split(",") if argument}
            definition = {
                "name": name,
                "description": SENTENCES.get(name, ""),
                "inputSchema": {"type": "object", "properties": properties},
            }
            labels = frozenset(LETTERS[letter] for letter in truth)
            cases.append((name, definition, read_only, open_world, labels))
    return cases


EXPECTED: Final = {
    # label: tools that have it, of these missed; tools that have it not, of these given it
    Label.UNTRUSTED: (40, 6, 88, 3),
    Label.PRIVATE: (51, 1, 77, 12),
    Label.SENDS: (31, 2, 97, 8),
    Label.CHANGES: (53, 0, 75, 3),
}


def test_how_often_inference_is_right() -> None:
    cases = _cases()
    table = {}
    for label in Label:
        counts: Counter[tuple[bool, bool]] = Counter()
        for name, definition, read_only, open_world, truth in cases:
            found = inference.of_tool(name, definition, read_only, open_world)
            counts[label in truth, label in found] += 1
        has, missed = counts[True, True] + counts[True, False], counts[True, False]
        table[label] = has, missed, len(cases) - has, counts[False, True]
    assert table == EXPECTED


def infer(
    name: str,
    description: str = "",
    *arguments: str,
    read_only: bool | None = None,
    open_world: bool | None = None,
) -> str:
    properties = {name: {"type": "string"} for name in arguments}
    definition = {"description": description, "inputSchema": {"properties": properties}}
    found = inference.of_tool(name, definition, read_only, open_world)
    return "".join(letter for letter, label in LETTERS.items() if label in found)


def test_of_what_nobody_knows_everything_is_feared() -> None:
    assert infer("frobnicate") == infer("") == infer("取得") == "upsc"
    assert infer("frobnicate", read_only=True) == "ups"
    assert infer("frobnicate", open_world=False) == "pc"
    assert infer("frobnicate", read_only=True, open_world=False) == "p"


def test_the_name_counts_before_the_description() -> None:
    assert infer("delete_row", "Get a row.") == "c"
    assert infer("frob", "Deletes a row. Gets nothing.") == "c"


@pytest.mark.parametrize("name", ["send_mail", "sendMail", "SendMail", "mail.send", "MAIL-SEND"])
def test_however_a_name_is_written_it_is_read(name: str) -> None:
    assert infer(name) == "sc"


def test_a_hint_that_contradicts_the_name_does_not_hide_a_change() -> None:
    assert infer("delete_row", read_only=True) == "c"
    assert infer("send_mail", read_only=True, open_world=False) == "sc"


def test_an_address_to_reach_sends_and_cannot_be_trusted_whatever_the_hints() -> None:
    assert infer("get_page_text", "", "url") == "us"
    assert infer("get_page_text", "", "url", read_only=True, open_world=False) == "us"


def test_what_runs_what_it_is_given_may_do_anything() -> None:
    assert infer("run_thing") == infer("tool", "Gets.", "command") == infer("open_shell") == "upsc"
    assert infer("execute_sql") == "pc"


def test_an_open_world_is_not_trusted_and_hears_of_changes() -> None:
    assert infer("get_row") == "p"
    assert infer("get_row", open_world=True) == "up"
    assert infer("update_row") == "c"
    assert infer("update_row", open_world=True) == "sc"


@pytest.mark.parametrize(
    ("uri", "labels"),
    [
        ("https://example.com/a", "u"),
        ("HTTP://example.com", "u"),
        ("http://93.184.216.34/", "u"),
        ("http://127.0.0.1/", "up"),
        ("http://[::1]/", "up"),
        ("http://localhost:80/", "up"),
        ("https://10.0.0.1/x", "up"),
        ("https://wiki.corp/x", "up"),
        ("https://wiki/x", "up"),
        ("https://[bad/", "up"),
        ("file:///home/ada/a.txt", "p"),
        ("notes://mine", "p"),
        ("gmail://inbox/7", "up"),
        ("slack://channel/general", "up"),
        ("no scheme", "p"),
        ("", "p"),
        ("ui://widget", ""),
    ],
)
def test_a_resource_is_private_or_the_webs(uri: str, labels: str) -> None:
    found = inference.of_resource(uri, {"uri": uri})
    assert found == {LETTERS[letter] for letter in labels}
    web = {Label.SENDS} if uri.lower().startswith("http") else set()
    assert inference.of_resource(uri, {}) == found | web
    assert inference.of_template(uri, {"uriTemplate": uri}) == found | web


def test_a_template_for_any_address_is_feared() -> None:
    found = inference.of_template("{+uri}", {"uriTemplate": "{+uri}"})
    assert found == {Label.UNTRUSTED, Label.PRIVATE, Label.SENDS}


def test_a_prompt_is_its_servers_own_text() -> None:
    assert inference.of_prompt("review", {"description": "Code style."}) == {
        Label.UNTRUSTED, Label.PRIVATE,
    }  # fmt: skip
    assert inference.of_prompt("plan", {"description": "Plans a week."}) == frozenset()
    assert inference.of_prompt("digest", {"description": "Of the news"}) == {Label.UNTRUSTED}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    st.text(),
    st.dictionaries(st.sampled_from(["description", "inputSchema", "annotations"]), JSON),
    st.sampled_from([True, False, None]),
    st.sampled_from([True, False, None]),
)
def test_any_definition_is_read(
    name: str, definition: dict[str, Any], read_only: bool | None, open_world: bool | None
) -> None:
    found = inference.of_tool(name, definition, read_only, open_world)
    assert found == inference.of_tool(name, definition, read_only, open_world)
    assert inference.of_prompt(name, definition) <= inference.ALL
    assert inference.of_resource(name, definition) <= inference.of_template(name, {})


def test_a_word_is_one_kind_of_verb() -> None:
    groups = [words.READS, words.COMPUTES, words.CHANGES, words.SENDS]
    assert sum(map(len, groups)) == len(frozenset().union(*groups))


def test_every_word_can_be_met() -> None:
    tables = [value for value in vars(words).values() if isinstance(value, frozenset)]
    arguments = words.COMMANDS | words.ADDRESSES | words.PEOPLE | words.HOSTED
    for word in frozenset().union(*tables) - arguments:
        assert inference._split(word) == [word]
