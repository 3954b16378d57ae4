/** What forms of the pages decide, what is refused and how that is told, and what a GET never does. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { stateOf, type Case } from '../../../src/core/case.ts';
import { claim } from '../../../src/app/execute.ts';
import { waitingSentence } from '../../../src/enforce/mcp/words.ts';
import { scenes } from './scenes.ts';
import { openPages, type PagesGate } from './support.ts';

let gate: PagesGate;
before(async () => {
  gate = await openPages();
});
after(() => gate.close());

const pathOf = (held: Case): string => `/approvals/${held.approval?.id ?? ''}`;
const stateNow = async (held: Case) => stateOf(await gate.held(held.approval?.id), gate.clock.nowMs);
/** Another run, so that scenes do not join. */
let runs = 0;
const fresh = () => ({ run: `run-${(runs += 1)}` });
const contentOf = (text: string): string => text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');

test('approving by form: only a POST from our own page, then the page by GET', async () => {
  const held = await scenes.export(gate, fresh());
  const rosa = await gate.signIn('rosa');
  const answer = await gate.post(rosa, `${pathOf(held)}/review`, {
    decision: 'approve',
    digest: held.asked.digest,
    reason: 'Fine.\r\nTwice.',
  });
  assert.deepEqual([answer.status, answer.headers.get('location')], [303, pathOf(held)]);
  assert.equal(await stateNow(held), 'ready');
  assert.equal((await gate.held(held.approval?.id)).reviews[0]?.reason, 'Fine.\nTwice.');
  assert.equal((await gate.held(held.approval?.id)).reviews[0]?.channel, 'web');
  assert.match(
    contentOf((await gate.get(rosa, pathOf(held))).text),
    /Approved, not run yet .* Rosa Diaz approved in the web inbox/,
  );
});

test('get-never-decides: following any link of the pages changes nothing', async () => {
  const held = await scenes.export(gate, fresh());
  const rosa = await gate.signIn('rosa');
  for (const path of [`${pathOf(held)}/review`, `${pathOf(held)}/cancel`, '/executions/exe_x/settle']) {
    for (const query of ['', `?decision=approve&digest=${held.asked.digest}&csrf=${rosa.csrf}`]) {
      const answer = await gate.get(rosa, path + query);
      assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST']);
    }
  }
  const { text } = await gate.get(rosa, pathOf(held));
  for (const [, link = ''] of text.matchAll(/href="([^"]+)"/g))
    await gate.get(rosa, link.replaceAll('&amp;', '&'));
  assert.equal(await stateNow(held), 'pending');
  assert.equal((await gate.post(rosa, pathOf(held), {})).status, 405);
});

test('a form without its token, or from elsewhere, does nothing', async () => {
  const held = await scenes.export(gate, fresh());
  const rosa = await gate.signIn('rosa');
  const mia = await gate.signIn('mia');
  const fields = { decision: 'approve', digest: held.asked.digest };
  for (const csrf of ['', 'x', mia.csrf]) {
    const answer = await gate.post(rosa, `${pathOf(held)}/review`, { ...fields, csrf });
    assert.equal(answer.status, 403, csrf);
    assert.match(answer.text, /not_permitted/);
  }
  const body = new URLSearchParams({ ...fields, csrf: rosa.csrf }).toString();
  const type = { 'content-type': 'application/x-www-form-urlencoded', cookie: rosa.cookie };
  for (const headers of [
    { ...type, origin: 'https://evil.test' },
    { ...type, origin: 'null' },
    type,
    { ...type, origin: gate.origin, 'sec-fetch-site': 'cross-site' },
  ]) {
    const answer = await gate.handler(
      new Request(`${gate.origin}${pathOf(held)}/review`, { method: 'POST', headers, body }),
    );
    assert.equal(answer.status, 403, JSON.stringify(headers));
  }
  assert.equal(await stateNow(held), 'pending');
});

