/**
 * Fidelity: what a real client sees of real servers through the gate is what it sees of them directly. Tools, resources,
 * prompts, completion, progress, logging, subscriptions, cancellation, pagination.
 */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Profile } from '../../src/core/profile.ts';
import type { Upstream } from '../../src/ports/settings.ts';
import {
  allTools,
  command,
  connect,
  eventually,
  everythingStdio,
  fixture,
  opsServer,
  permitAll,
  root,
  startTestGate,
  type TestGate,
} from '../enforce/mcp/support/gate.ts';
import { freePort } from '../support/ports.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-pass-'));
const filesystem = command([
  process.execPath,
  `${root}node_modules/@modelcontextprotocol/server-filesystem/dist/index.js`,
  folder,
]);
const read: Profile = { verb: 'Look', effect: 'read' };

let gate: TestGate;
let everythingHttp: ChildProcess;
let url: string;
const upstreams: Record<string, Upstream> = {
  stdio: everythingStdio,
  files: filesystem,
  ops: opsServer,
  fix: fixture(),
};

/** A port that was free a moment ago. */
async function direct(name: string): Promise<Client> {
  const upstream = upstreams[name];
  assert.ok(upstream !== undefined);
  if (upstream.kind === 'url') return (await connect(upstream.url, {})).client;
  const [program = '', ...args] = upstream.argv;
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(
    new StdioClientTransport({ command: program, args, cwd: upstream.cwd, stderr: 'ignore' }),
  );
  return client;
}

