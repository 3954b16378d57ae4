/**
 * A gate of just the parts that MCP needs, with the real store, policy engine and world, on a free loopback port; and real
 * MCP clients in front of it. An agent's token is its name.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomFillSync } from 'node:crypto';
import { Client, type ClientOptions } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { keepDeadlines } from '../../../../src/app/deadlines.ts';
import { limitDefaults, type Limits, type Parts } from '../../../../src/app/parts.ts';
import { review } from '../../../../src/app/review.ts';
import { createPaces } from '../../../../src/app/pace.ts';
import { createTurns } from '../../../../src/app/turns.ts';
import { createWaiters } from '../../../../src/app/waiters.ts';
import { createWorld, type World } from '../../../../src/app/world.ts';
import type { Proposed } from '../../../../src/app/world-held.ts';
import type { Case } from '../../../../src/core/case.ts';
import type { Directory } from '../../../../src/core/directory.ts';
import { asAgentId, asGroupId, asPersonId } from '../../../../src/core/ids.ts';
import type { Entry } from '../../../../src/core/entry.ts';
import type { Profile } from '../../../../src/core/profile.ts';
import { createMcpFront, type McpFront } from '../../../../src/enforce/mcp/front.ts';
import type { McpLimits } from '../../../../src/enforce/mcp/sessions.ts';
import { serve } from '../../../../src/http/server.ts';
import { createPolicyEngine } from '../../../../src/policy/engine.ts';
import type { ServerSettings, Upstream } from '../../../../src/ports/settings.ts';
import type { Store } from '../../../../src/ports/store.ts';
import { openSqlite } from '../../../../src/store/sqlite.ts';
import { acceptOutright } from '../../../support/accept.ts';

export const root = new URL('../../../../', import.meta.url).pathname;

const person = (id: string, name: string, ...groups: string[]) => ({
  id: asPersonId(id),
  name,
  groups: groups.map(asGroupId),
});

export const directory: Directory = {
  people: [
    person('sam', 'Sam Lee', 'data-owners', 'platform'),
    person('rosa', 'Rosa Diaz', 'data-owners'),
    person('mia', 'Mia Chen', 'data-owners', 'security'),
  ],
  agents: [
    { id: asAgentId('crm-bot'), owners: [asPersonId('sam')], groups: [] },
    { id: asAgentId('other-bot'), owners: [asPersonId('sam')], groups: [] },
  ],
  roles: { operators: asGroupId('platform'), auditors: null },
};

export const permitAll = '@id("all") @title("Agents may act") permit (principal, action, resource);\n';

/** A requirement on one operation. */
export const reviewOf = (operation: string, more = ''): string =>
  `@id("review.${operation}") @title("Needs a data owner") @approvers("data-owners") ${more}\nforbid (principal, action == Action::"${operation}", resource);\n`;

export const policyTexts = (text: string): Proposed => ({
  kind: 'texts',
  texts: { policies: [{ file: 'test.cedar', text }], schemas: [], entities: null },
});

export interface GateOptions {
  readonly servers: Readonly<Record<string, Upstream>>;
  readonly policies?: string;
  readonly tools?: Readonly<Record<string, Readonly<Record<string, Profile>>>>;
  readonly pin?: 'first-sight' | 'manual';
  readonly limits?: Partial<Limits>;
  readonly mcp?: Partial<McpLimits>;
}

export interface TestGate {
  readonly url: string;
  readonly parts: Parts;
  readonly store: Store;
  readonly world: World;
  readonly front: McpFront;
  readonly log: readonly string[];
  readonly settings: Map<string, ServerSettings>;
  /** Replaces the policies (and takes the servers as they are in `settings` now). */
  propose(policies: string): Promise<void>;
  client(server: string, options?: ClientOptions, agent?: string): Promise<AgentClient>;
  /** The one approval that is open. */
  pending(): Promise<Case>;
  decide(held: Case, by: string, decision: 'approve' | 'deny', reason?: string): Promise<void>;
  entries(type?: string): Promise<readonly Entry[]>;
  close(): Promise<void>;
}

export interface AgentClient {
  readonly client: Client;
  readonly transport: StreamableHTTPClientTransport;
  close(): Promise<void>;
}

