/**
 * What happens around the gate is found in the target's own record, whatever id it is done under: none, a made up one, that of
 * somebody else's execution, the same one twice, one whose grant was not used yet. And nobody compares but operators.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { browse } from '../support/browse.ts';
import { startTestGate, type TestGate } from '../support/gate.ts';

let gate: TestGate;
let agent = '';
let other = '';
let operator = '';
const from = new Date(Date.now() - 3_600_000).toISOString();
const to = new Date(Date.now() + 3_600_000).toISOString();

interface Done {
  readonly action: string;
  readonly execution: string;
  readonly startedMs: number;
}

before(async () => {
  gate = await startTestGate();
  agent = await gate.token('agent', 'crm-bot');
  other = await gate.token('agent', 'other-bot');
  operator = await gate.token('person', 'sam');
});
after(() => gate.stop());

/** One action, run and over. */
async function done(token = agent): Promise<Done> {
  const asked = await gate.call(token, 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents: 5 },
  });
  assert.equal(asked.status, 200);
  const begun = await gate.call(token, 'POST', `/v1/actions/${asked.body.id}/execution`, {});
  assert.equal(begun.status, 201);
  const ended = await gate.call(token, 'PUT', `/v1/executions/${begun.body.id}/outcome`, {
    status: 'succeeded',
  });
  assert.equal(ended.status, 200);
  const held = await gate.gate().parts.store.caseBy({ execution: begun.body.id });
  return {
    action: asked.body.id,
    execution: begun.body.id,
    startedMs: held?.execution?.startedAtMs ?? Number.NaN,
  };
}
const at = (ms: number): string => new Date(ms).toISOString();
const compare = (rows: readonly object[], more: object = {}, token = operator) =>
  gate.call(token, 'POST', '/v1/reconciliations', { from, to, targets: ['shop'], rows, ...more });
const whys = (body: { targetOnly: { rows: readonly { place: number; why: string }[] } }): readonly string[] =>
  body.targetOnly.rows.map(({ place, why }) => `${place} ${why}`);

test('each way around the gate is a row of the target’s alone, with its reason', async () => {
  const [mine, theirs] = [await done(), await done(other)];
  const waiting = await gate.call(agent, 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents: 500 },
  });
  assert.equal(waiting.status, 202);
  const rows = [
    { at: at(mine.startedMs), what: 'refund', id: mine.execution },
    { at: at(theirs.startedMs), what: 'refund', id: theirs.execution },
    // The same id twice.
    { at: at(mine.startedMs + 1), what: 'refund again', id: mine.execution },
    // Somebody else's id, after theirs had ended; and the action's in the place of the execution's.
    { at: at(theirs.startedMs + 60_000), what: 'refund under their id', id: theirs.execution },
    { at: at(theirs.startedMs), what: 'refund under their action', id: theirs.action },
    // Before the grant was used; and of what nobody has approved.
    { at: at(mine.startedMs - 60_000), what: 'refund first, ask then', id: mine.execution },
    { at: at(Date.now()), what: 'refund without waiting', id: waiting.body.id },
    { at: at(Date.now()), what: 'refund by hand' },
    { at: at(Date.now()), what: 'refund under a made up id', id: `exe_${'0'.repeat(26)}` },
  ];
  const { status, body } = await compare(rows);
  assert.equal(status, 201, JSON.stringify(body));
  assert.equal(body.matched, 2);
  assert.deepEqual(whys(body), [
    '3 used_again',
    '4 after_it_ran',
    '5 used_again',
    '6 before_it_ran',
    '7 not_run',
    '8 no_id',
    '9 unknown_id',
  ]);
  assert.equal(body.gateOnly.count, 0);
  assert.equal(body.rows, 9);
});

test('an id of another target does not pass, and an execution without a row is named', async () => {
  const one = await done();
  const { body } = await compare([{ at: at(one.startedMs), what: 'x', id: one.execution }], {
    targets: ['elsewhere'],
  });
  assert.deepEqual([whys(body), body.matched, body.gateOnly.count], [['1 other_target'], 0, 0]);
  const missing = await compare([]);
  const names = missing.body.gateOnly.rows.map((row: { execution: string }) => row.execution);
  assert.ok(names.includes(one.execution));
});

