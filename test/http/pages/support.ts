/**
 * A gate for tests of the pages: real store, real Cedar, real HTTP handler. Used by unit tests (no port) and, listening, by
 * the browser tests.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authorize, type Attempt } from '../../../src/app/authorize.ts';
import { limitDefaults, type Limits, type Parts } from '../../../src/app/parts.ts';
import { serverShown, type About } from '../../../src/app/about.ts';
import { createBoard, type ReadBoard } from '../../../src/app/standing.ts';
import { createPaces } from '../../../src/app/pace.ts';
import { createTurns } from '../../../src/app/turns.ts';
import { createWaiters } from '../../../src/app/waiters.ts';
import { createWorld } from '../../../src/app/world.ts';
import type { Case } from '../../../src/core/case.ts';
import type { Directory } from '../../../src/core/directory.ts';
import { asAgentId, asGroupId, asPersonId, type ApprovalId } from '../../../src/core/ids.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { Profile } from '../../../src/core/profile.ts';
import { createPages } from '../../../src/http/pages/pages.ts';
import { createHttp, serve } from '../../../src/http/server.ts';
import { newLink } from '../../../src/identity/sessions.ts';
import { createIdentity } from '../../../src/identity/tokens.ts';
import { createPolicyEngine } from '../../../src/policy/engine.ts';
import type { Random } from '../../../src/ports/random.ts';
import type { Proposal } from '../../../src/ports/settings.ts';
import { openSqlite } from '../../../src/store/sqlite.ts';

const random: Random = { bytes: (count) => new Uint8Array(randomBytes(count)) };
const person = (id: string, name: string, ...groups: string[]) => ({
  id: asPersonId(id),
  name,
  groups: groups.map(asGroupId),
});

/** Sam owns the agent, is an approver and an operator; Olga is an operator who owns nothing; Ada only audits. */
export const directory: Directory = {
  people: [
    person('sam', 'Sam Lee', 'data-owners', 'platform'),
    person('rosa', 'Rosa Diaz', 'data-owners', 'security'),
    person('mia', 'Mia Chen', 'data-owners', 'security'),
    person('lee', 'Lee Park', 'security'),
    person('ada', 'Ada Berg', 'audit'),
    person('tom', 'Tom Fox'),
    person('olga', 'Olga Novak', 'platform'),
  ],
  agents: [
    { id: asAgentId('crm-bot'), owners: [asPersonId('sam')], groups: [asGroupId('support-agents')] },
    { id: asAgentId('mail-bot'), owners: [asPersonId('rosa')], groups: [] },
  ],
  roles: { operators: asGroupId('platform'), auditors: asGroupId('audit') },
};

const tools: Readonly<Record<string, Profile>> = {
  export_rows: {
    verb: 'Export',
    effect: 'export',
    environment: 'prod',
    reversible: false,
    resource: { type: 'Dataset', id: 'input.table' },
    consequence: 'The rows leave this company: whoever controls the destination keeps a copy.',
    preview: { tool: 'count_rows', input: { table: 'input.table', where: 'input.where' }, count: 'rows' },
  },
  grant_role: {
    verb: 'Grant',
    effect: 'grant',
    environment: 'prod',
    reversible: true,
    resource: { type: 'Role', id: 'input.role' },
    consequence: 'The grantee can do everything that the role allows, at once.',
    before: { tool: 'list_roles', input: { principal: 'input.principal' } },
  },
  delete_region: {
    verb: 'Delete region',
    effect: 'delete',
    environment: 'prod',
    reversible: false,
    resource: { type: 'Region', id: 'input.region' },
    consequence: 'All clusters of the region are deleted with their volumes.',
    preview: { tool: 'describe_region', input: { region: 'input.region' } },
  },
  write_file: {
    verb: 'Write',
    effect: 'write',
    environment: 'staging',
    reversible: true,
    object: 'input.path',
    resource: { type: 'File', id: 'input.path' },
    before: { tool: 'read_file', input: { path: 'input.path' } },
  },
};

