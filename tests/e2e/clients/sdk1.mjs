// @modelcontextprotocol/sdk 1.x, a legacy client: node sdk1.mjs URL TOKEN FILES REPOSITORY
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { finish, play } from './scenario.mjs';

const [url, token, files, repository] = process.argv.slice(2);
const client = new Client({ name: 'test-sdk-1', version: '1' });
const transport = new StreamableHTTPClientTransport(new URL(url), {
  requestInit: { headers: { Authorization: `Bearer ${token}` } },
});
await client.connect(transport);
const call = (params, onprogress) => client.callTool(params, undefined, { onprogress });
const seen = await play(client, call, files, repository);
finish({ ...seen, version: transport.protocolVersion, session: transport.sessionId !== undefined });
await client.close();
