/** The page `/retention`, and what is left of an approval's page once it was erased. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { publishAll } from '../../store/erasing.ts';
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

/** An approval that rosa denied, in the tree. */
async function denied(marker: string): Promise<{ readonly action: string; readonly path: string }> {
  const held = await gate.ask('export_rows', { table: 'customers', format: marker }, { reason: marker });
  const path = `/approvals/${held.approval?.id ?? assert.fail()}`;
  const { digest } = held.asked;
  const said = { decision: 'deny', digest, reason: `no ${marker}` };
  const answer = await gate.post(await as('rosa'), `${path}/review`, said);
  assert.equal(answer.status, 303, answer.text);
  await publishAll(gate.parts.store);
  return { action: held.asked.id, path };
}

test('operators erase by form; the approval’s page says so and shows nothing of it; auditors read', async () => {
  const { path } = await denied('<b>quokka');
  const olga = await as('olga');
  const whole = await gate.get(await as('ada'), path);
  assert.match(whole.text, /quokka/);
  const what = path.slice('/approvals/'.length);
  const said = { what, reason: '<i>asked</i> for', basis: 'GDPR Art. 17', sure: 'yes' };
  const refused = await gate.post(olga, '/retention/erase', { ...said, sure: '' });
  assert.equal(refused.status, 400);
  assert.match(refused.text, new RegExp(`value="${what}"`), 'what was typed is there still');
  const own = await gate.post(await as('sam'), '/retention/erase', said);
  assert.equal(own.status, 403);
  assert.match(own.text, /owns the agent crm-bot/);
  const erased = await gate.post(olga, '/retention/erase', said);
  assert.deepEqual([erased.status, erased.headers.get('location')], [303, '/retention'], erased.text);
  for (const who of ['ada', 'rosa', 'olga', 'sam']) {
    const { status, text } = await gate.get(await as(who), path);
    assert.equal(status, 200, who);
    assert.doesNotMatch(text, /quokka/, who);
    assert.match(text, /Erased, as entry \d+ of the log says/, who);
    assert.match(text, /Rosa Diaz/, who);
  }
  const inbox = await gate.get(await as('rosa'), '/inbox');
  assert.equal(inbox.status, 200);
  assert.doesNotMatch(inbox.text, /quokka/);
  const page = await gate.get(await as('ada'), '/retention');
  assert.equal(page.status, 200);
  assert.match(page.text, /&lt;i&gt;asked&lt;\/i&gt; for \(GDPR Art\. 17\)/);
  assert.match(page.text, /Olga Novak: \d+ payloads/);
  assert.doesNotMatch(page.text, /action="\/retention\//, 'an auditor has no form');
  const entry = /href="(\/log\/\d+)"/.exec(page.text)?.[1] ?? '';
  assert.match((await gate.get(await as('ada'), entry)).text, /GDPR Art\. 17/);
});

test('a hold is placed by form, keeps what it covers, and is released by another', async () => {
  const { action } = await denied('wombat');
  const olga = await as('olga');
  const placed = await gate.post(olga, '/retention/hold', { what: action, reason: '<b>court</b>' });
  assert.equal(placed.status, 303, placed.text);
  const page = await gate.get(await as('sam'), '/retention');
  assert.match(page.text, /&lt;b&gt;court/);
  const hold = /name="hold" value="(hld_\w+)"/.exec(page.text)?.[1] ?? '';
  const erase = { what: action, reason: 'asked for', basis: '', sure: 'yes' };
  const kept = await gate.post(olga, '/retention/erase', erase);
  assert.equal(kept.status, 409);
  assert.match(kept.text, /on_hold/);
  const alone = await gate.post(olga, '/retention/release', { hold, reason: 'over' });
  assert.equal(alone.status, 403);
  const released = await gate.post(await as('sam'), '/retention/release', { hold, reason: 'over' });
  assert.equal(released.status, 303, released.text);
  assert.equal((await gate.post(olga, '/retention/erase', erase)).status, 303);
});

test('others read nothing of it, and no form works without its token or by GET', async () => {
  for (const who of ['rosa', 'mia']) {
    const session = await as(who);
    assert.equal((await gate.get(session, '/retention')).status, 403, who);
    const answer = await gate.post(session, '/retention/hold', { what: '', reason: 'mine' });
    assert.equal(answer.status, 403, who);
  }
  const olga = await as('olga');
  for (const path of ['/retention/erase', '/retention/hold', '/retention/release']) {
    const fields = { what: '', reason: 'x', hold: 'hld_x', sure: 'yes' };
    assert.equal((await gate.post({ ...olga, csrf: '' }, path, fields)).status, 403, path);
    assert.equal((await gate.get(olga, path)).status, 405, path);
    assert.ok((await gate.post(null, path, fields)).status >= 400, path);
  }
  assert.ok((await gate.parts.store.holds()).every((one) => one.released !== null));
});
