/**
 * A gate for tests of its doors: the real store in a folder of its own, the real policy engine, the real handler. The clock
 * stands still until a test moves it.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepDeadlines } from '../../src/app/deadlines.ts';
import { limitDefaults, type Limits, type Parts } from '../../src/app/parts.ts';
import { createPaces } from '../../src/app/pace.ts';
import { createTurns } from '../../src/app/turns.ts';
import { createWaiters } from '../../src/app/waiters.ts';
import { createWorld, type World } from '../../src/app/world.ts';
import type { Directory, Principal } from '../../src/core/directory.ts';
import type { Entry } from '../../src/core/entry.ts';
import { asAgentId, asGroupId, asPersonId } from '../../src/core/ids.ts';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import { createHttp, type HttpParts } from '../../src/http/server.ts';
import { linkLifeMs, newLink } from '../../src/identity/sessions.ts';
import { createPasskeys } from '../../src/identity/passkeys.ts';
import { createIdentity, newToken } from '../../src/identity/tokens.ts';
import { createPolicyEngine } from '../../src/policy/engine.ts';
import type { Identity } from '../../src/ports/identity.ts';
import type { Random } from '../../src/ports/random.ts';
import type { OperationSettings, Proposal } from '../../src/ports/settings.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { acceptOutright } from '../support/accept.ts';

export const origin = 'http://localhost:7788';
export const random: Random = { bytes: (count) => new Uint8Array(randomBytes(count)) };

const person = (id: string, name: string, ...groups: string[]) => ({
  id: asPersonId(id),
  name,
  groups: groups.map(asGroupId),
});

/** Sam owns the agent and is an approver: conflicted. Oz operates and audits, and approves nothing. */
export const directory: Directory = {
  people: [
    person('sam', 'Sam Lee', 'finance'),
    person('rosa', 'Rosa Diaz', 'finance'),
    person('mia', 'Mia Chen', 'finance'),
    person('oz', 'Oz Tal', 'platform', 'audit'),
    person('eve', 'Eve Adams', 'sales'),
  ],
  agents: [
    { id: asAgentId('bot'), owners: [asPersonId('sam')], groups: [] },
    { id: asAgentId('other-bot'), owners: [asPersonId('eve')], groups: [] },
  ],
  roles: { operators: asGroupId('platform'), auditors: asGroupId('audit') },
};

const refund = (operation: string): OperationSettings => ({
  operation,
  input: {
    type: 'object',
    properties: { cents: { type: 'integer' }, note: { type: 'string' }, password: { type: 'string' } },
    required: ['cents'],
    additionalProperties: false,
  },
  profile: { verb: 'Refund', effect: 'write', environment: 'prod' },
  mode: 'enforce',
});

export const operations = ['billing___refund', 'billing___payout', 'billing___wipe'].map(refund);

export const policies = `
@id("everything") @title("Agents may ask")
permit (principal, action, resource);

@id("refund.large") @title("A large refund needs finance") @approvers("finance")
forbid (principal, action == Action::"billing___refund", resource)
when { context.input.cents > 1000 };

@id("payout") @title("A payout needs two of finance") @approvers("finance") @quorum("2")
forbid (principal, action == Action::"billing___payout", resource);

@id("wipe") @title("Nobody wipes the ledger")
forbid (principal, action == Action::"billing___wipe", resource);
`;

const proposal: Proposal = {
  directory,
  servers: [
    {
      name: 'files',
      upstream: { kind: 'url', url: 'http://files.test/mcp', headers: {} },
      pin: 'manual',
      mode: 'enforce',
      modes: {},
      tools: {},
    },
  ],
  operations,
};

/** A response, read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as an object; empty where it is none. */
  readonly json: Readonly<Record<string, JsonValue | undefined>>;
}

