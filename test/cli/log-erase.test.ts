/** `log erase`, `log hold`, `log release` and `log holds`, as processes against a real gate. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../store/bench.ts';
import { publishAll } from '../store/erasing.ts';
import { operations, policies, startTestGate, type TestGate } from '../support/gate.ts';
import { run, type Ran } from './run.ts';

const config = `
people:
  - { id: sam, name: Sam Lee, groups: [data-owners] }
  - { id: rosa, name: Rosa Diaz, groups: [data-owners] }
  - { id: oz, name: Oz Tal, groups: [platform] }
  - { id: pia, name: Pia Bo, groups: [platform] }
agents:
  - { id: crm-bot, owners: [sam] }
roles: { operators: platform, auditors: audit }
${operations}`;

let gate: TestGate;
const tokens: Record<string, string> = {};
before(async () => {
  gate = await startTestGate({ config, policies });
  tokens['crm-bot'] = await gate.token('agent', 'crm-bot');
  for (const one of ['rosa', 'oz', 'pia']) tokens[one] = await gate.token('person', one);
});
after(() => gate.stop());

const as = (who: string, ...args: string[]): Promise<Ran> =>
  run(['log', ...args, '--url', gate.gate().url], { env: { COUNTERSIGN_TOKEN: tokens[who] ?? '' } });

async function denied(): Promise<{ readonly action: string; readonly approval: string }> {
  const token = tokens['crm-bot'] ?? null;
  const asked = await gate.call(token, 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents: 500 },
  });
  const { id, digest, approval } = asked.body;
  const said = { decision: 'deny', digest, reason: 'no' };
  const path = `/v1/approvals/${approval.id}/reviews`;
  assert.equal((await gate.call(tokens['rosa'] ?? null, 'POST', path, said)).status, 201);
  const { store, transparency } = gate.gate().parts;
  const { size } = await store.head();
  if (transparency === undefined) await publishAll(store);
  else await until('published', async () => (await store.published()).size >= size);
  return { action: id, approval: approval.id };
}

test('an action is held, let go by another, and erased by its approval’s id', async () => {
  const { action, approval } = await denied();
  const hold = await as('pia', 'hold', '--action', action, '--reason', 'in court');
  assert.equal(hold.code, 0, hold.err);
  const id = /hld_\w+/.exec(hold.out)?.[0] ?? assert.fail(hold.out);
  assert.match(hold.out, new RegExp(`${id} · action ${action} · placed by pia .* · in force`));
  const kept = await as('oz', 'erase', '--action', action, '--reason', 'asked for');
  assert.deepEqual([kept.code, kept.out], [1, '']);
  assert.match(kept.err, /legal hold .*\(on_hold\)/);
  const listed = await as('oz', 'holds');
  assert.match(listed.out, /in force\n {2}in court/);
  assert.equal((await as('pia', 'release', id, '--reason', 'over')).code, 1, 'not by who placed it');
  const other = await as('oz', 'release', id, '--reason', 'over');
  assert.match(other.out, /released by oz/);
  const erased = await as(
    'pia',
    'erase',
    '--action',
    approval,
    '--reason',
    'asked for',
    '--basis',
    'Art. 17',
  );
  assert.equal(erased.code, 0, erased.err);
  assert.match(erased.out, /^Erased \d+ payloads: \d+/);
  assert.match(erased.err, /Backups made before still hold them/);
  const again = await as('pia', 'erase', '--action', action, '--reason', 'asked for');
  assert.deepEqual([again.code, again.out], [0, '']);
  assert.match(again.err, /nothing left/);
});

test('what cannot be meant is said before anybody is asked; what is refused is one sentence', async () => {
  for (const [args, words] of [
    [['erase', '--action', 'act_1'], /needs --reason/],
    [['erase', '--reason', 'x'], /--action, or --from and --to/],
    [['erase', '--action', 'x', '--reason', 'x'], /no action/],
    [['erase', '--action', 'act_1', '--from', '1', '--reason', 'x'], /not both/],
    [['erase', '--from', '1', '--to', 'x', '--reason', 'x'], /--to is the index/],
    [['hold', '--action', 'a', '--person', 'b', '--reason', 'x'], /place two/],
    [['hold'], /needs --reason/],
    [['release', 'x', '--reason', 'x'], /no hold/],
    [['release', '--reason', 'x'], /ID is missing/],
  ] as const) {
    const ran = await as('oz', ...args);
    assert.equal(ran.code, 2, args.join(' '));
    assert.match(ran.err, words);
  }
  const { action } = await denied();
  for (const who of ['rosa', 'crm-bot']) {
    const ran = await as(who, 'erase', '--action', action, '--reason', 'x');
    assert.deepEqual([ran.code, ran.out], [1, ''], who);
    assert.match(ran.err, /\(not_permitted\)/);
  }
  for (const what of ['erase', 'hold', 'release', 'holds']) {
    const help = await run(['log', what, '--help']);
    assert.equal(help.code, 0, what);
    assert.match(help.out, new RegExp(`usage: countersign log ${what}`));
  }
});
