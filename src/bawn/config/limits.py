"""Every bound of the gate, as a named setting."""

from __future__ import annotations

from bawn.config.section import Count, Seconds, Section, setting


class Limits(Section):
    """Every bound of the gate. Sizes are bytes, times are seconds."""

    body: Count = setting(4 << 20, "Largest request body.")
    result: Count = setting(4 << 20, "Largest result or single event held, inspected and released.")
    held: Count = setting(
        256 << 20,
        "Bytes of large request bodies that a worker holds at once, and as many again of results; more wait.",
    )
    header: Count = setting(
        16 << 10, "Largest HTTP header section of a request, request line included."
    )
    header_count: Count = setting(100, "Most header fields of a request.")
    header_time: Seconds = setting(
        10.0, "Time for a request header to arrive once it has begun, to within 5 s."
    )
    body_time: Seconds = setting(30.0, "Time for a request body to arrive, to within 5 s.")
    idle: Seconds = setting(75.0, "Time that a client's connection may rest, to within 5 s.")
    clients: Count = setting(4096, "Connections of clients to one worker.")
    clients_per_address: Count = setting(
        1024,
        "Connections of one address to one worker; behind a trusted proxy, its requests in flight.",
    )
    json_depth: Count = setting(64, "Deepest nesting of a JSON message.")
    json_nodes: Count = setting(100_000, "Most values in one JSON message.")
    servers: Count = setting(128, "Most servers behind one gate.")
    tools: Count = setting(10_000, "Most tools, and most of every other kind, of one server.")
    page: Count = setting(1_000, "Entries on one page of a list.")
    calls_per_principal: Count = setting(128, "Calls of one principal in flight.")
    calls_per_server: Count = setting(256, "Calls to one server in flight.")
    connect: Seconds = setting(5.0, "Time to connect to a server.")
    first_byte: Seconds = setting(60.0, "Time until a server begins to answer.")
    total: Seconds = setting(300.0, "Time a call may take in all.")
    start: Seconds = setting(30.0, "Time a local server may take to start and introduce itself.")
    stop: Seconds = setting(5.0, "Time a local server gets to end by itself before it is killed.")
    connections: Count = setting(256, "Pooled connections to one server.")
    children_per_principal: Count = setting(
        16, "Processes of one local server that one principal may have, over all isolation keys."
    )
    tokens: Count = setting(10_000, "Verified tokens that are remembered.")
    input: Seconds = setting(600.0, "Time a caller has to answer what a server asks.")
    rounds: Count = setting(16, "How often a server may ask during one call of a legacy client.")
    parked: Count = setting(
        16, "Calls of one principal that wait, at one worker, for what their server asked."
    )
    listens: Count = setting(32, "Streams of notifications of one principal at one worker.")
    subscriptions: Count = setting(256, "Resources and tasks that one stream may be told of.")
    batch: Count = setting(64, "Most messages in one batch of a 2025-03-26 client.")
    resume: Seconds = setting(
        30.0, "Time for a legacy client to come back for a stream that was interrupted."
    )
    replay: Count = setting(
        1 << 20, "Bytes of a legacy session's streams that are kept, to be told again."
    )