export interface Gate {
  readonly parts: Parts;
  readonly world: World;
  readonly clock: { nowMs: number };
  readonly handler: (request: Request) => Promise<Response>;
  /** Sends a request as it is. */
  send(path: string, init?: RequestInit): Promise<Answer>;
  /** A call with a bearer token and, where it has one, a JSON body. */
  call(
    method: string,
    path: string,
    by: string | null,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  token(kind: Principal['kind'], id: string): Promise<string>;
  link(person: string, lifeMs?: number): Promise<string>;
  entries(type?: string): Promise<readonly Entry[]>;
  propose(change: Partial<Proposal>, text?: string): Promise<void>;
  close(): Promise<void>;
}

export async function openGate(
  more: Partial<HttpParts> & { readonly origin?: string; readonly limits?: Partial<Limits> } = {},
): Promise<Gate> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-http-'));
  const clock = { nowMs: Date.UTC(2026, 0, 15, 12) };
  const ticking = { nowMs: () => clock.nowMs };
  const store = await openSqlite({ directory: folder, channels: [], clock: ticking });
  const policy = createPolicyEngine();
  const world = createWorld({ store, policy, clock: ticking, random });
  const waiters = createWaiters();
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
    // One agent asks for all the tests of a file.
    limits: { ...limitDefaults, pendingPerAgent: 100, ...more.limits },
    passkeys: createPasskeys({
      origin: more.origin ?? origin,
      random,
      allowVirtualAuthenticator: () => false,
    }),
    origin: more.origin ?? origin,
  };
  const deadlines = keepDeadlines(parts);
  const propose = async (change: Partial<Proposal>, text = policies): Promise<void> => {
    const texts = { policies: [{ file: 'a.cedar', text }], schemas: [], entities: null };
    await acceptOutright(parts, { ...proposal, ...change }, texts);
    await world.propose({ ...proposal, ...change }, { kind: 'texts', texts });
  };
  await propose({});
  const identity = createIdentity({ store, origin: parts.origin, clock: ticking, random });
  const handler = createHttp({
    parts,
    identity,
    pages: (request) => probe(identity, request),
    mcp: (_request, to) => Promise.resolve(Response.json(to)),
    ready: () => null,
    report: (error) => {
      throw error; // a test that meets a fault of ours must fail
    },
    ...more,
  });
  const send = async (path: string, init?: RequestInit): Promise<Answer> =>
    read(await handler(new Request(`${parts.origin}${path}`, init)));
  return {
    parts,
    world,
    clock,
    handler,
    send,
    call: (method, path, by, body, headers = {}) =>
      send(path, {
        method,
        headers: {
          ...(by === null ? {} : { authorization: `Bearer ${by}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    token: async (kind, id) => {
      const { token, hash } = newToken(random, kind);
      // A name is a name: the directory says whether there is such a principal.
      const principal: Principal =
        kind === 'agent' ? { kind, id: asAgentId(id) } : { kind, id: asPersonId(id) };
      await store.change({ kind: 'token', principal, hash });
      return token;
    },
    link: async (id, lifeMs = linkLifeMs) => {
      const { token, hash } = newLink(random);
      await store.change({ kind: 'link', person: asPersonId(id), hash, expiresAtMs: clock.nowMs + lifeMs });
      return token;
    },
    entries: async (type) => {
      const all = (await store.entries(-1, 10_000)).map((one) => one.entry);
      return type === undefined ? all : all.filter((one) => one.type === type);
    },
    propose,
    close: async () => {
      deadlines.stop();
      unwatch();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Stands for a page: `/probe` does what a page does first, and says who it was. */
async function probe(identity: Identity, request: Request): Promise<Response | undefined> {
  if (new URL(request.url).pathname !== '/probe') return undefined;
  const session = await identity.session(request);
  if (!session.ok) return Response.json({ code: session.error.code }, { status: 403 });
  const body = request.method === 'POST' ? await request.text() : '';
  return Response.json({ ...session.value, body });
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== '';
  // Every JSON answer of the gate is an object.
  const json = isJson ? (JSON.parse(text) as JsonObject) : {};
  return { status: response.status, headers: response.headers, text, json };
}

/** A field of an answer as an object, for looking deeper. */
export const inside = (
  answer: Pick<Answer, 'json'>,
  field: string,
): Readonly<Record<string, JsonValue | undefined>> => {
  const value = answer.json[field];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
};

/** A field of an answer as text. */
export const text = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');