const policies = `
@id("all") @title("Agents may ask") permit (principal, action, resource);
@id("export.customers") @title("Bulk export of customer data needs a data owner") @approvers("data-owners")
forbid (principal, action == Action::"ops___export_rows", resource) when { context.input.table == "customers" };
@id("grant.admin") @title("The admin role is granted by two people from security") @approvers("security") @quorum("2") @reason("required")
forbid (principal, action == Action::"ops___grant_role", resource) when { context.input.role == "admin" };
@id("delete.region") @title("A region is deleted only with a data owner’s consent") @approvers("data-owners") @ttl("PT20M")
forbid (principal, action == Action::"ops___delete_region", resource);
@id("write.config") @title("Configuration is changed by two eyes more") @approvers("data-owners")
forbid (principal, action == Action::"ops___write_file", resource);
@id("script") @title("Scripts need somebody from security") @approvers("security")
forbid (principal, action == Action::"ops___run_script", resource);
`;

const proposalOf = (observe: boolean): Proposal => ({
  directory,
  servers: [
    {
      name: 'ops',
      upstream: { kind: 'url', url: 'http://ops.test/mcp', headers: {} },
      pin: 'first-sight',
      mode: observe ? 'observe' : 'enforce',
      modes: {},
      tools,
    },
  ],
  operations: [],
});

const text = { type: 'string' };
const definitions: readonly JsonObject[] = [
  {
    name: 'export_rows',
    inputSchema: {
      type: 'object',
      properties: { table: text, where: { type: 'object' }, format: text, destination: text },
      required: ['table'],
    },
  },
  {
    name: 'grant_role',
    inputSchema: {
      type: 'object',
      properties: { principal: text, role: text, scope: text, expires: text },
      required: ['role'],
    },
  },
  { name: 'delete_region', inputSchema: { type: 'object', properties: { region: text, confirm: text } } },
  { name: 'write_file', inputSchema: { type: 'object', properties: { path: text, content: text } } },
  { name: 'run_script', inputSchema: { type: 'object' } },
];

export interface Session {
  readonly cookie: string;
  readonly csrf: string;
}

export interface PagesGate {
  readonly parts: Parts;
  readonly board: ReadBoard;
  readonly origin: string;
  readonly clock: { nowMs: number };
  readonly handler: (request: Request) => Promise<Response>;
  /** The token of a fresh sign-in link. */
  link(id: string): Promise<string>;
  signIn(id: string): Promise<Session>;
  /** A GET as somebody; null: as nobody. */
  get(
    session: Session | null,
    path: string,
  ): Promise<{ readonly status: number; readonly headers: Headers; readonly text: string }>;
  /** A form posted from our own page. */
  post(
    session: Session | null,
    path: string,
    fields: Record<string, string>,
  ): Promise<{ readonly status: number; readonly headers: Headers; readonly text: string }>;
  ask(tool: string, input: JsonObject, more?: Partial<Attempt>): Promise<Case>;
  held(id: ApprovalId | undefined): Promise<Case>;
  close(): Promise<void>;
}

