/** Every page and every read of the API of a gate on PostgreSQL, opened by people who may see all of it, after what gates do all day. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { routes } from '../../src/http/api/routes.ts';
import { shows, type Show } from '../../src/http/pages/routes.ts';
import { browse } from '../support/browse.ts';
import { eventually, operations, people, startTestGate, type TestGate } from '../support/gate.ts';

const pem = (key: KeyObject): string => JSON.stringify(key.export({ format: 'pem', type: 'pkcs8' }));

/** What is opened to have seen a page: paths, with what their queries can ask for. */
type Paths = Readonly<Record<Show, readonly string[]>>;

interface Happened {
  readonly action: string;
  readonly approval: string;
  readonly pending: string;
  readonly execution: string;
  readonly hold: string;
  readonly reconciliation: string;
}

const pathsOf = ({ approval, pending, reconciliation }: Happened): Paths => ({
  home: ['/'],
  inbox: ['/inbox', `/inbox?after=${pending}`, '/inbox?status=closed'],
  approval: [`/approvals/${approval}`, `/approvals/${pending}`],
  log: [
    '/log',
    '/log?before=9',
    '/log?agent=crm-bot&operation=shop___refund&type=action.asked&person=rosa&verdict=review&policy=refund.large&text=refund&resource=a&from=2026-01-01&to=2030-01-01',
    '/log?text=nothing+has+this',
  ],
  entry: ['/log/3'],
  receipt: ['/log/3/receipt'],
  trustedRoot: ['/receipts/trusted_root.json'],
  policies: ['/policies', '/policies?q=refund'],
  agents: ['/agents'],
  agent: ['/agent?id=crm-bot'],
  people: ['/people'],
  person: ['/person?id=rosa'],
  servers: ['/servers'],
  tool: ['/tool?server=crm&tool=export_rows'],
  status: ['/status'],
  reconciliations: ['/reconciliations'],
  reconciliation: [`/reconciliations/${reconciliation}`],
  passkeys: ['/passkeys'],
  glass: ['/break-glass'],
  retention: ['/retention'],
  evidence: ['/evidence'],
  account: ['/account'],
  link: ['/link'],
  // Waits for what happens, and reads nothing else.
  events: [],
  // A file of the program.
  asset: [],
});

/** What stands for the variable steps of the API's paths. */
const stepsOf = (happened: Happened): Readonly<Record<string, string>> => ({
  ':action': happened.action,
  ':approval': happened.approval,
  ':index': '3',
  ':reconciliation': happened.reconciliation,
});

const queries: Readonly<Record<string, readonly string[]>> = {
  '/v1/approvals': ['', '?status=pending', '?status=closed', '?status=pending&limit=2'],
  '/v1/log': [
    '',
    '?after=3&limit=5',
    '?agent=crm-bot&text=refund',
    '?person=rosa&type=review.recorded&from=2026-01-01',
  ],
  '/v1/log/export': ['?format=jsonl', '?format=csv&agent=crm-bot'],
  '/v1/report': ['?last=7d'],
  '/v1/reconciliations': ['', '?from=2026-01-01&to=2026-12-31'],
  '/v1/passkeys': ['', '?person=rosa'],
  '/v1/log/:index/receipt': ['', '?format=proof', '?format=key'],
};

/** Does what a gate does all day, then opens everything. @param url of a database with a schema of its own. */
export async function walk(url: string): Promise<void> {
  const { privateKey: log } = generateKeyPairSync('ed25519');
  const { privateKey: receipt } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const gate = await startTestGate({
    config: `${people}${operations}database: ${JSON.stringify(url)}\nlog: { keys: { log: ${pem(log)}, receipt: ${pem(receipt)} } }\n`,
  });
  try {
    const happened = await live(gate);
    await openAll(gate, happened);
  } finally {
    await gate.stop();
  }
}