before(async () => {
  writeFileSync(join(folder, 'a.txt'), 'one\ntwo\n');
  const port = await freePort();
  url = `http://127.0.0.1:${port}/mcp`;
  const program = `${root}node_modules/@modelcontextprotocol/server-everything/dist/index.js`;
  everythingHttp = spawn(process.execPath, [program, 'streamableHttp'], {
    env: { ...process.env, PORT: String(port) },
    stdio: 'ignore',
  });
  upstreams['http'] = { kind: 'url', url, headers: { 'x-credential': 'only the gate has it' } };
  await eventually(
    () =>
      connect(url, {}).then(
        (one) => one.close().then(() => true),
        () => false,
      ),
    'the HTTP server',
  );
  // Profiles say "read", so that definitions are shown as they are, without the reason argument.
  const tools: Record<string, Record<string, Profile>> = {};
  for (const name of Object.keys(upstreams)) {
    const client = await direct(name);
    tools[name] = Object.fromEntries((await allTools(client)).map((tool) => [tool.name, read]));
    await client.close();
  }
  gate = await startTestGate({
    servers: upstreams,
    tools,
    policies: `${permitAll}@id("q") @title("May ask") permit (principal, action == Action::"http___trigger-elicitation-request:input", resource);\n`,
  });
});
after(async () => {
  await gate.close();
  everythingHttp.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** The same, done directly and through the gate. */
async function both<T>(name: string, what: (client: Client) => Promise<T>): Promise<readonly [T, T]> {
  const [one, two] = [await direct(name), (await gate.client(name)).client];
  try {
    return [await what(one), await what(two)];
  } finally {
    await one.close();
    await two.close();
  }
}
async function same(name: string, what: (client: Client) => Promise<unknown>): Promise<void> {
  const [one, two] = await both(name, what);
  assert.deepEqual(two, one);
}

const withoutTasks = (client: Client): unknown => {
  const { tasks: _tasks, ...rest } = client.getServerCapabilities() ?? {};
  return [rest, client.getServerVersion(), client.getInstructions()];
};

for (const name of ['stdio', 'http', 'files', 'ops']) {
  describe(`${name}: the same as directly`, () => {
    test('capabilities (but for tasks), version, instructions', () =>
      same(name, (client) => Promise.resolve(withoutTasks(client))));
    test('definitions of tools', () => same(name, allTools));
    test('ping', () => same(name, (client) => client.ping()));
    test('the error for an unknown method of the upstream', () =>
      same(name, (client) =>
        client
          .complete({ ref: { type: 'ref/prompt', name: 'none' }, argument: { name: 'a', value: '' } })
          .catch((error: unknown) => String(error)),
      ));
  });
}

for (const name of ['stdio', 'http']) {
  describe(`${name}: everything`, () => {
    test('results of tools: text, images, structured, links, annotations', () =>
      same(name, async (client) => [
        await client.callTool({ name: 'echo', arguments: { message: 'höllo ⟨\u202e⟩ \u0000' } }),
        await client.callTool({ name: 'get-sum', arguments: { a: 0.1, b: 0.2 } }),
        await client.callTool({ name: 'get-tiny-image', arguments: {} }),
        await client.callTool({ name: 'get-structured-content', arguments: { location: 'Chicago' } }),
        await client.callTool({
          name: 'get-annotated-message',
          arguments: { messageType: 'error', includeImage: true },
        }),
        await client.callTool({ name: 'get-resource-links', arguments: { count: 3 } }),
      ]));
    test('resources: lists, pages, templates, contents', () =>
      same(name, async (client) => {
        const pages = [];
        let cursor: string | undefined;
        do {
          const page = await client.listResources(cursor === undefined ? {} : { cursor });
          pages.push(page);
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        const [first] = pages[0]?.resources ?? [];
        assert.ok(first !== undefined);
        return [pages, await client.listResourceTemplates(), await client.readResource({ uri: first.uri })];
      }));
    test('the error for a resource that is not there', () =>
      same(name, (client) =>
        client
          .readResource({ uri: 'test://nothing' })
          .catch((error: { code: number; message: string }) => [error.code, error.message]),
      ));
    test('prompts and completions', () =>
      same(name, async (client) => {
        const { prompts } = await client.listPrompts();
        return [
          prompts,
          await client.getPrompt({ name: 'simple-prompt' }),
          await client.getPrompt({ name: 'args-prompt', arguments: { city: 'Bern' } }),
          await client.complete({
            ref: { type: 'ref/prompt', name: 'completable-prompt' },
            argument: { name: 'department', value: 'E' },
          }),
        ];
      }));
    test('progress, in order and before the result', async () => {
      const [one, two] = await both(name, async (client) => {
        const seen: unknown[] = [];
        const result = await client.callTool(
          { name: 'trigger-long-running-operation', arguments: { duration: 0.3, steps: 6 } },
          undefined,
          { onprogress: (progress) => seen.push(progress) },
        );
        return { seen, result };
      });
      assert.deepEqual(two.result, one.result);
      // The SDK's client drops progress that it reads together with the result: the last one may be missing, either way.
      const all = [1, 2, 3, 4, 5, 6].map((progress) => ({ progress, total: 6 }));
      for (const { seen } of [one, two]) assert.deepEqual(seen, all.slice(0, Math.max(seen.length, 5)));
    });
    test('log messages of the upstream reach the agent, at the level that it set', async () => {
      await both(name, async (client) => {
        const logged = new Promise<unknown>((resolve) => {
          client.setNotificationHandler(LoggingMessageNotificationSchema, (message) =>
            resolve(message.params.data),
          );
        });
        await client.setLoggingLevel('debug');
        await client.callTool({ name: 'toggle-simulated-logging', arguments: {} });
        assert.match(String(await logged), /level.message/i);
        await client.callTool({ name: 'toggle-simulated-logging', arguments: {} });
      });
    });
    test('a subscribed resource’s updates reach the agent', async () => {
      await both(name, async (client) => {
        const uri = (await client.listResources()).resources[0]?.uri ?? '';
        const updated = new Promise<string>((resolve) => {
          client.setNotificationHandler(ResourceUpdatedNotificationSchema, (message) =>
            resolve(message.params.uri),
          );
        });
        await client.subscribeResource({ uri });
        await client.callTool({ name: 'toggle-subscriber-updates', arguments: {} });
        assert.equal(await updated, uri);
        await client.callTool({ name: 'toggle-subscriber-updates', arguments: {} });
      });
    });
    test('a cancelled request rejects at once, and the connection goes on', async () => {
      await both(name, async (client) => {
        const stop = new AbortController();
        const long = client.callTool(
          { name: 'trigger-long-running-operation', arguments: { duration: 60, steps: 2 } },
          undefined,
          { signal: stop.signal },
        );
        await client.ping();
        stop.abort('enough');
        await assert.rejects(long);
        await client.callTool({ name: 'echo', arguments: { message: 'still here' } });
      });
    });
  });
}

test('files: a read and a listing', () =>
  same('files', async (client) => [
    await client.callTool({ name: 'read_text_file', arguments: { path: join(folder, 'a.txt') } }),
    await client.callTool({ name: 'list_directory', arguments: { path: folder } }),
    await client.callTool({ name: 'read_text_file', arguments: { path: '/etc/passwd' } }),
  ]));

test('ops: resources, prompts, and a log message of a write', () =>
  same('ops', async (client) => {
    const logged = new Promise<unknown>((resolve) => {
      client.setNotificationHandler(LoggingMessageNotificationSchema, (message) => resolve(message.params));
    });
    const list = await client.callTool({ name: 'list_clusters', arguments: {} });
    await client.callTool({
      name: 'grant_role',
      arguments: { principal: 'x', role: 'viewer', scope: 'staging' },
    });
    return [
      list,
      await logged,
      await client.readResource({ uri: 'ops://runbook' }),
      await client.getPrompt({ name: 'triage-incident', arguments: { cluster: 'c' } }),
    ];
  }));

test('pages of tools are the upstream’s pages', () =>
  same('fix', async (client) => {
    const sizes = [];
    let cursor: string | undefined;
    do {
      const page = await client.listTools(cursor === undefined ? {} : { cursor });
      sizes.push([page.tools.map((tool) => tool.name), page.nextCursor]);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return sizes;
  }));

test('list_changed reaches the agent', async () => {
  const { client } = await gate.client('fix');
  const told = new Promise<void>((resolve) => {
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve());
  });
  const env = (await client.callTool({ name: 'env', arguments: {} })) as unknown as {
    content: [{ text: string }];
  };
  process.kill((JSON.parse(env.content[0].text) as { pid: number }).pid, 'SIGUSR2');
  await told;
});

test('questions on a request’s own stream: permitted for one tool, refused for another', async () => {
  const { client } = await gate.client('http', { capabilities: { elicitation: {}, sampling: {} } });
  const asked: string[] = [];
  client.setRequestHandler(ElicitRequestSchema, () => {
    asked.push('elicitation');
    return { action: 'decline' as const };
  });
  client.setRequestHandler(CreateMessageRequestSchema, () => {
    asked.push('sampling');
    return { model: 'm', role: 'assistant' as const, content: { type: 'text' as const, text: 'x' } };
  });
  const declined = await client.callTool({ name: 'trigger-elicitation-request', arguments: {} });
  assert.match(JSON.stringify(declined), /declined/);
  const refused = await client.callTool({
    name: 'trigger-sampling-request',
    arguments: { prompt: 'x', maxTokens: 5 },
  });
  assert.match(JSON.stringify(refused), /refused by policy/);
  assert.deepEqual(asked, ['elicitation']);
});

test('older revisions are agreed on between agent and upstream', async () => {
  for (const version of ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']) {
    const response = await fetch(`${gate.url}/mcp/ops`, {
      method: 'POST',
      headers: {
        authorization: 'Bearer crm-bot',
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: version, capabilities: {}, clientInfo: { name: 't', version: '1' } },
      }),
    });
    const text = await response.text();
    const { result } = JSON.parse(text.startsWith('{') ? text : (/data: (.*)/.exec(text)?.[1] ?? '')) as {
      result: { protocolVersion: string };
    };
    assert.equal(result.protocolVersion, version);
  }
});
