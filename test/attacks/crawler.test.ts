/**
 * Whoever follows links (a chat's preview, a mail scanner, a prefetching browser, a curious person) changes nothing: every URL
 * that the product ever emits is opened with GET and HEAD, signed in as each kind of person and as nobody, and the whole store is
 * afterwards what it was. Nothing answers 5xx.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { routes } from '../../src/http/api/routes.ts';
import { run } from '../cli/run.ts';
import {
  eventually,
  operations,
  policies,
  startTestGate,
  type Answer,
  type TestGate,
} from '../support/gate.ts';

/** Sam owns the agent, rosa and mia approve and administer, oz operates, ada audits. */
const people = `
people:
  - { id: sam, name: Sam Lee, groups: [data-owners] }
  - { id: rosa, name: Rosa Diaz, groups: [data-owners, admins] }
  - { id: mia, name: Mia Chen, groups: [data-owners, admins] }
  - { id: oz, name: Oz Tal, groups: [platform] }
  - { id: ada, name: Ada Berg, groups: [audit] }
agents:
  - { id: crm-bot, owners: [sam] }
  - { id: other-bot, owners: [rosa] }
roles: { operators: platform, auditors: audit }
`;
const roles = ['sam', 'rosa', 'oz', 'ada'] as const;

/** Steps from the first pages; the product is shallower. */
const depthMax = 8;
/** URLs that one reader opens; more would be an unbounded space of links. */
const urlsMax = 3000;

interface Place {
  readonly gate: TestGate;
  readonly origin: string;
  /** What channels and the command line have said, and what the API answered: texts with URLs in them. */
  readonly said: string[];
}

/** A receiver of the webhook's notices, whose bodies are kept. */
async function receiver(t: TestContext, into: string[]): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      into.push(body);
      response.writeHead(204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}/hook`;
}

async function place(t: TestContext): Promise<Place> {
  const said: string[] = [];
  const hook = await receiver(t, said);
  const more = `
channels:
  webhook: { url: "${hook}", secret: "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3" }
providers:
  - { id: corp, name: Corp, issuer: "https://id.example.com", clientId: gate, clientSecret: secret }
servers:
  ops: { url: "http://127.0.0.1:1/mcp", pin: manual }
