/**
 * Attacks on the pages that operators, owners and auditors read: markup in what tools, agents and policies say, forms from
 * elsewhere, people who try what is not theirs, and searches that would tell what is masked.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { stopAgent } from '../../src/app/stops.ts';
import { aboutNothing } from '../../src/core/entry.ts';
import { asAgentId, asPersonId, asPolicyId } from '../../src/core/ids.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { openPages, type PagesGate, type Session } from '../http/pages/support.ts';

let gate: PagesGate;
before(async () => {
  gate = await openPages();
});
after(() => gate.close());

const markup = '"><script>window.pwned=1</script><img src=x onerror=alert(1)>';
const hiding = 'safe\u202Eevil\u200B\u2066\u{E0041}\u0007';
/** What none of these pages may hold, whoever wrote it. */
const foul =
  /<script(?![^>]* src="\/assets\/)|<img|<svg onload|javascript:|[\u202A-\u202E\u2066-\u2069\u200B\u0007]|\u{E0041}/u;
const pin = async (definition: JsonObject): Promise<void> => {
  const made = await gate.parts.store.change({
    kind: 'pin',
    server: 'ops',
    pin: 'manual',
    definitions: [definition],
  });
  assert.ok(made.ok);
  await gate.parts.world.sync();
};
const statusOf = async (name: string) =>
  (await gate.parts.store.tools('ops')).find((one) => one.tool === name)?.status;

test('tool poisoning: what a tool says of itself is text, and what it hides is shown', async () => {
  const name = `t${markup}`;
  await pin({ name, description: `${markup}\n${hiding}`, inputSchema: { type: 'object', title: hiding } });
  await pin({ name: '..', description: markup });
  await pin({ name: 'x y/z?#&%2e', description: 'a' });
  const olga = await gate.signIn('olga');
  const servers = await gate.get(olga, '/servers');
  assert.doesNotMatch(servers.text, foul);
  // Whatever a tool is called, it has a page, and the page is its own.
  const links = [...servers.text.matchAll(/href="(\/tool\?[^"]+)"/g)].map((one) =>
    (one[1] ?? '').replaceAll('&amp;', '&'),
  );
  assert.equal(links.length, 8);
  for (const link of links) {
    const { status, text } = await gate.get(olga, link);
    assert.equal(status, 200, link);
    assert.doesNotMatch(text, foul);
  }
  const { text } = await gate.get(olga, `/tool?${new URLSearchParams({ server: 'ops', name }).toString()}`);
  for (const mark of ['U+202E', 'U+200B', 'U+2066', 'U+E0041', 'U+0007'])
    assert.match(text, new RegExp(`<bdi class="hidden">⟨${mark.replace('+', '\\+')}⟩</bdi>`));
  assert.match(text.replace(/<[^>]+>/g, ''), /characters that cannot be seen/);
  assert.match(text, /&lt;script&gt;/);
});

