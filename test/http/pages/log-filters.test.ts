/** The log's page: every filter narrows, every link keeps them all, names are offered, and the buttons take what is shown. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { review } from '../../../src/app/review.ts';
import { asPersonId } from '../../../src/core/ids.ts';
import { scenes } from './scenes.ts';
import { openPages, type PagesGate } from './support.ts';

const contentOf = (text: string): string => text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');

let gate: PagesGate;
before(async () => {
  gate = await openPages();
  const held = await scenes.export(gate);
  assert.ok(held.approval);
  const denied = await review(gate.parts, { kind: 'person', id: asPersonId('sam') }, held.approval.id, {
    decision: 'deny',
    digest: held.asked.digest,
    reason: 'wrong quarter',
    unsafe: false,
    channel: 'web',
    shownWhole: true,
  });
  assert.ok(denied.ok);
  await gate.ask('export_rows', { table: 'plans', format: 'csv' });
  for (let times = 0; times < 30; times += 1) await scenes.grant(gate, { run: String(times) });
});
after(() => gate.close());

test('the sentence of a denial is what one would say', async () => {
  const { text } = await gate.get(await gate.signIn('ada'), '/log?type=review.recorded');
  assert.match(
    contentOf(text),
    /Sam Lee denied crm-bot’s export of 5,204 rows from customers: wrong quarter/,
  );
});

test('each filter narrows, alone and with others', async () => {
  const ada = await gate.signIn('ada');
  const types = async (query: string) =>
    [...(await gate.get(ada, `/log?${query}`)).text.matchAll(/<code\s*>([a-z_]+\.[a-z_]+)<\/code/g)].map(
      (one) => one[1],
    );
  const customers = await types('resource=customers');
  assert.ok(customers.includes('action.asked') && customers.includes('review.recorded'));
  assert.ok(!customers.includes('gate.started'));
  assert.deepEqual(await types('resource=customer'), []);
  assert.deepEqual(await types('resource=plans&verdict=review'), []);
  assert.ok((await types('resource=plans&verdict=allow')).length > 0);
  assert.ok((await types('policy=export.customers')).includes('review.recorded'));
  assert.deepEqual(await types('policy=export.customers&verdict=allow'), []);
  assert.deepEqual(await types('policy=export.customers&agent=mail-bot'), []);
  assert.deepEqual(await types('person=sam&type=review.recorded&text=quarter'), ['review.recorded']);
});

test('links keep every filter, fields show them, names are offered, and what was said of a field is said of it', async () => {
  const ada = await gate.signIn('ada');
  const { text } = await gate.get(
    ada,
    '/log?verdict=review&policy=grant.admin&agent=crm-bot&from=2026-11-01',
  );
  const older =
    /href="(\/log\?[^"]*before=[^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? assert.fail('no link');
  const query = new URLSearchParams(older.slice('/log?'.length));
  assert.deepEqual(
    ['verdict', 'policy', 'agent', 'from'].map((name) => query.get(name)),
    ['review', 'grant.admin', 'crm-bot', '2026-11-01'],
  );
  assert.equal((await gate.get(ada, older)).status, 200);
  assert.match(text, /<option value="review"\s+selected/);
  assert.match(text, /name="policy"[^>]*value="grant\.admin"/);
  for (const name of ['Rosa Diaz', 'crm-bot', 'ops___grant_role', 'grant.admin'])
    assert.ok((await gate.get(ada, '/log')).text.includes(name), name);
  const gone = await gate.get(ada, '/log?person=zoe');
  assert.match(gone.text, /<option value="zoe"\s+selected/);
  const wrong = await gate.get(ada, '/log?verdict=maybe');
  assert.match(contentOf(wrong.text), /could not be understood: verdict/);
  assert.ok(
    !wrong.text.includes('/log/export'),
    'what is shown is more than was asked for, so it is not offered as a file',
  );
});

test('the buttons take what is shown', async () => {
  const ada = await gate.signIn('ada');
  const { text } = await gate.get(ada, '/log?resource=customers');
  assert.match(text, /<input type="hidden" name="resource" value="customers"/);
  const file = await gate.post(ada, '/log/export', { format: 'jsonl', resource: 'customers' });
  assert.equal(file.status, 200);
  assert.match(file.headers.get('content-disposition') ?? '', /-filtered\.jsonl"$/);
  const rows = file.text
    .trimEnd()
    .split('\n')
    .map((one) => JSON.parse(one) as Record<string, unknown>);
  assert.deepEqual(
    new Set(rows.map((one) => (one['resource'] as { id: string }).id)),
    new Set(['customers']),
  );
  const told = await gate.get(ada, '/log?type=log.exported');
  assert.match(
    contentOf(told.text),
    new RegExp(`Ada Berg took ${rows.length} entries out of the log as jsonl`),
  );
  assert.equal((await gate.post(ada, '/log/export', { format: 'pdf' })).status, 400);
});
