-- The load: modern tools/call requests, each with an id and a mark of its own.
-- The environment says what to send; `done` prints one line of JSON.
local tool, size = os.getenv("BENCH_TOOL"), os.getenv("BENCH_SIZE")
local bearer = os.getenv("BENCH_BEARER")
local head, count

function init()
  head = table.concat({
    "POST " .. wrk.path .. " HTTP/1.1",
    "Host: " .. wrk.host .. ":" .. wrk.port,
    "Content-Type: application/json",
    "Accept: application/json, text/event-stream",
    "MCP-Protocol-Version: 2026-07-28",
    "Mcp-Method: tools/call",
    "Mcp-Name: " .. tool,
    "Authorization: Bearer " .. bearer,
    "Content-Length: ",
  }, "\r\n")
  count = 0
end

function request()
  count = count + 1
  local body = '{"jsonrpc":"2.0","id":' .. count
    .. ',"method":"tools/call","params":{"name":"' .. tool
    .. '","arguments":{"size":' .. size .. ',"mark":"call-' .. count
    .. '"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
    .. '"io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},'
    .. '"io.modelcontextprotocol/clientCapabilities":{}}}}'
  return head .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"calls":%d,"us":%d,"bytes":%d,"p50_us":%.1f,"p99_us":%.1f,"failed":%d}\n',
    summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
