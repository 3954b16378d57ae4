/** Receipts as somebody who should not have them asks for them: a statement says more than a page, and holds its salt. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { eventually, people, startTestGate, type TestGate } from '../support/gate.ts';
import { verifyBundle } from '../log/support/sigstore.ts';

/** Sam owns crm-bot and is an operator; lee is neither asked nor an owner; ada is an auditor; pat is an operator and nothing else. */
const withOperator = people.replace(
  'agents:',
  '  - { id: pat, name: Pat Olsen, groups: [platform] }\nagents:',
);
const operations = `
operations:
  shop___refund:
    input: { type: object, properties: { cents: { type: integer }, note: { type: string }, password: { type: string } }, required: [cents] }
    profile: { verb: Refund, effect: write, reversible: false }
`;

let gate: TestGate;
const tokens: Record<string, string> = {};
before(async () => {
  gate = await startTestGate({ config: withOperator + operations });
  for (const id of ['sam', 'rosa', 'mia', 'lee', 'ada', 'pat']) tokens[id] = await gate.token('person', id);
  for (const id of ['crm-bot', 'other-bot']) tokens[id] = await gate.token('agent', id);
});
after(() => gate.stop());

interface Line {
  readonly index: number;
  readonly type: string;
  readonly text?: string;
  readonly links: Readonly<Record<string, string>>;
}

interface Action {
  readonly id: string;
  readonly lines: readonly Line[];
  at(type: string): number;
}

const get = async (who: string, path: string): Promise<Response> =>
  fetch(`${gate.gate().url}${path}`, { headers: { authorization: `Bearer ${tokens[who] ?? ''}` } });

const listed = async (who: string, action: string): Promise<readonly Line[]> => {
  const answer = await get(who, `/v1/actions/${action}/receipts`);
  assert.equal(answer.status, 200, `${who} lists`);
  return ((await answer.json()) as { items: readonly Line[] }).items;
};

const status = async (who: string, index: number, format: string): Promise<number> =>
  (await get(who, `/v1/log/${index}/receipt?format=${format}`)).status;

/** Which of the formats somebody gets. */
const gets = async (who: string, index: number): Promise<string> => {
  const found: string[] = [];
  for (const format of ['bundle', 'proof', 'action', 'key'])
    if ((await status(who, index, format)) === 200) found.push(format);
  return found.join(' ');
};

/** Asks, approves and runs; answers when all of it is in a checkpoint. */
async function ran(input: object): Promise<Action> {
  const asked = await gate.call(tokens['crm-bot'] ?? '', 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input,
  });
  assert.equal(asked.status, 202, JSON.stringify(asked.body));
  const { id, digest, approval } = asked.body;
  const reviewed = await gate.call(tokens['rosa'] ?? '', 'POST', `/v1/approvals/${approval.id}/reviews`, {
    decision: 'approve',
    digest,
    reason: 'the customer is right',
  });
  assert.equal(reviewed.status, 201, JSON.stringify(reviewed.body));
  const run = await gate.call(tokens['crm-bot'] ?? '', 'POST', `/v1/actions/${id}/execution`);
  assert.equal(run.status, 201, JSON.stringify(run.body));
  const told = await gate.call(tokens['crm-bot'] ?? '', 'PUT', `/v1/executions/${run.body.id}/outcome`, {
    status: 'succeeded',
    detail: 'paid',
  });
  assert.equal(told.status, 200, JSON.stringify(told.body));
  const lines = await listed('ada', id);
  const last = lines.at(-1)?.index ?? -1;
  await eventually(async () => (await status('ada', last, 'proof')) === 200, 'it is in a checkpoint');
  return {
    id,
    lines,
    at: (type) => lines.find((one) => one.type === type)?.index ?? assert.fail(`no ${type}`),
  };
}

test('whoever sees the action gets receipts that verify without us, with the action that they name', async () => {
  const action = await ran({ cents: 501, note: 'Zürich' });
  assert.deepEqual(
    action.lines.map((one) => one.type),
    ['review.recorded', 'approval.approved', 'execution.started', 'execution.succeeded'],
  );
  assert.match(action.lines[0]?.text ?? '', /Rosa Diaz/);
  const root = await (await get('rosa', '/v1/trusted-root')).json();
  for (const who of ['ada', 'rosa', 'sam', 'mia'])
    for (const { index, links } of await listed(who, action.id)) {
      assert.deepEqual(Object.keys(links), ['bundle', 'proof', 'action', 'key'], who);
      assert.equal(await gets(who, index), 'bundle proof action key', who);
      const key = await (await get(who, `/v1/log/${index}/receipt?format=key`)).text();
      const answer = await get(who, `/v1/log/${index}/receipt`);
      assert.equal(
        answer.headers.get('content-disposition'),
        `attachment; filename="countersign-${index}.sigstore.json"`,
      );
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      const bundle = await answer.text();
      verifyBundle(bundle, root, key);
      const statement = JSON.parse(Buffer.from(JSON.parse(bundle).dsseEnvelope.payload, 'base64').toString());
      const bytes = Buffer.from(
        await (await get(who, `/v1/log/${index}/receipt?format=action`)).arrayBuffer(),
      );
      assert.equal(statement.subject[0].digest.sha256, createHash('sha256').update(bytes).digest('hex'));
    }
});

