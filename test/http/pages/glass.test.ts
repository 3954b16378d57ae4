/** The page `/break-glass`, and the banner that every page has while one is open or was not reviewed. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { canonicalize } from '../../../src/core/canonical.ts';
import type { GlassId } from '../../../src/core/glass.ts';
import { asDigest, asGroupId } from '../../../src/core/ids.ts';
import type { JsonValue } from '../../../src/core/json.ts';
import { sha256Hex } from '../../../src/core/sha256.ts';
import { directory, openPages, type PagesGate, type Session } from './support.ts';

let gate: PagesGate;
const sessions = new Map<string, Session>();
const as = async (id: string): Promise<Session> => {
  const session = sessions.get(id) ?? (await gate.signIn(id));
  sessions.set(id, session);
  return session;
};
const of = (session: Session): Record<string, string> => ({ csrf: session.csrf });

before(async () => {
  gate = await openPages();
  // Rosa, Mia and Lee open it.
  const body = { ...directory, roles: { ...directory.roles, breakGlass: asGroupId('security') } };
  const part = {
    what: 'directory' as const,
    // A Directory is JSON by construction.
    body: body as unknown as JsonValue,
    digest: asDigest(`sha256:${sha256Hex(canonicalize(body as unknown as JsonValue))}`),
  };
  const by = { kind: 'operator' } as const;
  const command = { kind: 'accept', how: 'machine', parts: [part], by, expected: null } as const;
  assert.ok((await gate.parts.store.change(command)).ok);
  await gate.parts.world.sync();
});
after(() => gate.close());

/** Fields of a request by an operator for sam's agent. */
const fields = {
  agent: 'crm-bot',
  operation: 'ops___export_rows',
  minutes: '30',
  reason: 'The <b>provider</b> is down.',
};

async function approve(id: string, path: string): Promise<number> {
  const session = await as(id);
  const { text } = await gate.get(session, path);
  const digest = /name="digest"\s+value="([^"]+)"/.exec(text)?.[1] ?? '';
  const sent = { ...of(session), decision: 'approve', digest };
  return (await gate.post(session, `${path}/review`, sent)).status;
}

const glassId = async (): Promise<GlassId | undefined> => (await gate.parts.store.openGlasses())[0]?.id;

test('asked, approved, shown on every page, ended and reviewed by forms', async () => {
  const olga = await as('olga');
  const asked = await gate.post(olga, '/break-glass/ask', fields);
  assert.equal(asked.status, 303, asked.text);
  const path = asked.headers.get('location') ?? '';
  assert.match(path, /^\/approvals\/apr_/);
  const shown = await gate.get(await as('rosa'), path);
  assert.match(shown.text, /ops___export_rows/);
  assert.match(shown.text, /Olga Novak/);
  assert.match(shown.text, /provider/);
  assert.doesNotMatch(shown.text, /<b>provider/);
  assert.doesNotMatch(shown.text, /Stop the agent/, 'the gate is no agent that could be stopped');
  const own = await gate.get(await as('sam'), path);
  assert.match(own.text, /owns the agent crm-bot/);
  assert.equal(await approve('rosa', path), 303);
  assert.equal(await glassId(), undefined);
  assert.equal(await approve('mia', path), 303);
  const id = (await glassId()) ?? '';
  assert.match(id, /^gls_/);
  // Everybody is told that it is open; why is for those who have to do with it.
  for (const who of ['sam', 'tom', 'ada'])
    for (const page of ['/inbox', '/policies', '/people']) {
      const { text } = await gate.get(await as(who), page);
      assert.match(text, /BREAK-GLASS is open until/, `${who} ${page}`);
      assert.doesNotMatch(text, /provider/);
    }
  const stranger = await gate.get(await as('tom'), '/break-glass');
  assert.doesNotMatch(stranger.text, /provider|gls_/);
  const page = await gate.get(await as('sam'), '/break-glass');
  assert.match(page.text, /&lt;b&gt;provider/);
  assert.match(page.text, /action="\/break-glass\/end"/);
  assert.doesNotMatch(page.text, /action="\/break-glass\/ask"/, 'one at a time');
  const end = await gate.post(await as('sam'), '/break-glass/end', { glass: id, reason: 'enough' });
  assert.equal(end.status, 303, end.text);
  const banner = await gate.get(await as('tom'), '/inbox');
  assert.match(banner.text, /was not reviewed yet/);
  const mine = await gate.post(await as('rosa'), '/break-glass/review', { glass: id, finding: 'fine' });
  assert.equal(mine.status, 403);
  assert.match(mine.text, /no_self_approval/);
  const empty = await gate.post(await as('ada'), '/break-glass/review', { glass: id, finding: ' ' });
  assert.equal(empty.status, 403);
  const review = await gate.post(await as('ada'), '/break-glass/review', { glass: id, finding: 'It was.' });
  assert.equal(review.status, 303, review.text);
  const over = await gate.get(await as('tom'), '/inbox');
  assert.doesNotMatch(over.text, /BREAK-GLASS/);
  const history = await gate.get(await as('olga'), '/break-glass');
  assert.match(history.text, /It was\./);
});

test('no form of it works without its token, from elsewhere, or by GET', async () => {
  const olga = await as('olga');
  for (const path of ['/break-glass/ask', '/break-glass/end', '/break-glass/review']) {
    const without = await gate.post({ ...olga, csrf: '' }, path, fields);
    assert.equal(without.status, 403, path);
    assert.equal((await gate.get(olga, path)).status, 405, path);
    assert.equal((await gate.post(null, path, fields)).status >= 400, true, path);
  }
  assert.equal(await glassId(), undefined);
});

test('what is refused is said with what was typed', async () => {
  const refused = await gate.post(await as('olga'), '/break-glass/ask', { ...fields, minutes: '61' });
  assert.equal(refused.status, 400);
  assert.match(refused.text, /from 1 to 60/);
  assert.match(refused.text, /value="ops___export_rows"/);
});
