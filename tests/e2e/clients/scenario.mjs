// What every TypeScript client does through the gate; prints one JSON object of what it saw.

/** `call(params, onprogress)` hides the one difference between the two generations of the SDK. */
export async function play(client, call, files, repository) {
  const tool = async (name, args) => (await call({ name, arguments: args })).content[0].text;
  const named = (list, key = 'name') => list.map((entry) => entry[key]);
  const progress = [];
  const seen = {
    tools: named((await client.listTools()).tools),
    prompts: named((await client.listPrompts()).prompts),
    resources: named((await client.listResources()).resources, 'uri'),
    templates: named((await client.listResourceTemplates()).resourceTemplates, 'uriTemplate'),
    file: await tool('files__read_text_file', { path: `${files}/hello.txt` }),
    log: await tool('git__git_log', { repo_path: repository, max_count: 1 }),
    time: JSON.parse(
      await tool('time__convert_time', {
        source_timezone: 'UTC',
        time: '12:00',
        target_timezone: 'Asia/Tokyo',
      }),
    ),
    sum: await tool('everything__get-sum', { a: 2, b: 3 }),
  };
  seen.resource = (await client.readResource({ uri: seen.resources[0] })).contents[0];
  const prompt = { name: 'everything__args-prompt', arguments: { city: 'Cork' } };
  seen.prompt = (await client.getPrompt(prompt)).messages[0].content.text;
  await call(
    { name: 'everything__trigger-long-running-operation', arguments: { duration: 0.4, steps: 4 } },
    (told) => progress.push(told.progress),
  );
  seen.progress = progress;
  seen.unknown = await tool('nobody__nothing', {}).catch((error) => error.code);
  return seen;
}

export function finish(seen) {
  process.stdout.write(`${JSON.stringify(seen)}\n`);
}
