// @modelcontextprotocol/sdk 1.x with the servers of a plan: node pairs-sdk1.mjs < plan
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as types from '@modelcontextprotocol/sdk/types.js';
import { answering, play } from './pairs.mjs';

const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
const REQUESTS = {
  'elicitation/create': types.ElicitRequestSchema,
  'sampling/createMessage': types.CreateMessageRequestSchema,
  'roots/list': types.ListRootsRequestSchema,
};
const CHANGES = {
  tools: types.ToolListChangedNotificationSchema,
  prompts: types.PromptListChangedNotificationSchema,
  resources: types.ResourceListChangedNotificationSchema,
};

await play(async (url, token, answers, ear) => {
  const client = new Client({ name: 'sdk1', version: '1' }, { capabilities });
  for (const [method, answer] of Object.entries(answering(ear, answers))) {
    client.setRequestHandler(REQUESTS[method], answer);
  }
  const hear = (schema, take) => client.setNotificationHandler(schema, take);
  hear(types.LoggingMessageNotificationSchema, ({ params }) => ear.hear('logged', params));
  hear(types.ResourceUpdatedNotificationSchema, ({ params }) => ear.hear('updated', params.uri));
  for (const [list, schema] of Object.entries(CHANGES)) {
    hear(schema, () => ear.hear('changed', list));
  }
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
  });
  await client.connect(transport);
  return {
    client,
    version: transport.protocolVersion,
    call: ({ name, arguments: given, _meta }, options) =>
      client.callTool({ name, arguments: given, _meta }, undefined, options),
    level: async (level) => void (await client.setLoggingLevel(level)),
    subscribe: (uri) => client.subscribeResource({ uri }),
    follow: async () => {},
  };
});
