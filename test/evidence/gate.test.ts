/** Evidence from a whole gate: an auditor asks for it over HTTP, and what comes out is what happened. */
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { after, before, test } from 'node:test';
import { unzipSync } from 'fflate';
import { sha256Hex } from '../../src/core/sha256.ts';
import { verifyPayload } from '../../src/log/leaf.ts';
import { inFolder, run } from '../cli/run.ts';
import { eventually, startTestGate, type TestGate } from '../support/gate.ts';
import { pdfAttachments, pdfText, readSheet } from './support/tools.ts';

let gate: TestGate;
const token: Record<string, string> = {};
const dayMs = 86_400_000;
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const from = day(Date.now() - dayMs);
const to = day(Date.now() + 2 * dayMs);
const session = '=cmd|\u202E constructor';

async function refund(cents: number): Promise<{
  readonly id: string;
  readonly approval?: { readonly id: string };
  readonly digest: string;
  readonly state: string;
}> {
  const asked = await gate.call(token['crm-bot'] ?? '', 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents },
    reason: 'the customer asked',
    session,
  });
  return asked.body;
}

async function execute(action: string): Promise<void> {
  const taken = await gate.call(token['crm-bot'] ?? '', 'POST', `/v1/actions/${action}/execution`);
  assert.equal(taken.status, 201, JSON.stringify(taken.body));
  const told = await gate.call(token['crm-bot'] ?? '', 'PUT', `/v1/executions/${taken.body.id}/outcome`, {
    status: 'succeeded',
  });
  assert.equal(told.status, 200, JSON.stringify(told.body));
}

before(async () => {
  gate = await startTestGate();
  for (const id of ['sam', 'rosa', 'ada']) token[id] = await gate.token('person', id);
  token['crm-bot'] = await gate.token('agent', 'crm-bot');
  await execute((await refund(50)).id);
  const held = await refund(500);
  const review = await gate.call(token['rosa'] ?? '', 'POST', `/v1/approvals/${held.approval?.id}/reviews`, {
    decision: 'approve',
    digest: held.digest,
    reason: 'invoice 4411',
  });
  assert.equal(review.status, 201, JSON.stringify(review.body));
  await execute(held.id);
  await refund(200_000);
  const waiting = await refund(700);
  await gate.call(token['rosa'] ?? '', 'POST', `/v1/approvals/${waiting.approval?.id}/reviews`, {
    decision: 'deny',
    digest: waiting.digest,
    reason: 'wrong customer',
  });
  await published();
});
after(() => gate.stop());

async function published(): Promise<void> {
  await eventually(async () => {
    const { store } = gate.gate().parts;
    return (await store.published()).size === (await store.head()).size;
  }, 'everything is published');
}