/** @param options `listen` on a free port, with the real time; `observe` the one server. */
export async function openPages({
  listen = false,
  limits = {},
  observe = false,
  forbids = '',
  told = [],
}: {
  readonly listen?: boolean;
  readonly limits?: Partial<Limits>;
  readonly observe?: boolean;
  /** More policies. */
  readonly forbids?: string;
  /** Channels that notices are written for, besides the two that the status page lists. */
  readonly told?: readonly string[];
} = {}): Promise<PagesGate> {
  const proposal = proposalOf(observe);
  const folder = mkdtempSync(join(tmpdir(), 'countersign-pages-'));
  const clock = { nowMs: Date.UTC(2026, 10, 20, 9, 30) };
  const ticking = { nowMs: () => (listen ? Date.now() : clock.nowMs) };
  const store = await openSqlite({ directory: folder, channels: told, clock: ticking });
  let handler: (request: Request) => Promise<Response> = () =>
    Promise.resolve(new Response(null, { status: 503 }));
  const served = listen
    ? await serve((request) => handler(request), { host: '127.0.0.1', port: 0 })
    : undefined;
  const origin = served === undefined ? 'http://localhost:7788' : `http://localhost:${served.port}`;
  const policy = createPolicyEngine();
  const world = createWorld({ store, policy, clock: ticking, random });
  const waiters = createWaiters();
  const board = createBoard();
  const unwatch = store.onChange((changed) => waiters.wake(changed));
  const parts: Parts = {
    store,
    policy,
    clock: ticking,
    random,
    waiters,
    turns: createTurns(),
    pace: createPaces(),
    world,
    // These tests ask for more, and for the same more often, than an agent may.
    limits: {
      ...limitDefaults,
      pendingPerAgent: 1000,
      creationsPerMinute: 10_000,
      inbox: 10_000,
      cooldownMs: 0,
      unsafeMax: 1000,
      ...limits,
    },
    board,
    origin,
  };
  await world.propose(proposal, {
    kind: 'texts',
    texts: {
      policies: [{ file: 'test.cedar', text: policies + forbids }],
      schemas: [{ file: 'test.cedarschema', text: 'entity Dataset, Role, Region, File;' }],
      entities: null,
    },
  });
  await store.change({ kind: 'pin', server: 'ops', pin: 'first-sight', definitions });
  await world.sync();
  assert.equal(policy.broken(), null);
  const about: About = {
    gate: 'this-gate',
    board,
    channels: ['terminal', 'webhook', ...told],
    providers: [],
    servers: () => proposal.servers.map(serverShown),
    store: () => Promise.resolve({ kind: 'SQLite, embedded', bytes: 1_234_567 }),
    timezone: 'Europe/Berlin',
    driftMs: () => 3_000,
    payloadsMs: null,
  };
  const identity = createIdentity({ store, origin, clock: ticking, random });
  handler = createHttp({
    parts,
    identity,
    pages: createPages(parts, identity, about),
    mcp: () => Promise.resolve(new Response()),
    ready: () => null,
    report: (error) => {
      throw error;
    },
  });
  const send = async (path: string, init: RequestInit) => {
    const response = await handler(new Request(origin + path, init));
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  const cookie = (session: Session | null): Record<string, string> =>
    session === null ? {} : { cookie: session.cookie };
  const get: PagesGate['get'] = (session, path) => send(path, { headers: cookie(session) });
  const form = (fields: Record<string, string>, headers: Record<string, string>): RequestInit => ({
    method: 'POST',
    headers: {
      ...headers,
      origin,
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams(fields).toString(),
  });
  const link = async (id: string): Promise<string> => {
    const made = newLink(random);
    const result = await store.change({
      kind: 'link',
      person: asPersonId(id),
      hash: made.hash,
      expiresAtMs: ticking.nowMs() + 3_600_000,
    });
    assert.ok(result.ok);
    return made.token;
  };
  return {
    parts,
    board,
    origin,
    clock,
    handler: (request) => handler(request),
    link,
    get,
    post: (session, path, fields) =>
      send(path, form({ ...(session === null ? {} : { csrf: session.csrf }), ...fields }, cookie(session))),
    async signIn(id) {
      const answer = await send('/sign-in', form({ token: await link(id) }, {}));
      assert.equal(answer.status, 303, answer.text);
      const found = /^[^;]+/.exec(answer.headers.get('set-cookie') ?? '')?.[0] ?? '';
      const inbox = await send('/inbox', { headers: { cookie: found } });
      return { cookie: found, csrf: /name="csrf" value="([^"]+)"/.exec(inbox.text)?.[1] ?? '' };
    },
    async ask(tool, input, more = {}) {
      const entry = world.catalog.entry(`ops___${tool}`);
      assert.ok(entry, tool);
      const attempt: Attempt = {
        agent: asAgentId('crm-bot'),
        session: null,
        startedBy: null,
        delegation: [],
        operation: entry.operation,
        resource: null,
        input,
        target: entry.target,
        enforcement: entry.enforcement,
        reason: null,
        run: null,
        profile: entry.profile,
        runsNow: false,
        ...more,
      };
      const asked = await authorize(parts, attempt);
      assert.ok(asked.ok, JSON.stringify(asked));
      return asked.value.held;
    },
    async held(id) {
      assert.ok(id);
      const found = await store.caseBy({ approval: id });
      assert.ok(found);
      return found;
    },
    async close() {
      unwatch();
      await served?.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
