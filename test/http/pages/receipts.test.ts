/** The receipts on an approval's page: there once it is decided, as downloads that verify, and no more than the reader may see. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { asPersonId } from '../../../src/core/ids.ts';
import { newLink } from '../../../src/identity/sessions.ts';
import { systemRandom } from '../../../src/main.ts';
import { verifyBundle } from '../../log/support/sigstore.ts';
import { eventually, people, startTestGate, operations, type TestGate } from '../../support/gate.ts';

let gate: TestGate;
let bot = '';
before(async () => {
  // Pat is an operator who is neither asked nor an owner.
  const config = people.replace('agents:', '  - { id: pat, name: Pat Olsen, groups: [platform] }\nagents:');
  gate = await startTestGate({ config: config + operations });
  bot = await gate.token('agent', 'crm-bot');
});
after(() => gate.stop());

async function cookieOf(person: string): Promise<string> {
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
  return (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

const fetched = (cookie: string, path: string): Promise<Response> =>
  fetch(`${gate.gate().url}${path}`, { headers: { cookie } });
const text = async (cookie: string, path: string): Promise<string> => (await fetched(cookie, path)).text();

test('a decided approval offers its receipts to whoever sees it, each as far as they may', async () => {
  const [rosa, pat, lee] = [await cookieOf('rosa'), await cookieOf('pat'), await cookieOf('lee')];
  const asked = await gate.call(bot, 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents: 700, note: '<b>Mario & Söhne</b>' },
  });
  const path = `/approvals/${asked.body.approval.id}`;
  assert.doesNotMatch(await text(rosa, path), /Receipts/, 'nothing is decided yet');
  assert.match(await text(rosa, path), /data-live="receipts"/, 'and it will appear by itself');
  const person = await gate.token('person', 'rosa');
  const denied = await gate.call(person, 'POST', `/v1/approvals/${asked.body.approval.id}/reviews`, {
    decision: 'deny',
    digest: asked.body.digest,
    reason: 'wrong <quarter>',
  });
  assert.equal(denied.status, 201);
  await eventually(async () => (await text(rosa, path)).includes('format=key'), 'it is in a checkpoint');
  const shown = await text(rosa, path);
  const section = /<section[^>]*aria-labelledby="receipts"[\s\S]*?<\/section>/.exec(shown)?.[0] ?? '';
  assert.match(section, /Rosa Diaz denied/);
  assert.match(section, /wrong &lt;quarter&gt;/);
  const links = [...section.matchAll(/href="([^"]+)"/g)].map(
    (match) => match[1]?.replace('&amp;', '&') ?? '',
  );
  assert.equal(links.length, 2 * 4 + 1);
  assert.match(section, /cosign verify-blob-attestation .*\.sigstore\.json action\.json/);
  const root = JSON.parse(await text(rosa, '/receipts/trusted_root.json'));
  for (const link of links) {
    const answer = await fetched(rosa, link);
    assert.equal(answer.status, 200, link);
    assert.match(answer.headers.get('content-disposition') ?? '', /^attachment; filename="[\w.-]+"$/);
    const body = await answer.text();
    if (link.endsWith('=bundle')) verifyBundle(body, root, await text(rosa, link.replace('bundle', 'key')));
  }

  const veiled = await text(pat, path);
  const others = [...veiled.matchAll(/href="(\/log\/\d+\/receipt[^"]*)"/g)].map((match) => match[1] ?? '');
  assert.deepEqual(
    others.map((link) => link.split('=')[1]),
    ['proof', 'key', 'proof', 'key'],
  );
  const bundle = links.find((link) => link.endsWith('=bundle')) ?? '';
  assert.doesNotMatch(veiled, /cosign|quarter.*quarter.*quarter/, 'a command for what they have not');
  const refused = await fetched(pat, bundle);
  assert.equal(refused.status, 403);
  assert.doesNotMatch(await refused.text(), /payload"/);
  for (const link of links.slice(0, 4)) assert.equal((await fetched(lee, link)).status, 404, link);
  assert.equal((await fetched(rosa, bundle.replace('bundle', 'pdf'))).status, 400);
  const nobody = await fetch(`${gate.gate().url}${bundle}`);
  assert.equal(nobody.status, 401);
});
