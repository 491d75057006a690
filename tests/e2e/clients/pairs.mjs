// What a TypeScript client does with every server of a plan; prints one JSON object of what it saw.
// Plan, on standard input: {url, token, answers, servers: {name: {feature: step}}}; see ../pairs.py.
// `connect(url, token, answers, ear)` hides what differs between the two generations of the SDK.
import { text } from 'node:stream/consumers';

const PATIENCE = 40_000;

/** What one connection hears, and how to wait for it. */
class Ear {
  asked = [];
  logged = [];
  updated = [];
  changed = [];
  #waiting = [];

  hear(kind, value) {
    this[kind].push(value);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async until(true_) {
    while (!true_()) await new Promise((resolve) => this.#waiting.push(resolve));
  }
}

const named = (list, key = 'name') => list.map((entry) => entry[key]);
const said = (result) => result.content.map((block) => block.text ?? '').join('\n');
const SEES = {
  tools: async ({ client }) => ({ names: named((await client.listTools()).tools) }),
  call: async ({ call }, step) => ({ says: said(await call(step)) }),
  async prompts({ client }, { name, arguments: given }) {
    const names = named((await client.listPrompts()).prompts);
    const got = await client.getPrompt({ name, arguments: given });
    return { names, says: got.messages[0].content.text };
  },
  async resources({ client }, { uri }) {
    const names = named((await client.listResources()).resources, 'uri');
    return { names, says: (await client.readResource({ uri })).contents[0].text };
  },
  async templates({ client }, { uri }) {
    const { resourceTemplates } = await client.listResourceTemplates();
    const says = (await client.readResource({ uri })).contents[0].text;
    return { names: named(resourceTemplates, 'uriTemplate'), says };
  },
  async completion({ client }, { ref, argument, context }) {
    const asked = { ref, argument, ...(context && { context: { arguments: context } }) };
    return { values: (await client.complete(asked)).completion.values };
  },
  elicitation: asked,
  url: asked,
  sampling: asked,
  roots: asked,
  async progress({ call }, step) {
    const steps = [];
    const result = await call(step, { onprogress: ({ progress }) => steps.push(progress) });
    return { steps, says: said(result) };
  },
  async cancellation({ call }, step) {
    const giveUp = new AbortController();
    const onprogress = () => giveUp.abort('enough');
    return call(step, { onprogress, signal: giveUp.signal }).then(
      (result) => ({ says: said(result) }),
      (error) => (giveUp.signal.aborted ? { cancelled: true } : Promise.reject(error)),
    );
  },
  async logging({ call, ear, level }, step) {
    const meta = await level('debug');
    const says = said(await call({ ...step, _meta: meta }));
    await ear.until(() => ear.logged.length);
    return { says, logged: ear.logged };
  },
  async links({ client, call }, step) {
    const { uri } = (await call(step)).content.find((block) => block.type === 'resource_link');
    const [{ blob, text: words }] = (await client.readResource({ uri })).contents;
    return { link: uri, size: (blob ?? words).length };
  },
  async updates({ call, ear, subscribe }, step) {
    await subscribe(step.uri);
    await call(step);
    await ear.until(() => ear.updated.length);
    return { updated: ear.updated };
  },
  async changes({ call, ear, follow }, step) {
    await follow(step.list);
    await call(step);
    await ear.until(() => ear.changed.includes(step.list));
    return { changed: ear.changed };
  },
};

async function asked({ call, ear }, step) {
  ear.asked.length = 0;
  return { says: said(await call(step)), asked: [...ear.asked] };
}

/** The client's answers, and what it was asked on the way. */
export function answering(ear, answers) {
  return {
    'elicitation/create': ({ params }) => {
      ear.hear('asked', params.mode === 'url' ? params.url : params.message);
      return params.mode === 'url'
        ? { action: 'accept' }
        : { action: 'accept', content: answers.form };
    },
    'sampling/createMessage': ({ params }) => {
      const content = params.messages[0].content;
      ear.hear('asked', (Array.isArray(content) ? content[0] : content).text);
      return { role: 'assistant', model: 'm', content: { type: 'text', text: answers.model } };
    },
    'roots/list': () => {
      ear.hear('asked', 'roots');
      return { roots: [answers.root] };
    },
  };
}

async function within(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${PATIENCE} ms`)), PATIENCE);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function visit(connect, url, token, answers, steps) {
  const ear = new Ear();
  const seen = {};
  const peer = await within(connect(url, token, answers, ear)).then(
    (made) => ({ ...made, ear }),
    (error) => error,
  );
  for (const [feature, step] of Object.entries(steps)) {
    if (peer instanceof Error) seen[feature] = { failed: `connect: ${peer}` };
    else seen[feature] = await within(SEES[feature](peer, step)).catch((e) => ({ failed: `${e}` }));
  }
  if (peer instanceof Error) return { seen };
  const { version } = peer;
  await within(peer.client.close()).catch(() => {});
  return { version, seen };
}

export async function play(connect) {
  const { url, token, answers, servers } = JSON.parse(await text(process.stdin));
  const visits = Object.entries(servers).map(async ([name, steps]) => [
    name,
    await visit(connect, `${url}/${name}`, token, { ...answers }, steps),
  ]);
  const all = Object.fromEntries(await Promise.all(visits));
  process.stdout.write(`${JSON.stringify(all)}\n`, () => process.exit(0));
}
