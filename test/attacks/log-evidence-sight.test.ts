/**
 * Evidence as a way around what somebody may see: an operator who is no auditor, an auditor whom a policy keeps from inputs, and
 * secrets that no page shows. All that is in the package is read: every file, every PDF, every sheet, every proof.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { unzipSync } from 'fflate';
import { eventually, people, policies, startTestGate, type TestGate } from '../support/gate.ts';
import { pdfAttachments, pdfText } from '../evidence/support/tools.ts';

/** pat operates the gate, is asked nothing and owns nothing; ada is an auditor. */
const withPat = people.replace('agents:', '  - { id: pat, name: Pat Olsen, groups: [platform] }\nagents:');
const operations = `
operations:
  shop___refund:
    input: { type: object, properties: { cents: { type: integer }, note: { type: string }, password: { type: string } }, required: [cents] }
    profile: { verb: Refund, effect: write, reversible: false }
`;
const password = 'correct horse battery';
const marks = {
  note: 'walrus-note',
  reason: 'walrus-reason',
  session: 'walrus-session AKIAIOSFODNN7EXAMPLE',
  detail: 'walrus-detail',
};
const marked = /walrus-[a-z]+/;

const dayMs = 86_400_000;
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const [from, to] = [day(Date.now() - dayMs), day(Date.now() + 2 * dayMs)];

interface Scene {
  readonly gate: TestGate;
  readonly token: Readonly<Record<string, string>>;
}

async function opened(more = ''): Promise<Scene> {
  const gate = await startTestGate({ config: withPat + operations, policies: policies + more });
  const token: Record<string, string> = {};
  for (const id of ['rosa', 'ada', 'pat']) token[id] = await gate.token('person', id);
  token['crm-bot'] = await gate.token('agent', 'crm-bot');
  const bot = token['crm-bot'];
  const asked = await gate.call(bot, 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents: 501, note: marks.note, password },
    reason: marks.reason,
    session: marks.session,
  });
  assert.equal(asked.status, 202, JSON.stringify(asked.body));
  const { id, digest, approval } = asked.body;
  const review = { decision: 'approve', digest, reason: 'the customer is right' };
  const reviewed = await gate.call(
    token['rosa'] ?? '',
    'POST',
    `/v1/approvals/${approval.id}/reviews`,
    review,
  );
  assert.equal(reviewed.status, 201, JSON.stringify(reviewed.body));
  const run = await gate.call(bot, 'POST', `/v1/actions/${id}/execution`);
  assert.equal(run.status, 201, JSON.stringify(run.body));
  const told = await gate.call(bot, 'PUT', `/v1/executions/${run.body.id}/outcome`, {
    status: 'succeeded',
    detail: marks.detail,
  });
  assert.equal(told.status, 200, JSON.stringify(told.body));
  await eventually(async () => {
    const { store } = gate.gate().parts;
    // The tree alone proves nothing yet.
    const { size } = await store.head();
    return (await store.newestCheckpoint())?.size === size;
  }, 'a checkpoint covers everything');
  return { gate, token };
}

/** Every file of the package, whatever it is packed in, as text. */
async function packageOf({ gate, token }: Scene, who: string): Promise<ReadonlyMap<string, string>> {
  const answer = await fetch(`${gate.gate().url}/v1/evidence`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token[who]}`, 'content-type': 'application/json' },
    body: JSON.stringify({ from, to, samples: { rows: [1] } }),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  const found = new Map<string, string>();
  const add = (name: string, bytes: Uint8Array): void => {
    if (name.endsWith('.pdf')) {
      found.set(name, pdfText(bytes));
      for (const [inner, content] of pdfAttachments(bytes)) add(`${name}/${inner}`, content);
    } else if (name.endsWith('.xlsx')) {
      for (const [inner, content] of Object.entries(unzipSync(bytes))) add(`${name}/${inner}`, content);
    } else {
      const text = new TextDecoder().decode(bytes);
      found.set(name, text);
      if (name.endsWith('.sigstore.json'))
        found.set(`${name}#`, Buffer.from(JSON.parse(text).dsseEnvelope.payload, 'base64').toString());
    }
  };
  for (const [name, bytes] of Object.entries(unzipSync(new Uint8Array(await answer.arrayBuffer()))))
    add(name, bytes);
  return found;
}

const holding = (files: ReadonlyMap<string, string>, what: RegExp): readonly string[] =>
  [...files].flatMap(([name, text]) => (what.test(text) ? [`${name}: ${what.exec(text)?.[0]}`] : []));

describe('by the default policies', () => {
  let scene: Scene;
  before(async () => {
    scene = await opened();
  });
  after(() => scene.gate.stop());

  test('not-yours-to-see: an operator who is no auditor makes evidence that holds nothing of what actions hold', async () => {
    const files = await packageOf(scene, 'pat');
    assert.deepEqual(holding(files, marked), []);
    assert.deepEqual(holding(files, /correct horse/), []);
    // Who asked for what, who decided, and the proof of it, are still there.
    assert.ok(holding(files, /shop___refund|refund of shop/).length > 0);
    assert.ok(holding(files, /Rosa Diaz/).length > 0);
    assert.ok(
      [...files.keys()].some((name) => name.endsWith('.tlog-proof')),
      files.get('02-Samples.pdf')?.slice(-900),
    );
    assert.ok(
      ![...files.keys()].some((name) => name.includes('.sigstore.json') || name.endsWith('.action.json')),
    );
  });

  test('an auditor gets what was signed, and the bytes of no action that holds a secret', async () => {
    const files = await packageOf(scene, 'ada');
    assert.ok(holding(files, marked).length > 0, 'an auditor sees what actions hold');
    assert.deepEqual(holding(files, /correct horse/), []);
    // What was signed is an auditor's to check to the byte; all that we write ourselves masks it.
    assert.deepEqual(
      holding(files, /AKIAIOSFODNN7EXAMPLE/).filter((one) => !one.includes('.sigstore.json#')),
      [],
    );
    assert.ok([...files.keys()].some((name) => name.endsWith('.sigstore.json')));
  });
});

describe('where a policy keeps inputs from auditors', () => {
  let scene: Scene;
  before(async () => {
    scene = await opened(`
@id("shop.auditors") @title("Auditors see no inputs of it")
forbid (principal, action == Action::"read_input", resource)
when { principal in context.roles.auditors && resource.server == "shop" };
`);
  });
  after(() => scene.gate.stop());

  test('not-yours-to-see: the samples of a package come without statements and bytes that its maker may not see', async () => {
    const files = await packageOf(scene, 'ada');
    assert.deepEqual(holding(files, marked), []);
    assert.deepEqual(holding(files, /correct horse/), []);
    assert.ok(
      [...files.keys()].some((name) => name.endsWith('.tlog-proof')),
      files.get('02-Samples.pdf')?.slice(-900),
    );
  });
});