test('a refusal is shown on the page, in words, with what was typed', async () => {
  const held = await scenes.grant(gate, fresh());
  const sam = await gate.signIn('sam');
  const own = await gate.post(sam, `${pathOf(held)}/review`, {
    decision: 'approve',
    digest: held.asked.digest,
    reason: 'I say so',
  });
  assert.equal(own.status, 403);
  assert.match(contentOf(own.text), /Not done\..*no_self_approval/);
  const rosa = await gate.signIn('rosa');
  const none = await gate.post(rosa, `${pathOf(held)}/review`, {
    decision: 'approve',
    digest: held.asked.digest,
    reason: '  ',
  });
  assert.deepEqual([none.status, /reason_required/.test(none.text)], [403, true]);
  const other = await gate.post(rosa, `${pathOf(held)}/review`, {
    decision: 'approve',
    digest: `sha256:${'0'.repeat(64)}`,
    reason: 'typed <b>with care</b>',
  });
  assert.equal(other.status, 409);
  assert.match(other.text, /digest_mismatch/);
  assert.match(other.text, /typed &lt;b&gt;with care&lt;\/b&gt;<\/textarea>/);
  assert.match(other.text, new RegExp(`data-self="${pathOf(held)}"`));
  assert.equal(await stateNow(held), 'pending');
});

test('no-self-approval: the page offers no way to approve one’s own action, and says why', async () => {
  const held = await scenes.export(gate, fresh());
  const { text } = await gate.get(await gate.signIn('sam'), pathOf(held));
  assert.doesNotMatch(text, /Approve this exact action|value="approve"/);
  assert.match(text, /counts as your own action: Sam Lee owns the agent crm-bot/);
  assert.match(text, /value="deny"/);
});

test('denying: reason, unsafe; then it is closed for everybody', async () => {
  const held = await scenes.export(gate, fresh());
  const mia = await gate.signIn('mia');
  const answer = await gate.post(mia, `${pathOf(held)}/review`, {
    decision: 'deny',
    digest: held.asked.digest,
    reason: 'Use the aggregate.',
    unsafe: 'yes',
  });
  assert.equal(answer.status, 303);
  const page = await gate.get(await gate.signIn('rosa'), pathOf(held));
  assert.match(
    contentOf(page.text),
    /Denied by Mia Chen at .*Mia Chen denied it as unsafe in the web inbox.*Use the aggregate\./,
  );
  assert.doesNotMatch(page.text, /<form class="approve"|value="deny"/);
});

test('two people, each with a reason; the second sees the first', async () => {
  const held = await scenes.grant(gate, fresh());
  const said = { decision: 'approve', digest: held.asked.digest };
  assert.equal(
    (await gate.post(await gate.signIn('rosa'), `${pathOf(held)}/review`, { ...said, reason: 'On call.' }))
      .status,
    303,
  );
  assert.equal(await stateNow(held), 'pending');
  const mia = await gate.signIn('mia');
  assert.match(
    contentOf((await gate.get(mia, pathOf(held))).text),
    /1 of 2 from security .*Rosa Diaz approved.*On call\./,
  );
  assert.equal((await gate.post(mia, `${pathOf(held)}/review`, { ...said, reason: 'Checked.' })).status, 303);
  assert.equal(await stateNow(held), 'ready');
});

test('two policies that ask one group share its places, and whatever counts them counts the same', async () => {
  const shared = await openPages({
    forbids:
      '@id("grant.any") @title("Roles are granted by security") @approvers("security") forbid (principal, action == Action::"ops___grant_role", resource);',
  });
  try {
    const held = await scenes.grant(shared);
    const rosa = await shared.signIn('rosa');
    const said = { decision: 'approve', digest: held.asked.digest, reason: 'On call.' };
    assert.equal((await shared.post(rosa, `${pathOf(held)}/review`, said)).status, 303);
    const mia = await shared.signIn('mia');
    assert.match((await shared.get(mia, pathOf(held))).text, /Waiting for approval\. 1 of 2 approvals\./);
    assert.match(contentOf((await shared.get(mia, '/inbox')).text), / 1 of 2 /);
    const now = await shared.held(held.approval?.id);
    assert.match(waitingSentence(now, shared.origin), /: 1 of 2, /);
    assert.equal((await shared.post(mia, `${pathOf(held)}/review`, said)).status, 303);
    assert.equal(stateOf(await shared.held(held.approval?.id), shared.clock.nowMs), 'ready');
  } finally {
    await shared.close();
  }
});

