// @modelcontextprotocol/client 2.x: node client2.mjs URL TOKEN FILES REPOSITORY MODE
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { finish, play } from './scenario.mjs';

const [url, token, files, repository, mode] = process.argv.slice(2);
const versionNegotiation = { mode: mode === 'modern' ? { pin: '2026-07-28' } : mode };
const client = new Client({ name: 'test-client-2', version: '1' }, { versionNegotiation });
await client.connect(
  new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
  }),
);
const call = (params, onprogress) => client.callTool(params, { onprogress });
const seen = await play(client, call, files, repository);
finish({ ...seen, version: client.getNegotiatedProtocolVersion() });
await client.close();