test('what people and agents type is text on every page that repeats it', async () => {
  const asked = await gate.ask(
    'run_script',
    { n: markup },
    { reason: markup, session: `${markup}${hiding}` },
  );
  assert.ok(asked.approval);
  const stopped = await stopAgent(gate.parts, asPersonId('olga'), asAgentId('mail-bot'), {
    reason: `${markup}\n${hiding}`,
    approval: null,
  });
  assert.ok(stopped.ok);
  gate.board.say({
    kind: 'channel',
    name: 'webhook',
    ok: false,
    detail: markup + hiding,
    atMs: gate.clock.nowMs,
  });
  gate.board.say({
    kind: 'upstream',
    name: 'ops',
    ok: false,
    detail: markup + hiding,
    atMs: gate.clock.nowMs,
  });
  const ada = await gate.signIn('ada');
  const evil = encodeURIComponent(markup + hiding);
  const paths = [
    '/agents',
    '/agent?id=mail-bot',
    '/agent?id=crm-bot',
    '/status',
    '/servers',
    '/people',
    '/policies',
    '/inbox',
    '/log',
  ];
  const repeats = [
    `/policies?q=${evil}`,
    `/agent?id=${evil}`,
    `/person?id=${evil}`,
    `/tool?server=${evil}&name=${evil}`,
    `/servers?server=${evil}&from=${evil}`,
    ...['text', 'type', 'agent', 'operation', 'person', 'from', 'to', 'before'].map(
      (name) => `/log?${name}=${evil}`,
    ),
    `/log?text=%00%ff&agent=%ed%a0%80`,
  ];
  for (const path of paths) assert.doesNotMatch((await gate.get(ada, path)).text, foul, path);
  for (const path of repeats) {
    const { status, text } = await gate.get(ada, path);
    assert.ok([200, 403, 404].includes(status), `${path}: ${status}`);
    assert.doesNotMatch(text, /<script(?![^>]* src="\/assets\/)|<img|<svg onload/, path);
  }
});

test('a policy’s title and text are text', async () => {
  const real = gate.parts.policy;
  const policy = {
    ...real,
    policies: () => [
      {
        id: asPolicyId('x'),
        title: markup + hiding,
        effect: 'forbid' as const,
        file: `${markup}.cedar`,
        line: 1,
        text: `// ${markup}\n${hiding}`,
        requirement: null,
      },
    ],
  };
  Object.assign(gate.parts, { policy });
  try {
    const { text } = await gate.get(await gate.signIn('mia'), '/policies');
    assert.doesNotMatch(text, foul);
    assert.match(text, /&lt;script&gt;/);
  } finally {
    Object.assign(gate.parts, { policy: real });
  }
});

/** Every form of these pages, with fields that would work for the right person. */
const forms = async (): Promise<readonly (readonly [path: string, fields: Record<string, string>])[]> => {
  const tool = (await gate.parts.store.tools('ops')).find((one) => one.tool === '..');
  return [
    ['/agent/stop', { agent: 'crm-bot', reason: 'x', sure: 'yes' }],
    ['/agent/lift', { agent: 'mail-bot', reason: 'x' }],
    ['/tool/accept', { server: 'ops', tool: '..', hash: tool?.seenHash ?? '' }],
  ];
};
const unchanged = async (): Promise<void> => {
  assert.deepEqual(
    (await gate.parts.store.stops()).map((one) => one.agent),
    ['mail-bot'],
  );
  assert.equal(await statusOf('..'), 'waiting');
};

test('a form from elsewhere, without its token or with somebody else’s does nothing', async () => {
  const olga = await gate.signIn('olga');
  const ada = await gate.signIn('ada');
  for (const [path, fields] of await forms()) {
    for (const csrf of ['', 'x', ada.csrf])
      assert.equal((await gate.post(olga, path, { ...fields, csrf })).status, 403, path);
    assert.equal((await gate.post(null, path, fields)).status, 401, path);
    const body = new URLSearchParams({ ...fields, csrf: olga.csrf }).toString();
    const type = { 'content-type': 'application/x-www-form-urlencoded', cookie: olga.cookie };
    for (const headers of [
      { ...type, origin: 'https://evil.test' },
      { ...type, origin: 'null' },
      type,
      { ...type, origin: gate.origin, 'sec-fetch-site': 'cross-site' },
    ]) {
      const answer = await gate.handler(new Request(gate.origin + path, { method: 'POST', headers, body }));
      assert.equal(answer.status, 403, JSON.stringify(headers));
    }
    // Following a link changes nothing.
    const link = await gate.get(olga, `${path}?${body}`);
    assert.deepEqual([link.status, link.headers.get('allow')], [405, 'POST']);
    await unchanged();
  }
});

test('who is no operator accepts and lifts nothing; who owns nothing stops nothing', async () => {
  const tries = async (who: string, session: Session) => {
    for (const [path, fields] of await forms()) {
      const { status, text } = await gate.post(session, path, fields);
      assert.equal(status, 403, `${who} ${path}`);
      assert.match(text, /not_permitted/, `${who} ${path}`);
    }
  };
  for (const who of ['ada', 'tom', 'mia', 'lee']) await tries(who, await gate.signIn(who));
  // Rosa owns the stopped agent, and is no operator; Sam is one, and stopped his own.
  const rosa = await gate.post(await gate.signIn('rosa'), '/agent/lift', {
    agent: 'mail-bot',
    reason: 'mine',
  });
  assert.deepEqual([rosa.status, /not_permitted/.test(rosa.text)], [403, true]);
  await unchanged();
  const sam = await gate.signIn('sam');
  assert.equal(
    (await gate.post(sam, '/agent/stop', { agent: 'crm-bot', reason: 'x', sure: 'yes' })).status,
    303,
  );
  const own = await gate.post(sam, '/agent/lift', { agent: 'crm-bot', reason: 'I am an operator' });
  assert.deepEqual([own.status, /not_permitted/.test(own.text)], [403, true]);
  assert.equal((await gate.parts.store.stops()).length, 2);
  assert.equal(
    (await gate.post(await gate.signIn('olga'), '/agent/lift', { agent: 'crm-bot', reason: 'ok' })).status,
    303,
  );
});

test('forms that name nothing real change nothing, and lead nowhere else', async () => {
  const olga = await gate.signIn('olga');
  for (const agent of ['', 'none', '../crm-bot', 'crm-bot\r\nSet-Cookie: a=b', '//evil.test/x'])
    for (const path of ['/agent/stop', '/agent/lift']) {
      const answer = await gate.post(olga, path, { agent, reason: 'x', sure: 'yes' });
      assert.ok([403, 404].includes(answer.status), `${path} ${agent}: ${answer.status}`);
      assert.equal(answer.headers.get('location'), null);
      assert.equal(answer.headers.get('set-cookie'), null);
    }
  for (const hash of ['', 'x', '0'.repeat(64), `${'0'.repeat(64)}\n`]) {
    const answer = await gate.post(olga, '/tool/accept', { server: 'ops', tool: '..', hash });
    assert.ok([400, 409].includes(answer.status), `${hash}: ${answer.status}`);
  }
  assert.equal(
    (await gate.post(olga, '/tool/accept', { server: 'none', tool: 'x', hash: '0'.repeat(64) })).status,
    404,
  );
  await unchanged();
});

test('a search cannot guess what is masked, nor be made to answer what was not asked', async () => {
  const secret = 'AKIAIOSFODNN7EXAMPLE';
  const made = await gate.parts.store.change({
    kind: 'record',
    entries: [
      {
        type: 'notice.failed',
        by: { kind: 'gate' },
        about: aboutNothing,
        subject: null,
        data: { channel: 'webhook', detail: `with ${secret}`, password: 'correct-horse' },
      },
    ],
  });
  assert.ok(made.ok);
  const ada = await gate.signIn('ada');
  const rows = async (query: string) =>
    [...(await gate.get(ada, `/log?${query}`)).text.matchAll(/id="entry-(\d+)"/g)].length;
  assert.equal(await rows('type=notice.failed'), 1);
  assert.doesNotMatch((await gate.get(ada, '/log?type=notice.failed')).text, /AKIAIOSFODNN7|correct-horse/);
  for (const guess of ['AKIA', secret, 'correct', 'correct-horse'])
    assert.equal(await rows(`type=notice.failed&text=${guess}`), 0, guess);
  // LIKE's own characters are no wildcards, and quotes end nothing.
  for (const text of ['%', '_', "' OR 1=1 --", '!%', '\\', '"} OR {"'])
    assert.equal(await rows(`type=notice.failed&text=${encodeURIComponent(text)}`), 0, text);
  assert.equal(await rows(`type=notice.failed&agent=${encodeURIComponent("x' OR '1'='1")}`), 0);
  assert.equal(await rows('type=notice.failed&operation=%25'), 0);
  assert.equal(await rows('type=notice.failed&person=%25'), 0);
});