test('operators compare; auditors and operators read; nobody else, and no agent', async () => {
  const people = { ada: await gate.token('person', 'ada'), rosa: await gate.token('person', 'rosa') };
  for (const [name, token] of Object.entries({ ...people, agent }))
    assert.deepEqual([(await compare([], {}, token)).body.code], ['not_permitted'], name);
  const kept = await gate.call(operator, 'GET', '/v1/reconciliations');
  assert.ok(kept.body.items.length >= 2);
  const [{ id }] = kept.body.items as [{ id: string }];
  for (const path of ['/v1/reconciliations', `/v1/reconciliations/${id}`]) {
    assert.equal((await gate.call(people.ada, 'GET', path)).status, 200);
    assert.equal((await gate.call(people.rosa, 'GET', path)).body.code, 'not_permitted');
    assert.equal((await gate.call(agent, 'GET', path)).body.code, 'not_permitted');
  }
  const [ada, rosa] = [await browse(gate, 'ada'), await browse(gate, 'rosa')];
  assert.equal((await rosa('/reconciliations')).status, 403);
  assert.equal((await rosa(`/reconciliations/${id}`)).status, 403);
  assert.match((await ada('/reconciliations')).text, /Reconciliation/);
});

test('each comparison is an entry, with who made it and the digest of what was compared', async () => {
  const { body } = await compare([{ at: at(Date.now()), what: 'by hand' }], { name: 'monday' });
  const entries = (await gate.gate().parts.store.entries(-1, 1000)).map(({ entry }) => entry);
  const last = entries.findLast((entry) => entry.type === 'reconciliation.recorded');
  assert.deepEqual(last?.by, { kind: 'person', id: 'sam' });
  const { id, rows, matched, targetOnly, gateOnly, file, source } = last?.data ?? {};
  assert.deepEqual(
    { id, rows, matched, targetOnly, gateOnly, file, source },
    {
      id: body.id,
      rows: 1,
      matched: 0,
      targetOnly: 1,
      gateOnly: body.gateOnly.count,
      file: body.files[0].sha256,
      source: 'json',
    },
  );
  assert.match(body.files[0].sha256, /^[0-9a-f]{64}$/);
});

test('what a target says is shown escaped and masked: it is text of whoever wrote there', async () => {
  const what = `<script>alert(1)</script>\u202Eevil token=ghp_${'a1'.repeat(18)}`;
  const { body } = await compare([{ at: at(Date.now()), what, who: '<b>root</b>', id: '"><img src=x>' }], {
    name: '<i>f</i>',
  });
  const { text } = await (await browse(gate, 'ada'))(`/reconciliations/${body.id}`);
  assert.match(text, /&lt;script&gt;alert\(1\)&lt;\/script&gt;⟨U\+202E⟩evil/);
  for (const raw of ['<script>alert', '<b>root', '<img src=x', '<i>f</i>', '\u202E', 'ghp_a1'])
    assert.ok(!text.includes(raw), raw);
  assert.match(text, /It names no execution: it did not come through the gate\./);
});

test('a request that is not what it should be compares nothing', async () => {
  const count = async (): Promise<number> =>
    (await gate.gate().parts.store.reconciliations(0, Number.MAX_SAFE_INTEGER)).length;
  const had = await count();
  for (const body of [
    { rows: [{ what: 'x' }] },
    { rows: [{ at: 'now', what: 'x' }] },
    { rows: [{ at: at(0), what: 'x', more: 1 }] },
    { rows: 'x' },
    { rows: [], targets: 'shop' },
    { rows: [], targets: ['a b'] },
    { rows: [], skewSeconds: 3600 },
    { rows: [], from: 'x' },
    { rows: [], unknown: 1 },
  ]) {
    const { status } = await gate.call(operator, 'POST', '/v1/reconciliations', { from, to, ...body });
    assert.equal(status, 400, JSON.stringify(body));
  }
  assert.equal(await count(), had);
});