export async function startTestGate(options: GateOptions): Promise<TestGate> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-mcp-'));
  const store = await openSqlite({ directory: folder, channels: [] });
  const waiters = createWaiters();
  const stopWaking = store.onChange((changed) => waiters.wake(changed));
  const policy = createPolicyEngine();
  const random = { bytes: (count: number) => randomFillSync(new Uint8Array(count)) };
  const world = createWorld({ store, policy, clock: { nowMs: () => Date.now() }, random });
  const settings = new Map<string, ServerSettings>(
    Object.entries(options.servers).map(([name, upstream]) => [
      name,
      {
        name,
        upstream,
        pin: options.pin ?? 'first-sight',
        mode: 'enforce',
        modes: {},
        tools: options.tools?.[name] ?? {},
      },
    ]),
  );
  const log: string[] = [];
  let handler: (request: Request) => Promise<Response> = () =>
    Promise.resolve(new Response(null, { status: 503 }));
  const served = await serve((request) => handler(request), { host: '127.0.0.1', port: 0 });
  const parts: Parts = {
    store,
    policy,
    clock: { nowMs: () => Date.now() },
    random,
    waiters,
    turns: createTurns(),
    pace: createPaces(),
    world,
    limits: { ...limitDefaults, ...options.limits },
    origin: served.url,
  };
  const propose = async (policies: string): Promise<void> => {
    const proposal = { directory, servers: [...settings.values()], operations: [] };
    const texts = policyTexts(policies);
    if (texts.kind === 'texts') await acceptOutright(parts, proposal, texts.texts);
    const problems = await world.propose(proposal, texts);
    assert.deepEqual(
      problems.filter((one) => one.severity === 'error'),
      [],
    );
  };
  await propose(options.policies ?? permitAll);
  const front = createMcpFront({
    parts,
    server: (name) => settings.get(name),
    log: (line) => log.push(line),
    limits: options.mcp ?? {},
  });
  handler = (request) => {
    const agent = request.headers.get('authorization')?.replace('Bearer ', '') ?? '';
    const server = new URL(request.url).pathname.slice('/mcp/'.length);
    return front.handle(request, { agent: asAgentId(agent), server });
  };
  const deadlines = keepDeadlines(parts);
  const clients = new Set<AgentClient>();
  return {
    url: served.url,
    parts,
    store,
    world,
    front,
    log,
    settings,
    propose,
    client: async (server, clientOptions = {}, agent = 'crm-bot') => {
      const made = await connect(
        `${served.url}/mcp/${server}`,
        { authorization: `Bearer ${agent}` },
        clientOptions,
      );
      clients.add(made);
      return made;
    },
    pending: () => pendingIn(store),
    decide: async (held, by, decision, reason) => {
      assert.ok(held.approval !== null);
      const input = {
        decision,
        digest: held.asked.digest,
        reason: reason ?? null,
        unsafe: false,
        channel: 'web',
        shownWhole: true,
      } as const;
      const result = await review(parts, { kind: 'person', id: asPersonId(by) }, held.approval.id, input);
      assert.ok(result.ok, JSON.stringify(result));
    },
    entries: async (type) => {
      const all = (await store.entries(-1, 1000)).map((sealed) => sealed.entry);
      return type === undefined ? all : all.filter((entry) => entry.type === type);
    },
    close: async () => {
      await Promise.all([...clients].map((one) => one.close().catch(() => undefined)));
      await front.close();
      await served.close();
      deadlines.stop();
      stopWaking();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function connect(
  url: string,
  headers: Record<string, string>,
  options: ClientOptions = {},
): Promise<AgentClient> {
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  const client = new Client({ name: 'test', version: '1' }, options);
  await client.connect(transport);
  return { client, transport, close: () => client.close() };
}

/** All pages of tools. */
export async function allTools(client: Client): Promise<Awaited<ReturnType<Client['listTools']>>['tools']> {
  const tools = [];
  let cursor: string | undefined;
  do {
    const page = await client.listTools(cursor === undefined ? {} : { cursor });
    tools.push(...page.tools);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return tools;
}

/** Waits for the one open approval. */
async function pendingIn(store: Store): Promise<Case> {
  return eventually(async () => (await store.held({ status: 'pending', limit: 10 }))[0], 'an open approval');
}

/** Looks again until something is there; fails after 15 s. */
export async function eventually<T>(
  look: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  what: string,
): Promise<T> {
  const end = Date.now() + 15_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found;
    assert.ok(Date.now() < end, `never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A command upstream of this checkout. */
export const command = (argv: readonly string[], env: Record<string, string> = {}): Upstream => ({
  kind: 'command',
  argv,
  cwd: root,
  env,
});

export const everythingStdio = command([
  process.execPath,
  `${root}node_modules/@modelcontextprotocol/server-everything/dist/index.js`,
  'stdio',
]);
export const opsServer = command([process.execPath, `${root}examples/ops-server/server.ts`]);
export const fixture = (...args: string[]): Upstream =>
  command([process.execPath, `${root}test/enforce/mcp/support/fixture.ts`, ...args]);
