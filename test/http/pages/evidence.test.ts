/** The page `/evidence`: who sees it, what its forms refuse, and that text of people is only shown. The package: test/evidence/. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPages, type PagesGate, type Session } from './support.ts';

let gate: PagesGate;
const sessions = new Map<string, Session>();
const as = async (id: string): Promise<Session> => {
  const session = sessions.get(id) ?? (await gate.signIn(id));
  sessions.set(id, session);
  return session;
};
before(async () => {
  gate = await openPages();
});
after(() => gate.close());

test('auditors and operators open it, others do not; only operators have the form to answer', async () => {
  for (const [who, status] of [
    ['ada', 200],
    ['olga', 200],
    ['rosa', 403],
    ['tom', 403],
  ] as const)
    assert.equal((await gate.get(await as(who), '/evidence')).status, status, who);
  assert.match((await gate.get(await as('olga'), '/evidence')).text, /action="\/evidence\/answer"/);
  const auditor = (await gate.get(await as('ada'), '/evidence')).text;
  assert.match(auditor, /action="\/evidence\/make"/);
  assert.doesNotMatch(auditor, /action="\/evidence\/answer"/);
});

test('an auditor who posts an answer all the same is refused, and nothing is written', async () => {
  const earlier = await gate.parts.store.head();
  const answer = { exception: 'downtime/3', reason: 'planned' };
  const refused = await gate.post(await as('ada'), '/evidence/answer', answer);
  assert.equal(refused.status, 403);
  assert.equal((await gate.parts.store.head()).size, earlier.size);
});

test('an answer is shown as text; what was typed in a refused one is there still', async () => {
  const refused = await gate.post(await as('olga'), '/evidence/answer', {
    exception: '<i>x',
    reason: '<b>why</b>',
  });
  assert.equal(refused.status, 400);
  assert.match(refused.text, /value="&lt;i&gt;x"/);
  assert.match(refused.text, /&lt;b&gt;why/);
  const done = await gate.post(await as('olga'), '/evidence/answer', {
    exception: 'downtime/3',
    reason: '<b>planned</b> \u202E',
  });
  assert.deepEqual([done.status, done.headers.get('location')], [303, '/evidence#answers']);
  const { text } = await gate.get(await as('ada'), '/evidence');
  assert.match(text, /downtime\/3/);
  assert.match(text, /&lt;b&gt;planned&lt;\/b&gt; ⟨U\+202E⟩/);
});

test('a period that cannot be meant is refused in words; a query in the address fills the form and makes nothing', async () => {
  const refused = await gate.post(await as('ada'), '/evidence/make', {
    from: '2026-02-31',
    to: '2026-03-01',
  });
  assert.equal(refused.status, 400);
  assert.match(refused.text, /2026-02-31” is no day/);
  assert.match(refused.text, /value="2026-02-31"/);
  const earlier = await gate.parts.store.head();
  const filled = await gate.get(await as('ada'), '/evidence?from=2026-10-01&to=2026-11-01&rows=1,5&asOf=41');
  assert.match(filled.text, /value="2026-10-01"[\s\S]*value="2026-11-01"[\s\S]*value="1,5"[\s\S]*value="41"/);
  assert.equal((await gate.get(await as('ada'), '/evidence/make')).status, 405);
  assert.equal((await gate.parts.store.head()).size, earlier.size);
});