test('shown-whole: what is larger than a page can show has no approve button, and a forged form is refused', async () => {
  const held = await gate.ask('run_script', {
    rows: Array.from({ length: 6000 }, (_, index) => ({ index })),
  });
  const rosa = await gate.signIn('rosa');
  const { text } = await gate.get(rosa, pathOf(held));
  assert.doesNotMatch(text, /Approve this exact action/);
  assert.match(text, /larger than can be shown and read here/);
  const forged = await gate.post(rosa, `${pathOf(held)}/review`, {
    decision: 'approve',
    digest: held.asked.digest,
  });
  assert.deepEqual([forged.status, /shown_incomplete/.test(forged.text)], [403, true]);
});

test('an owner withdraws; an operator settles an unknown outcome, with a reason', async () => {
  const sam = await gate.signIn('sam');
  const one = await scenes.export(gate, fresh());
  assert.equal((await gate.post(sam, `${pathOf(one)}/cancel`, {})).status, 303);
  assert.equal(await stateNow(one), 'cancelled');

  const held = await scenes.export(gate, fresh());
  await gate.post(await gate.signIn('rosa'), `${pathOf(held)}/review`, {
    decision: 'approve',
    digest: held.asked.digest,
  });
  const taken = await claim(gate.parts, held.asked.action.agent, held.asked.id);
  assert.ok(taken.ok);
  const execution = taken.value.execution.id;
  await gate.parts.store.change({ kind: 'lost', execution });
  assert.match((await gate.get(sam, pathOf(held))).text, /Settle the outcome/);
  assert.doesNotMatch((await gate.get(await gate.signIn('rosa'), pathOf(held))).text, /Settle the outcome/);
  const fields = { approval: held.approval?.id ?? '', status: 'succeeded' };
  assert.equal(
    (await gate.post(sam, `/executions/${execution}/settle`, { ...fields, reason: '' })).status,
    403,
  );
  assert.equal(
    (
      await gate.post(await gate.signIn('rosa'), `/executions/${execution}/settle`, {
        ...fields,
        reason: 'x',
      })
    ).status,
    403,
  );
  assert.equal(
    (await gate.post(sam, `/executions/${execution}/settle`, { ...fields, reason: 'Looked at the bucket.' }))
      .status,
    303,
  );
  assert.equal(await stateNow(held), 'succeeded');
});

test('forms that are no forms of ours are refused', async () => {
  const held = await scenes.export(gate, fresh());
  const rosa = await gate.signIn('rosa');
  const send = (body: string, type = 'application/x-www-form-urlencoded') =>
    gate.handler(
      new Request(`${gate.origin}${pathOf(held)}/review`, {
        method: 'POST',
        body,
        headers: {
          cookie: rosa.cookie,
          origin: gate.origin,
          'x-csrf-token': rosa.csrf,
          'content-type': type,
        },
      }),
    );
  const fields = `decision=approve&digest=${held.asked.digest}`;
  assert.equal((await send(`${fields}&digest=sha256:00`)).status, 400);
  assert.equal((await send(`${fields}&reason=${'x'.repeat(70_000)}`)).status, 400);
  assert.equal((await send('{"decision":"approve"}', 'application/json')).status, 400);
  assert.equal((await send('decision=maybe')).status, 400);
  assert.equal(await stateNow(held), 'pending');
});
