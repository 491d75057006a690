// One call that policy asks about: node consent.mjs GENERATION < what; prints what became of it.
// GENERATION is client2 (with `mode`) or sdk1. What: {url, token, mode, name, arguments, action, grant};
// `action` answers forms (null: the client declares no elicitation), and `grant` {base, token} is another
// person, who decides when the client is shown the page.
import { text } from 'node:stream/consumers';

const what = JSON.parse(await text(process.stdin));
const asked = [];

async function elicited({ params }) {
  asked.push({ mode: params.mode ?? 'form', message: params.message, url: params.url ?? '' });
  if (params.mode !== 'url') {
    const content = what.action === 'accept' ? { approve: true } : undefined;
    return { action: what.action, ...(content && { content }) };
  }
  if (what.grant) {
    const id = params.url.split('/').at(-1);
    const headers = { Authorization: `Bearer ${what.grant.token}` };
    const at = `${what.grant.base}/api/v1/approvals/${id}/grant`;
    const done = await fetch(at, { method: 'POST', headers });
    if (done.status !== 200) throw new Error(await done.text());
  }
  return { action: 'accept' };
}

const requestInit = { headers: { Authorization: `Bearer ${what.token}` } };
const capabilities = what.action ? { elicitation: { form: {}, url: {} } } : {};

async function client2() {
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  const versionNegotiation = { mode: what.mode };
  const client = new Client({ name: 'client2', version: '1' }, { capabilities, versionNegotiation });
  if (what.action) client.setRequestHandler('elicitation/create', elicited);
  await client.connect(new StreamableHTTPClientTransport(new URL(what.url), { requestInit }));
  return { client, version: client.getNegotiatedProtocolVersion() };
}

async function sdk1() {
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
  const { StreamableHTTPClientTransport } = await import(
    '@modelcontextprotocol/sdk/client/streamableHttp.js'
  );
  const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js');
  const client = new Client({ name: 'sdk1', version: '1' }, { capabilities });
  if (what.action) client.setRequestHandler(ElicitRequestSchema, elicited);
  const transport = new StreamableHTTPClientTransport(new URL(what.url), { requestInit });
  await client.connect(transport);
  return { client, version: transport.protocolVersion };
}

const { client, version } = await { client2, sdk1 }[process.argv[2]]();
const call = client.callTool({ name: what.name, arguments: what.arguments });
const outcome = await call.then(
  (result) => ({ says: result.content[0].text }),
  (error) => ({ reason: error.data?.reason ?? `${error}`, data: error.data ?? {} }),
);
process.stdout.write(`${JSON.stringify({ version, asked, ...outcome })}\n`, () => process.exit(0));