async function make(who: string, body: object): Promise<Response> {
  return fetch(`${gate.gate().url}/v1/evidence`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token[who]}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

test('an auditor gets the evidence: signed, complete, and true', async () => {
  const answer = await make('ada', { from, to, samples: { rows: [1, 2] } });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'application/zip');
  assert.match(
    answer.headers.get('content-disposition') ?? '',
    /^attachment; filename="evidence-[\w-]+\.zip"$/,
  );
  const files = unzipSync(new Uint8Array(await answer.arrayBuffer()));
  const manifest = JSON.parse(text(files['manifest.json']));
  for (const one of manifest.files) assert.equal(sha256Hex(files[one.name] ?? ''), one.sha256, one.name);
  assert.deepEqual([manifest.rows, manifest.asked, manifest.complete], [4, 4, true]);

  // The key is one that the log itself began with an entry.
  const envelope = JSON.parse(text(files['manifest.dsse.json']));
  const pem = Object.entries(files).find(([name]) => name.startsWith('proofs/receipt-key-'))?.[1];
  const key = createPublicKey(text(pem));
  assert.ok(pem !== undefined);
  assert.ok(
    (await gate.gate().parts.store.logKeys()).some(
      (one) => one.spki === key.export({ type: 'spki', format: 'der' }).toString('base64'),
    ),
  );
  assert.ok(
    verifyPayload(text(files['manifest.json']), {
      key,
      signature: envelope.signatures[0].sig,
      type: envelope.payloadType,
    }),
  );

  const population = files['Population.xlsx'];
  assert.ok(population !== undefined);
  const { rows } = readSheet(population, 'Population');
  assert.equal(rows.length - 1, 4);
  const heads = new Map([...(rows[0]?.entries() ?? [])].map(([column, cell]) => [cell.value, column]));
  const column = (title: string): readonly (string | undefined)[] =>
    rows.slice(1).map((row) => row.get(heads.get(title) ?? '')?.value);
  assert.deepEqual(column('Outcome'), [
    'Allowed without review',
    'Approved by people',
    'Denied by policy',
    'Denied by a person',
  ]);
  assert.deepEqual(
    column('Session'),
    Array.from({ length: 4 }, () => '=cmd|⟨U+202E⟩ constructor'),
  );
  assert.deepEqual(column('Check: Approver is not the requester')[1], 'Yes');

  const report = files['00-Report.pdf'];
  const samples = files['02-Samples.pdf'];
  assert.ok(report !== undefined && samples !== undefined);
  const said = pdfText(report);
  for (const sentence of [
    'The numbers agree.',
    'crm-bot 4 (owned by Sam Lee (sam))',
    'Rosa Diaz (rosa) approved 1, denied 1',
    'Large refunds need a data owner',
  ])
    assert.ok(said.includes(sentence), sentence);
  const page = pdfText(samples);
  assert.ok(page.includes('Rosa Diaz (rosa) approved exactly this action'), page.slice(0, 3000));
  assert.ok(page.includes('invoice 4411'));
  const receipts = [...pdfAttachments(samples)].filter(([name]) => name.endsWith('.sigstore.json'));
  assert.ok(receipts.length >= 2);
  for (const [name, bytes] of receipts) {
    assert.deepEqual(bytes, files[`samples/${name}`]);
    assert.equal(JSON.parse(text(bytes)).mediaType, 'application/vnd.dev.sigstore.bundle.v0.3+json');
  }

  const made = (
    await gate.gate().parts.store.entriesOfTypes(['evidence.made'], { from: 0, to: 100_000 }, 10)
  ).at(-1);
  assert.equal(made?.entry.data['manifest'], sha256Hex(files['manifest.json'] ?? ''));
  assert.deepEqual(made?.entry.by, { kind: 'person', id: 'ada' });
});

test('the same query as of the same entries gives the same rows, whatever happened since', async () => {
  await published();
  const first = JSON.parse(
    text(unzipSync(new Uint8Array(await (await make('ada', { from, to })).arrayBuffer()))['manifest.json']),
  );
  await refund(60);
  const again = unzipSync(
    new Uint8Array(await (await make('ada', { from, to, asOf: first.query.asOf })).arrayBuffer()),
  );
  const second = JSON.parse(text(again['manifest.json']));
  assert.equal(second.query.command, first.query.command);
  assert.equal(second.rows, first.rows);
  assert.deepEqual(second.log, first.log);
});

