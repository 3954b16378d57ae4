/** Being away, by the page and by the command line; and the inbox's section for owners, who are told every outcome. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { asPersonId } from '../../../src/core/ids.ts';
import { newLink } from '../../../src/identity/sessions.ts';
import { systemRandom } from '../../../src/main.ts';
import { run } from '../../cli/run.ts';
import { startTestGate, type TestGate } from '../../support/gate.ts';

let gate: TestGate;
let bot = '';
before(async () => {
  gate = await startTestGate();
  bot = await gate.token('agent', 'crm-bot');
});
after(() => gate.stop());

interface Session {
  readonly cookie: string;
  readonly csrf: string;
}

async function session(person: string): Promise<Session> {
  const running = gate.gate();
  const { token, hash } = newLink(systemRandom);
  const expiresAtMs = Date.now() + 60_000;
  assert.ok(
    (await running.parts.store.change({ kind: 'link', person: asPersonId(person), hash, expiresAtMs })).ok,
  );
  const signedIn = await fetch(`${running.url}/sign-in`, {
    method: 'POST',
    headers: { origin: running.origin, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token }).toString(),
    redirect: 'manual',
  });
  const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const csrf = /name="csrf" value="([^"]+)"/.exec(await page({ cookie, csrf: '' }, '/inbox'))?.[1];
  return { cookie, csrf: csrf ?? assert.fail('no form') };
}

const page = async (at: Session, path: string): Promise<string> =>
  (await fetch(`${gate.gate().url}${path}`, { headers: { cookie: at.cookie } })).text();

const form = (at: Session, path: string, fields: Record<string, string>): Promise<Response> =>
  fetch(`${gate.gate().url}${path}`, {
    method: 'POST',
    headers: {
      origin: gate.gate().origin,
      cookie: at.cookie,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ csrf: at.csrf, ...fields }).toString(),
    redirect: 'manual',
  });

const day = (fromNow: number): string =>
  new Date(Date.now() + fromNow * 24 * 3_600_000).toISOString().slice(0, 10);

async function hold(cents: number): Promise<{ readonly approval: string; readonly digest: string }> {
  const { status, body } = await gate.call(bot, 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents },
  });
  assert.equal(status, 202, JSON.stringify(body));
  return { approval: body.approval.id, digest: body.digest };
}

test('a person names who stands in, who then finds what waits in their inbox, even what opened before', async () => {
  const { approval } = await hold(500);
  const [rosa, lee] = [await session('rosa'), await session('lee')];
  assert.ok(!(await page(lee, '/inbox')).includes(approval));
  const begun = await form(rosa, '/account/away', { to: 'lee', from: day(0), until: day(3) });
  assert.deepEqual([begun.status, begun.headers.get('location')], [303, '/account']);
  assert.match(await page(rosa, '/account'), /Lee Park stands in for you/);
  const told = await page(lee, '/account');
  assert.match(told, /You stand in for Rosa Diaz/);
  assert.match(told, /Lee Park stands in for Rosa Diaz from \d{4}-/, 'and a note says so');
  const inbox = await page(lee, '/inbox');
  assert.match(inbox, new RegExp(`Waiting for you[\\s\\S]*${approval}`));
  const shown = await page(lee, `/approvals/${approval}`);
  assert.match(shown, /id="approve"/);
  assert.match(shown, /Lee Park, for Rosa Diaz/, 'among those who can approve');
  const again = await form(rosa, '/account/away', { to: 'mia', from: day(1), until: day(2) });
  assert.equal(again.status, 400);
  assert.match(await again.text(), /stands in for you already/);
  const id =
    /name="delegation" value="(dlg_[0-9a-z]{26})"/.exec(await page(lee, '/account'))?.[1] ??
    assert.fail('none');
  assert.equal((await form(lee, '/account/away-end', { delegation: id })).status, 303);
  assert.ok(!(await page(lee, '/inbox')).includes(approval), 'at once');
  const forged = await fetch(`${gate.gate().url}/account/away`, {
    method: 'POST',
    headers: {
      origin: 'https://evil.example',
      cookie: rosa.cookie,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ csrf: rosa.csrf, to: 'lee', from: day(0), until: day(1) }).toString(),
  });
  assert.equal(forged.status, 403);
  assert.deepEqual(await gate.gate().parts.store.delegations(), []);
});

test('an owner’s inbox has every outcome of their agents; nobody else’s has the section', async () => {
  const { approval, digest } = await hold(700);
  const mia = await gate.token('person', 'mia');
  const body = { decision: 'deny', digest, reason: 'Not this one.' };
  assert.equal((await gate.call(mia, 'POST', `/v1/approvals/${approval}/reviews`, body)).status, 201);
  assert.equal(
    (await gate.call(bot, 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents: 200_000 } }))
      .status,
    403,
  );
  const inbox = await page(await session('sam'), '/inbox');
  const [, own = ''] = /id="own">Your agents([\s\S]*?)<\/section>/.exec(inbox) ?? [];
  assert.match(own, new RegExp(`/approvals/${approval}`));
  assert.match(own, /denied by people/);
  assert.match(own, /denied \(forbidden\)/);
  assert.ok(!(await page(await session('ada'), '/inbox')).includes('id="own"'));
});

test('the same from a terminal', async () => {
  const rosa = await gate.token('person', 'rosa');
  const { url } = gate.gate();
  const cli = (...args: string[]) =>
    run(['away', ...args, '--url', url], { env: { COUNTERSIGN_TOKEN: rosa } });
  const begun = await cli('begin', 'lee', '--for', 'P2D');
  assert.equal(begun.code, 0, begun.err);
  const [, id = ''] =
    /^(dlg_[0-9a-z]{26}) {2}lee stands in for rosa, \S+ to \S+\n$/.exec(begun.out) ?? assert.fail(begun.out);
  assert.match((await cli('list')).out, new RegExp(`^${id} `));
  const ended = await cli('end', id);
  assert.match(ended.out, /, ended \S+\n$/);
  for (const [args, says] of [
    [['begin', 'lee'], /--until TIME, or --for/],
    [['begin', 'lee', '--for', '3 days'], /is no duration/],
    [['end', 'x'], /no id/],
  ] as const) {
    const wrong = await cli(...args);
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, says);
  }
  const long = await cli('begin', 'lee', '--for', 'P31D');
  assert.equal(long.code, 1);
  assert.match(long.err, /at most 30 days.*\(input_invalid\)/);
});