test('not-yours-to-see: an operator who is not asked gets proofs, and nobody else anything', async () => {
  const action = await ran({ cents: 502, note: 'private matter' });
  for (const { index } of action.lines) {
    assert.equal(await gets('pat', index), 'proof key');
    for (const who of ['lee', 'other-bot']) assert.equal(await gets(who, index), '', who);
    const proof = await (await get('pat', `/v1/log/${index}/receipt?format=proof`)).text();
    const extra = Buffer.from(/^extra (.+)$/m.exec(proof)?.[1] ?? '', 'base64').toString();
    assert.match(extra, /^\{"apiVersion":"0\.0\.2","kind":"hashedrekord"/);
    // Not inside of Base64, whose letters may say anything.
    assert.doesNotMatch(extra + proof, /(?<![a-z0-9+/])(?:private|refund|rosa)(?![a-z0-9+/])/i);
  }
  assert.equal((await get('lee', `/v1/actions/${action.id}/receipts`)).status, 404);
  assert.equal((await get('other-bot', `/v1/actions/${action.id}/receipts`)).status, 404);
  assert.doesNotMatch(JSON.stringify(await listed('pat', action.id)), /private matter/);
});

test('an agent gets proofs of its own actions and their bytes, never what people and policies said', async () => {
  const action = await ran({ cents: 503 });
  const allowed = await gate.call(tokens['crm-bot'] ?? '', 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents: 1 },
  });
  const denied = await gate.call(tokens['crm-bot'] ?? '', 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents: 200_000 },
  });
  assert.deepEqual([allowed.status, denied.status], [200, 403]);
  for (const id of [action.id, allowed.body.id, denied.body.id]) {
    const lines = await listed('crm-bot', id);
    assert.ok(lines.length > 0);
    for (const line of lines) {
      assert.deepEqual(Object.keys(line.links), ['proof', 'action', 'key']);
      assert.equal(line.text, undefined, 'no words of people');
      await eventually(
        async () => (await gets('crm-bot', line.index)) === 'proof action key',
        'it is in a checkpoint',
      );
    }
    assert.deepEqual(
      lines.map((one) => one.index),
      (await listed('ada', id)).map((one) => one.index),
    );
  }
});

test('an observed action looks to its agent like an allowed one, in its receipts as well', async () => {
  const observed = await startTestGate({
    config: people + operations.replace('    profile:', '    mode: observe\n    profile:'),
  });
  try {
    const bot = await observed.token('agent', 'crm-bot');
    const shapes: string[] = [];
    // Allowed; would be held; would be denied.
    for (const cents of [1, 500, 200_000]) {
      const asked = await observed.call(bot, 'POST', '/v1/actions', {
        operation: 'shop___refund',
        input: { cents },
      });
      assert.equal(asked.status, 200, JSON.stringify(asked.body));
      const { body } = await observed.call(bot, 'GET', `/v1/actions/${asked.body.id}/receipts`);
      shapes.push(
        JSON.stringify(body.items.map((one: Line) => [one.type, Object.keys(one), Object.keys(one.links)])),
      );
    }
    assert.equal(new Set(shapes).size, 1, shapes.join('\n'));
    assert.match(shapes[0] ?? '', /action\.asked/);
  } finally {
    await observed.stop();
  }
});

test('the bytes of an action that hold what looks like a secret are handed to no person; its digest stays checkable', async () => {
  const action = await ran({ cents: 504, password: 'correct horse battery' });
  const index = action.at('execution.succeeded');
  assert.equal(await gets('rosa', index), 'bundle proof key');
  assert.equal(await gets('ada', index), 'bundle proof key');
  assert.equal(await gets('crm-bot', index), 'proof action key', 'it wrote them');
  for (const who of ['rosa', 'ada'])
    for (const format of ['bundle', 'proof', 'action'])
      assert.doesNotMatch(
        await (await get(who, `/v1/log/${index}/receipt?format=${format}`)).text(),
        /correct horse/,
      );
});

test('what else is in the log is for those who read the log', async () => {
  const action = await ran({ cents: 505 });
  const head = await gate.gate().parts.store.head();
  let others = 0;
  const seen = new Set<string>();
  for (let index = 0; index < head.size; index += 1) {
    const [sealed] = await gate.gate().parts.store.entries(index - 1, 1);
    const own = action.lines.some((one) => one.index === index);
    // Whose action it is gets its decisions and runs; not who was told where, nor what was opened or refused on the way.
    if (sealed === undefined || own || ![null, action.id].includes(sealed.entry.about.action)) continue;
    seen.add(sealed.entry.type);
    others += 1;
    assert.equal(await gets('rosa', index), '', sealed.entry.type);
    assert.equal(await gets('crm-bot', index), '', sealed.entry.type);
  }
  assert.ok(others > 0 && seen.has('approval.opened') && seen.has('gate.started'), [...seen].join(' '));
  assert.equal(await gets('ada', 0), 'bundle proof key');
  for (const odd of ['-1', '1e1', '999999999999999', '0x1', '%00', `${action.lines[0]?.index}.0`])
    assert.equal((await get('ada', `/v1/log/${odd}/receipt`)).status, 404, odd);
  assert.equal((await get('ada', '/v1/log/0/receipt?format=html')).status, 400);
  assert.equal((await fetch(`${gate.gate().url}/v1/log/0/receipt`)).status, 401);
  assert.equal((await fetch(`${gate.gate().url}/v1/trusted-root`)).status, 401);
});