test('from one signed state to another: both are there, the proof between them holds, and a bent one does not', async () => {
  await published();
  // Entries of this millisecond are before the period, or in it: a later one is neither.
  const begins = Date.now() + 2;
  await eventually(() => Date.now() > begins, 'time has passed');
  for (const cents of [61, 62, 63]) await refund(cents);
  const answer = await make('ada', { from: new Date(begins).toISOString(), to, samples: { rows: [3] } });
  assert.equal(answer.status, 200);
  const files = unzipSync(new Uint8Array(await answer.arrayBuffer()));
  const { log, rows } = JSON.parse(text(files['manifest.json']));
  assert.equal(rows, 3);
  // Asked for right after the last entry: it waited for the tree, which covers all of it.
  assert.equal(log.tier, 'tamper-detecting');
  assert.ok(log.start.size >= log.from && log.start.size < log.end.size && log.end.size > log.to);
  assert.ok(text(files['proofs/checkpoint-start.txt']).includes(`\n${log.start.size}\n${log.start.root}\n`));
  assert.ok(text(files['proofs/checkpoint-end.txt']).includes(`\n${log.end.size}\n${log.end.root}\n`));
  const report = files['00-Report.pdf'];
  assert.ok(report !== undefined);
  const said = pdfText(report);
  assert.ok(!said.includes('None: the log begins in this period'));
  for (const root of [log.start.root, log.end.root]) assert.ok(said.replaceAll(' ', '').includes(root), root);
  // Both states are embedded in the report, and the proof between them.
  const embedded = pdfAttachments(report);
  for (const name of ['checkpoint-start.txt', 'checkpoint-end.txt', 'consistency.txt'])
    assert.deepEqual(embedded.get(name), files[`proofs/${name}`], name);

  const line = /^ {2}countersign (log verify --consistency .+)$/m.exec(text(files['VERIFY.txt']))?.[1];
  assert.ok(line !== undefined, text(files['VERIFY.txt']));
  const verifies = (proof: string) =>
    inFolder({ ...proofs, 'proofs/consistency.txt': proof }, (cwd) => run(line.split(' '), { cwd }));
  const proofs = Object.fromEntries(
    Object.entries(files)
      .filter(([name]) => name.startsWith('proofs/'))
      .map(([name, bytes]) => [name, text(bytes)]),
  );
  const proof = text(files['proofs/consistency.txt']);
  const holds = await verifies(proof);
  assert.equal(holds.code, 0, holds.err + holds.out);
  const [first = '', ...rest] = proof.trim().split('\n');
  assert.equal(Buffer.from(first, 'base64').length, 32);
  const bent = Buffer.from(first, 'base64');
  bent.writeUInt8(bent.readUInt8(0) ^ 1, 0);
  const other = await verifies([bent.toString('base64'), ...rest, ''].join('\n'));
  assert.equal(other.code, 1, other.err + other.out);
});

test('operators get it as well; approvers, owners, agents and nobody do not', async () => {
  const operator = await make('sam', { from, to });
  assert.equal(operator.status, 200);
  await operator.arrayBuffer();
  for (const who of ['rosa', 'crm-bot']) {
    const refused = await make(who, { from, to });
    assert.equal(refused.status, 403, who);
    assert.match(await refused.text(), /"code":"not_permitted"/);
  }
  const nobody = await fetch(`${gate.gate().url}/v1/evidence`, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(nobody.status, 401);
});

test('what cannot be meant is refused with a word', async () => {
  for (const body of [
    {},
    { from: '2026-02-31', to: '2026-03-01' },
    { from: to, to: from },
    { from, to, samples: { rows: [0] } },
    { from, to, samples: { rows: ['1'] } },
    { from, to, samples: { count: 3 } },
    { from, to, samples: { count: 3, number: 'seven' } },
    { from, to, asOf: 10_000_000 },
    { from, to, who: 'me' },
  ]) {
    const refused = await make('ada', body);
    assert.equal(refused.status, 400, JSON.stringify(body));
    await refused.json();
  }
});

test('one is made at a time: whoever asks meanwhile is told, and the next one works', async () => {
  const [first, second] = await Promise.all([make('ada', { from, to }), make('sam', { from, to })]);
  assert.deepEqual(
    [first.status, second.status].toSorted((a, b) => a - b),
    [200, 429],
  );
  await Promise.all([first.arrayBuffer(), second.arrayBuffer()]);
  const next = await make('sam', { from, to });
  assert.equal(next.status, 200);
  await next.arrayBuffer();
});

test('operators answer exceptions, which later evidence carries; auditors only read', async () => {
  const answer = {
    exception: 'cooperative/shop___refund',
    text: 'The shop’s own process runs refunds; change 77 moves it behind the gate.',
  };
  const auditor = await gate.call(token['ada'] ?? '', 'POST', '/v1/evidence/answers', answer);
  assert.equal(auditor.status, 403);
  const operator = await gate.call(token['sam'] ?? '', 'POST', '/v1/evidence/answers', answer);
  assert.equal(operator.status, 201, JSON.stringify(operator.body));
  const report = unzipSync(new Uint8Array(await (await make('ada', { from, to })).arrayBuffer()))[
    '00-Report.pdf'
  ];
  assert.ok(report !== undefined);
  assert.ok(pdfText(report).includes('change 77'));
});