`;
  const gate = await startTestGate({
    config: people + operations + more,
    policies,
    say: (line) => said.push(line),
  });
  t.after(() => gate.stop());
  return { gate, origin: gate.gate().origin, said };
}

/** Something of everything that pages and lists show. */
async function live({ gate, said }: Place): Promise<ReadonlyMap<string, string>> {
  const tokens = new Map<string, string>();
  for (const id of ['crm-bot', 'other-bot']) tokens.set(id, await gate.token('agent', id));
  for (const id of [...roles, 'mia']) tokens.set(id, await gate.token('person', id));
  const call = async (who: string, method: string, path: string, body?: unknown): Promise<Answer> => {
    const answer = await gate.call(tokens.get(who) ?? '', method, path, body);
    assert.ok(answer.status < 500, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    said.push(JSON.stringify(answer.body));
    return answer;
  };
  const ask = (cents: number): Promise<Answer> =>
    call('crm-bot', 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents, note: 'n' } });
  const decide = (who: string, { body }: Answer, more: object): Promise<Answer> =>
    call(who, 'POST', `/v1/approvals/${body.approval.id}/reviews`, { digest: body.digest, ...more });
  await ask(50);
  const done = await ask(500);
  await decide('rosa', done, { decision: 'approve' });
  const taken = await call('crm-bot', 'POST', `/v1/actions/${done.body.id}/execution`);
  await call('crm-bot', 'PUT', `/v1/executions/${taken.body.id}/outcome`, { status: 'succeeded' });
  await decide('mia', await ask(600), { decision: 'deny', reason: 'no', unsafe: true });
  await decide('rosa', await ask(700), { decision: 'approve' });
  await ask(20_000);
  await ask(500_000);
  await call('rosa', 'POST', '/v1/agents/other-bot/stop', { reason: 'odd' });
  const glass = await call('oz', 'POST', '/v1/break-glass', {
    agent: 'crm-bot',
    operation: 'shop___refund',
    minutes: 30,
    reason: 'see https://example.com/incident',
  });
  for (const who of ['rosa', 'mia'])
    await call(who, 'POST', `/v1/approvals/${glass.body.id}/reviews`, {
      decision: 'approve',
      digest: glass.body.digest,
    });
  const { parts } = gate.gate();
  const definitions = [{ name: 'export', description: 'Exports.', inputSchema: { type: 'object' } }];
  assert.ok((await parts.store.change({ kind: 'pin', server: 'ops', pin: 'manual', definitions })).ok);
  await parts.world.sync();
  return tokens;
}

/** What the command line prints of URLs, and with it a sign-in link for each kind of person. */
async function commandLine(
  { gate, origin, said }: Place,
  tokens: ReadonlyMap<string, string>,
): Promise<void> {
  const file = join(gate.folder, 'countersign.yaml');
  const at = ['--url', origin];
  const each: readonly (readonly [who: string, args: readonly string[]])[] = [
    ['rosa', ['approvals', 'list', ...at]],
    ['rosa', ['break-glass', 'list', ...at]],
    ['oz', ['agents', 'list', ...at]],
    ['sam', ['link', 'person', 'sam', '--config', file, ...at]],
    ['sam', ['passkey', 'grant', 'sam', '--config', file, ...at]],
  ];
  for (const [who, args] of each) {
    const ran = await run(args, { env: { COUNTERSIGN_TOKEN: tokens.get(who) ?? '' } });
    assert.equal(ran.code, 0, `${args.join(' ')}: ${ran.err}`);
    said.push(ran.out, ran.err);
  }
}

/** Every row of every table, as one hash each; but when a session was last seen, which says that somebody looked. */
function snapshot(folder: string): Readonly<Record<string, string>> {
  const db = new DatabaseSync(join(folder, 'data', 'countersign.db'), { readOnly: true });
  try {
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all();
    return Object.fromEntries(
      tables.map(({ name }) => {
        const rows = db.prepare(`SELECT * FROM "${String(name)}"`).all();
        const texts = rows.map(({ seen_at_ms, ...row }) =>
          JSON.stringify(name === 'sessions' ? row : { ...row, seen_at_ms }),
        );
        const hash = createHash('sha256').update(texts.toSorted().join('\n')).digest('hex');
        return [String(name), `${rows.length} ${hash}`];
      }),
    );
  } finally {
    db.close();
  }
}

/** Waits until channels have been told everything that is due, and the tree holds all entries. */
const quiet = async (folder: string): Promise<void> => {
  const due = (): unknown => {
    const db = new DatabaseSync(join(folder, 'data', 'countersign.db'), { readOnly: true });
    try {
      return db
        .prepare(
          `SELECT (SELECT count(*) FROM notices WHERE due_at_ms <= ?)
            + (SELECT size FROM log_head) - (SELECT size FROM log_published) AS n`,
        )
        .get(Date.now() + 120_000)?.['n'];
    } finally {
      db.close();
    }
  };
  await eventually(() => due() === 0, 'all notices delivered, and all entries in the tree');
};

const entities: Readonly<Record<string, string>> = { amp: '&', quot: '"', '#39': "'", lt: '<', gt: '>' };
const decoded = (text: string): string =>
  text.replaceAll(/&(amp|quot|#39|lt|gt);/g, (_, name: string) => entities[name] ?? '');

/** URLs in a page's attributes, and any of this gate in plain text: channels, answers, scripts. */
function urlsIn(text: string, { origin }: Place, base: string): readonly string[] {
  const attributes = [...text.matchAll(/\b(?:href|src|action|formaction|data-self)="([^"]*)"/g)].map(
    ([, url]) => decoded(url ?? ''),
  );
  const plain = [...text.matchAll(/https?:\/\/[^\s"'<>\\)]+/g)].map(([url]) => decoded(url));
  const quoted = [...text.matchAll(/["'`](\/[a-z][\w/.-]*)["'`]/g)].map(([, path]) => path ?? '');
  return [...attributes, ...plain, ...quoted].flatMap((url) => {
    const whole = URL.parse(url, base);
    if (whole === null || whole.origin !== origin) return [];
    // What follows `#` is never sent.
    return [`${whole.pathname}${whole.search}`];
  });
}

