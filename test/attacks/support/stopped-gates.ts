/** Real gates that are told to stop while agents wait, and agents of every kind that wait: for shutdown.test.ts and its like. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { run, start } from '../../cli/run.ts';
import { raw, type Json } from '../../enforce/mcp/support/modern.ts';
import { eventually, operations, people } from '../../support/gate.ts';
import { root } from '../../support/source.ts';

const policies = `
@id("all") permit (principal, action, resource);
@id("work.asks") @title("Work needs a data owner") @approvers("data-owners")
forbid (principal, action in [Action::"up___work", Action::"up___quick"], resource);
@id("refund.large") @title("Large refunds need a data owner") @approvers("data-owners")
forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents > 100 };
`;

/** A configuration's files. @param more keys of its own, such as `shutdown:` and where the store is. */
export const filesOf = (more: string): Readonly<Record<string, string>> => ({
  'countersign.yaml': `${people}${operations}
listen: 127.0.0.1:0
${more}
servers:
  up:
    command: [${JSON.stringify(process.execPath)}, ${JSON.stringify(join(root, 'test/attacks/support/held-upstream.ts'))}]
    env: { HELD_CALLS: calls.log, HELD_RELEASE: release }
`,
  'policies/test.cedar': policies,
});

export interface StoppedGate {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it wrote to standard error. */
  err(): string;
  /** Its exit code, or the signal that ended it, once it has ended. */
  readonly ended: Promise<number | string>;
}

/** Those that were not ended. */
const alive = new Set<ChildProcess>();

/** Ends whatever a test that failed has left. */
export async function endAll(): Promise<void> {
  for (const child of alive) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

export async function serve(
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<StoppedGate> {
  const child = start(['serve'], { cwd: folder, env });
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  alive.add(child);
  child.once('exit', () => alive.delete(child));
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  const listening = once(createInterface({ input: child.stdout }), 'line').then(([line]) => String(line));
  const first = await Promise.race([listening, ended.then(() => null)]);
  if (first === null) assert.fail(`serve ended: ${err}`);
  return { url: first.replace('listening on ', ''), child, err: () => err, ended };
}

export interface Folder {
  readonly path: string;
  token(kind: 'agent' | 'person', id: string): Promise<string>;
  /** How often each call reached the upstream, by `NAME WHAT`. */
  calls(): Readonly<Record<string, number>>;
  /** Lets `work` go on. */
  release(): void;
}

export const folderOf = (path: string, env: Readonly<Record<string, string>> = {}): Folder => ({
  path,
  token: async (kind, id) => (await run(['token', kind, id], { cwd: path, env })).out.trim(),
  calls() {
    const file = join(path, 'calls.log');
    const counts: Record<string, number> = {};
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    for (const line of lines) counts[line] = (counts[line] ?? 0) + 1;
    return counts;
  },
  release: () => writeFileSync(join(path, 'release'), ''),
});

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

export async function api(
  gate: Pick<StoppedGate, 'url'>,
  token: string,
  [method, path, body]: readonly [method: string, path: string, body?: object],
): Promise<Answered> {
  const response = await fetch(gate.url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: json ? JSON.parse(text) : text,
  };
}

/** A client of the official SDK, revision 2025-11-25. */
export async function connect(gate: Pick<StoppedGate, 'url'>, token: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${gate.url}/mcp/up`), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    }),
  );
  return client;
}

const firstText = (result: unknown): string => {
  const [first] = (result as CallToolResult).content;
  return first?.type === 'text' ? first.text : JSON.stringify(result);
};

/** Calls a tool in revision 2025-11-25, on a connection of its own; what it is answered. */
export async function callOlder(
  gate: Pick<StoppedGate, 'url'>,
  token: string,
  tool: string,
  what: string,
): Promise<string> {
  const client = await connect(gate, token);
  try {
    return firstText(await client.callTool({ name: tool, arguments: { what } }));
  } finally {
    await client.close();
  }
}

/** The same in revision 2026-07-28, coming back as long as it is told to. */
export async function callNewer(
  gate: Pick<StoppedGate, 'url'>,
  token: string,
  tool: string,
  what: string,
): Promise<string> {
  let state: Json = {};
  for (;;) {
    const { body } = await raw(gate, 'up', {
      method: 'tools/call',
      params: { name: tool, arguments: { what }, ...state },
      headers: { authorization: `Bearer ${token}` },
    });
    if (body?.result?.resultType !== 'input_required')
      return body?.result === undefined ? JSON.stringify(body) : firstText(body.result);
    state = { requestState: body.result.requestState };
  }
}

/** What waits for people, once so much does. */
export async function pending(
  gate: Pick<StoppedGate, 'url'>,
  person: string,
  count: number,
): Promise<readonly Json[]> {
  let items: readonly Json[] = [];
  await eventually(async () => {
    ({ items } = (await api(gate, person, ['GET', '/v1/approvals?status=pending'])).body);
    return items.length >= count;
  }, `${count} wait for people`);
  return items;
}

export const approve = (gate: Pick<StoppedGate, 'url'>, person: string, held: Json): Promise<Answered> =>
  api(gate, person, [
    'POST',
    `/v1/approvals/${held.id}/reviews`,
    { decision: 'approve', digest: held.digest },
  ]);
