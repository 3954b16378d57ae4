/** A form that is sent again, because nobody knew whether it had arrived, is done once. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPages, type PagesGate, type Session } from './support.ts';

let gate: PagesGate;
before(async () => {
  gate = await openPages();
});
after(() => gate.close());

const wordIn = (text: string): string =>
  /name="once" value="([^"]+)"/s.exec(text)?.[1] ?? assert.fail('no word');

/** How many holds there are for this reason. */
async function holds(reason: string): Promise<number> {
  return (await gate.parts.store.holds()).filter((one) => one.reason === reason).length;
}

const place = async (session: Session, once: string | undefined, reason: string): Promise<number> =>
  (
    await gate.post(session, '/retention/hold', {
      what: 'rosa',
      reason,
      ...(once === undefined ? {} : { once }),
    })
  ).status;

test('each form that is shown is done once, however often it is sent; what is said anew is new', async () => {
  const olga = await gate.signIn('olga');
  const shown = (await gate.get(olga, '/retention')).text.replaceAll(/\s+/g, ' ');
  const once = wordIn(shown);
  for (let sent = 0; sent < 3; sent += 1) assert.equal(await place(olga, once, 'first'), 303);
  assert.equal(await holds('first'), 1);
  // Back in the browser, and another reason.
  assert.equal(await place(olga, once, 'second'), 303);
  assert.equal(await holds('second'), 1);
  const again = wordIn((await gate.get(olga, '/retention')).text.replaceAll(/\s+/g, ' '));
  assert.notEqual(again, once);
  assert.equal(await place(olga, again, 'first'), 303);
  assert.equal(await holds('first'), 2);
});

test('attack: the word of somebody else’s form is worth nothing, and no word is no reason to do less', async () => {
  const [olga, other] = [await gate.signIn('olga'), await gate.signIn('olga')];
  const once = wordIn((await gate.get(olga, '/retention')).text.replaceAll(/\s+/g, ' '));
  assert.equal(await place(olga, once, 'third'), 303);
  const sam = await gate.signIn('sam');
  // What he says is his own: olga’s word does not answer for him.
  assert.equal(await place(sam, once, 'third'), 303);
  assert.equal(await holds('third'), 2);
  for (const bad of [undefined, '', '<b>', 'x'.repeat(65)])
    assert.equal(await place(other, bad, 'fourth'), 303);
  assert.equal(await holds('fourth'), 4);
});

test('a decision that is sent again is the same decision', async () => {
  const held = await gate.ask('export_rows', { table: 'customers' });
  const rosa = await gate.signIn('rosa');
  const path = `/approvals/${held.approval?.id ?? assert.fail()}`;
  const once = wordIn((await gate.get(rosa, path)).text.replaceAll(/\s+/g, ' '));
  const said = { decision: 'approve', digest: held.asked.digest, reason: 'fine', once };
  const answers = [
    await gate.post(rosa, `${path}/review`, said),
    await gate.post(rosa, `${path}/review`, said),
  ];
  assert.deepEqual(
    answers.map((one) => [one.status, one.headers.get('location')]),
    [303, 303].map((status) => [status, path]),
  );
  const now = await gate.parts.store.caseBy({ action: held.asked.id });
  assert.equal(now?.reviews.length, 1);
});