/** The API's own table, with ids that are there. */
function apiPaths(ids: Readonly<Record<string, string>>): readonly string[] {
  return routes.map(({ path }) =>
    path
      .split('/')
      .map((step) => (step.startsWith(':') ? encodeURIComponent(ids[step.slice(1)] ?? 'none') : step))
      .join('/'),
  );
}

interface Reader {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Opens everything, each once with GET and once with HEAD; answers what was found and how it was answered. */
async function crawl(
  at: Place,
  reader: Reader,
  seeds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const statuses = new Map<string, number>();
  let wave = [...new Set(seeds)];
  for (let depth = 0; depth < depthMax && wave.length > 0; depth += 1) {
    const next = new Set<string>();
    for (const path of wave) {
      assert.ok(statuses.size < urlsMax, `more links than ${urlsMax}`);
      const got = await open(at, reader, path, 'GET');
      statuses.set(path, got.status);
      const head = await open(at, reader, path, 'HEAD');
      for (const { status } of [got, head])
        assert.ok(status < 500, `${reader.name}: ${path} answered ${status}`);
      for (const text of [got.text, got.location, got.authenticate])
        for (const found of urlsIn(text, at, `${at.origin}${path}`))
          if (!statuses.has(found)) next.add(found);
    }
    wave = [...next].filter((path) => !statuses.has(path));
  }
  assert.equal(wave.length, 0, `links deeper than ${depthMax}: ${wave.slice(0, 3).join(' ')}`);
  return statuses;
}

async function open(
  { origin }: Place,
  reader: Reader,
  path: string,
  method: 'GET' | 'HEAD',
): Promise<{
  readonly status: number;
  readonly text: string;
  readonly location: string;
  readonly authenticate: string;
}> {
  const leaving = new AbortController();
  const response = await fetch(`${origin}${path}`, {
    method,
    redirect: 'manual',
    headers: { ...reader.headers, accept: 'text/html, */*' },
    signal: leaving.signal,
  });
  const streams = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const text = streams ? '' : await response.text();
  if (streams) leaving.abort();
  const location = response.headers.get('location');
  return {
    status: response.status,
    text,
    location: location === null ? '' : `href="${location}"`,
    authenticate: response.headers.get('www-authenticate') ?? '',
  };
}

/** Signs in with a link, as the page's form does. */
async function signIn({ gate, origin }: Place, id: string): Promise<Reader> {
  const { newLink } = await import('../../src/identity/sessions.ts');
  const { systemRandom } = await import('../../src/main.ts');
  const { asPersonId } = await import('../../src/core/ids.ts');
  const link = newLink(systemRandom);
  const { store } = gate.gate().parts;
  const expiresAtMs = Date.now() + 600_000;
  assert.ok((await store.change({ kind: 'link', person: asPersonId(id), hash: link.hash, expiresAtMs })).ok);
  const response = await fetch(`${origin}/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token: link.token }).toString(),
  });
  assert.equal(response.status, 303);
  const cookie = /^[^;]+/.exec(response.headers.get('set-cookie') ?? '')?.[0] ?? '';
  return { name: id, headers: { cookie } };
}

test('following every link that the product emits, as anybody, with GET and HEAD, changes nothing', async (t) => {
  const at = await place(t);
  const tokens = await live(at);
  await commandLine(at, tokens);
  const { store } = at.gate.gate().parts;
  const held = await store.held({ status: 'all', limit: 100 });
  const [first] = held;
  assert.ok(first?.approval != null);
  const [glass] = await store.openGlasses();
  const ids = {
    action: first.asked.id,
    approval: first.approval.id,
    execution: held.find((one) => one.execution !== null)?.execution?.id ?? '',
    agent: 'crm-bot',
    server: 'ops',
    tool: 'export',
    glass: glass?.id ?? '',
  };
  const browsers = await Promise.all(roles.map((id) => signIn(at, id)));
  const bearers = ['crm-bot', ...roles].map((id): Reader => ({
    name: `token of ${id}`,
    headers: { authorization: `Bearer ${tokens.get(id) ?? ''}` },
  }));
  // A link that nobody used: it must be as good after the crawl as before.
  const { newLink } = await import('../../src/identity/sessions.ts');
  const { systemRandom } = await import('../../src/main.ts');
  const { asPersonId } = await import('../../src/core/ids.ts');
  const unused = newLink(systemRandom);
  const expiresAtMs = Date.now() + 600_000;
  await store.change({ kind: 'link', person: asPersonId('rosa'), hash: unused.hash, expiresAtMs });
  at.said.push(`${at.origin}/sign-in#${unused.token}`, `${at.origin}/sign-in?token=${unused.token}`);
  await quiet(at.gate.folder);
  const emitted = at.said.flatMap((text) => urlsIn(text, at, `${at.origin}/`));
  assert.ok(
    emitted.some((path) => path.startsWith('/approvals/')),
    'channels name approvals',
  );
  assert.ok(emitted.includes('/break-glass'), 'and break-glass');
  const seeds = [
    ...emitted,
    '/',
    '/inbox',
    '/break-glass',
    '/log',
    '/status',
    '/account',
    '/sign-in',
    '/sign-in/session',
    '/sign-in/oidc/callback?code=c&state=s&iss=https%3A%2F%2Fid.example.com',
    '/sign-out',
    '/.well-known/oauth-protected-resource/mcp/ops',
    '/healthz',
    '/readyz',
    '/metrics',
    '/mcp/ops',
    '/access/v1/evaluation',
    ...apiPaths(ids),
  ];
  const before = snapshot(at.gate.folder);
  const { size } = await store.head();
  const nobody: Reader = { name: 'nobody', headers: {} };
  const found = new Map<string, ReadonlyMap<string, number>>();
  for (const reader of [nobody, ...browsers, ...bearers])
    found.set(reader.name, await crawl(at, reader, seeds));
  const after = snapshot(at.gate.folder);
  const changed = Object.keys(after).filter((table) => after[table] !== before[table]);
  const last = (await store.entries(size - 1, 10)).map(
    ({ entry }) => `${entry.type} ${JSON.stringify(entry.data)}`,
  );
  assert.deepEqual({ changed, last }, { changed: [], last: [] }, 'the store is what it was');
  // The crawl went somewhere: an auditor found entries of the log, an operator the agents and their tools.
  const of = (name: string, path: RegExp, status: number): boolean =>
    [...(found.get(name) ?? [])].some(([url, answered]) => path.test(url) && answered === status);
  assert.ok(of('ada', /^\/log\/\d+$/, 200), 'entries');
  assert.ok(of('oz', /^\/tool\?/, 200), 'tools');
  assert.ok(of('oz', /^\/agent\?/, 200), 'agents');
  assert.ok(of('rosa', /^\/approvals\/[\w-]+$/, 200), 'approvals');
  assert.ok(of('rosa', /^\/approvals\/[\w-]+\/review$/, 405), 'what decides is no link');
  assert.ok(of('rosa', /^\/break-glass\/end$/, 405), 'nor what ends a break-glass');
  assert.ok(of('sam', /^\/agent\/stop$/, 405), 'nor what stops an agent');
  assert.ok(of('nobody', /^\/approvals\//, 401), 'nobody sees one');
  assert.ok(of('token of rosa', /^\/v1\/approvals\//, 200), 'the API');
  const still = await signInWith(at, unused.token);
  assert.equal(still, 303, 'the link that everybody opened is still good for the person');
});

const signInWith = async ({ origin }: Place, token: string): Promise<number> =>
  (
    await fetch(`${origin}/sign-in`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token }).toString(),
    })
  ).status;