async function live(gate: TestGate): Promise<Happened> {
  const bot = await gate.token('agent', 'crm-bot');
  const [sam, rosa, mia] = [
    await gate.token('person', 'sam'),
    await gate.token('person', 'rosa'),
    await gate.token('person', 'mia'),
  ];
  const post = async (token: string, path: string, body: object = {}, method = 'POST') => {
    const said = await gate.call(
      token,
      method,
      path,
      body,
      method === 'POST' ? { 'idempotency-key': `k-${Math.random()}` } : {},
    );
    assert.ok(said.status < 300, `${path}: ${said.status} ${JSON.stringify(said.body)}`);
    return said.body;
  };
  const ask = (cents: number) =>
    post(bot, '/v1/actions', { operation: 'shop___refund', input: { cents }, callback: undefined });
  const allowed = await ask(50);
  const run = await post(bot, `/v1/actions/${allowed.id}/execution`);
  await post(bot, `/v1/executions/${run.id}/outcome`, { status: 'succeeded' }, 'PUT');
  const one = await ask(500);
  await post(rosa, `/v1/approvals/${one.approval.id}/reviews`, {
    decision: 'approve',
    digest: one.digest,
    reason: 'as agreed',
  });
  const again = await post(bot, `/v1/actions/${one.id}/execution`);
  await post(bot, `/v1/executions/${again.id}/outcome`, { status: 'unknown' }, 'PUT').catch(() => undefined);
  const two = await ask(600);
  await post(mia, `/v1/approvals/${two.approval.id}/reviews`, {
    decision: 'deny',
    digest: two.digest,
    reason: 'no',
    unsafe: true,
  });
  const three = await ask(700).catch(() => undefined);
  await post(rosa, '/v1/agents/crm-bot/lift', { operation: 'shop___refund', reason: 'seen' }).catch(
    () => undefined,
  );
  await post(sam, '/v1/agents/crm-bot/lift', { operation: 'shop___refund', reason: 'seen' }).catch(
    () => undefined,
  );
  const four = await ask(800);
  await post(sam, '/v1/agents/crm-bot/stop', { reason: 'it loops' });
  await post(sam, '/v1/log/holds', { reason: 'a case', action: one.id }).catch(() => undefined);
  const hold = await post(sam, '/v1/log/holds', { reason: 'another', person: 'rosa' }).catch(() => ({
    id: '',
  }));
  await post(rosa, '/v1/delegations', { to: 'mia', until: new Date(Date.now() + 86_400_000).toISOString() });
  const now = new Date().toISOString();
  const reconciliation = await post(sam, '/v1/reconciliations', {
    from: '2026-01-01T00:00:00Z',
    to: now,
    rows: [{ at: now, what: 'INSERT', id: run.id }],
  });
  await post(sam, '/v1/log/erasures', { action: allowed.id, reason: 'asked for' }).catch(() => undefined);
  return {
    action: one.id,
    approval: one.approval.id,
    pending: four.approval?.id ?? three?.approval?.id ?? one.approval.id,
    execution: run.id,
    hold: hold.id,
    reconciliation: reconciliation.id,
  };
}

async function openAll(gate: TestGate, happened: Happened): Promise<void> {
  const tokens = [
    await gate.token('person', 'ada'),
    await gate.token('person', 'sam'),
    await gate.token('person', 'rosa'),
  ];
  const readers = [await browse(gate, 'ada'), await browse(gate, 'sam'), await browse(gate, 'rosa')];
  await eventually(
    async () => (await gate.call(tokens[0] ?? '', 'GET', '/tlog/checkpoint')).status === 200,
    'the log is published',
  );
  const paths = pathsOf(happened);
  for (const [show] of shows)
    for (const path of paths[show]) {
      const seen = await Promise.all(readers.map((read) => read(path)));
      assert.ok(
        // A tool that is not there was looked for.
        seen.some(({ status }) => status === 200 || status === 303 || (status === 404 && show === 'tool')),
        `${path}: ${seen.map(({ status }) => status).join(', ')}`,
      );
    }
  const steps = stepsOf(happened);
  for (const { method, path } of routes) {
    if (method !== 'GET') continue;
    const filled = path
      .split('/')
      .map((step) =>
        step.startsWith(':') ? (steps[step] ?? assert.fail(`what is ${step} of ${path}?`)) : step,
      )
      .join('/');
    for (const query of queries[path] ?? ['']) {
      const seen = await Promise.all(tokens.map((token) => opened(gate, token, filled + query)));
      assert.ok(seen.includes(200), `${filled}${query}: ${seen.join(', ')}`);
    }
  }
  await readEvidence(gate, tokens[0] ?? '');
}

/** The status; the answer is read to its end, whatever it is. */
async function opened(gate: TestGate, token: string, path: string): Promise<number> {
  const response = await fetch(gate.gate().url + path, { headers: { authorization: `Bearer ${token}` } });
  await response.arrayBuffer();
  return response.status;
}

async function readEvidence(gate: TestGate, token: string): Promise<void> {
  const response = await fetch(`${gate.gate().url}/v1/evidence`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ from: '2026-01-01', to: '2030-01-01', samples: { count: 2, number: '7' } }),
  });
  assert.equal(response.status, 200, await response.text());
}
