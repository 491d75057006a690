// @modelcontextprotocol/client 2.x with the servers of a plan: node pairs-client2.mjs < plan
import {
  Client,
  LOG_LEVEL_META_KEY,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { answering, play } from './pairs.mjs';

const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };

await play(async (url, token, answers, ear) => {
  const versionNegotiation = { mode: 'auto' };
  const client = new Client({ name: 'client2', version: '1' }, { capabilities, versionNegotiation });
  for (const [method, answer] of Object.entries(answering(ear, answers))) {
    client.setRequestHandler(method, answer);
  }
  const hear = (method, take) => client.setNotificationHandler(method, take);
  hear('notifications/message', ({ params }) => ear.hear('logged', params));
  hear('notifications/resources/updated', ({ params }) => ear.hear('updated', params.uri));
  for (const list of ['tools', 'prompts', 'resources']) {
    hear(`notifications/${list}/list_changed`, () => ear.hear('changed', list));
  }
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), {
      requestInit: { headers: { Authorization: `Bearer ${token}` } },
    }),
  );
  return {
    client,
    version: client.getNegotiatedProtocolVersion(),
    call: ({ name, arguments: given, _meta }, options) =>
      client.callTool({ name, arguments: given, _meta }, options),
    level: async (level) => ({ [LOG_LEVEL_META_KEY]: level }),
    subscribe: (uri) => client.listen({ resourceSubscriptions: [uri] }),
    follow: (list) => client.listen({ [`${list}ListChanged`]: true }),
  };
});
