/** The pages over HTTP: who sees what, in which words, and the headers that keep a page to itself. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Case } from '../../../src/core/case.ts';
import { scenes } from './scenes.ts';
import { openPages, type PagesGate } from './support.ts';

let gate: PagesGate;
before(async () => {
  gate = await openPages();
});
after(() => gate.close());

const pathOf = (held: Case): string => `/approvals/${held.approval?.id ?? ''}`;
/** Another run, so that scenes do not join. */
let runs = 0;
const fresh = () => ({ run: `run-${(runs += 1)}` });
const contentOf = (text: string): string => text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');

test('whoever is not signed in is told how, and sees nothing', async () => {
  const held = await scenes.export(gate, fresh());
  for (const path of ['/inbox', '/', pathOf(held), '/log', '/events']) {
    const answer = await gate.get(null, path);
    assert.equal(answer.status, 401, path);
    assert.match(answer.text, /prints sign-in links/);
    assert.doesNotMatch(answer.text, /customers/);
  }
  assert.match(
    (await gate.get(null, `${pathOf(held)}?x=1`)).text,
    new RegExp(`/sign-in\\?next=${encodeURIComponent(`${pathOf(held)}?x=1`)}`),
  );
});

test('every page carries its headers, and nothing inline or foreign', async () => {
  const held = await scenes.export(gate, fresh());
  const rosa = await gate.signIn('rosa');
  const ada = await gate.signIn('ada');
  for (const [who, path] of [
    [rosa, '/inbox'],
    [rosa, pathOf(held)],
    [ada, '/log'],
    [rosa, '/log'],
    [rosa, '/approvals/apr_none'],
    [null, '/inbox'],
  ] as const) {
    const { headers, text } = await gate.get(who, path);
    assert.equal(
      headers.get('content-security-policy'),
      "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      path,
    );
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin');
    // `no-referrer` would make browsers post our own forms with `Origin: null`.
    assert.equal(headers.get('referrer-policy'), 'same-origin');
    assert.doesNotMatch(
      text,
      /<script(?![^>]* src="\/assets\/)|<style|\sstyle=|\son[a-z]+=|https?:\/\//,
      path,
    );
  }
});

test('the inbox: what waits for the reader first, the count in the title', async () => {
  const held = await scenes.grant(gate, fresh());
  const rosa = await gate.get(await gate.signIn('rosa'), '/inbox');
  assert.match(rosa.text, /<title>\(\d+\) Inbox · Countersign<\/title>/);
  assert.match(contentOf(rosa.text), /Waiting for you .* Grant admin to crm-bot/);
  const sam = await gate.get(await gate.signIn('sam'), '/inbox');
  assert.match(sam.text, /<title>Inbox · Countersign<\/title>/);
  assert.match(
    contentOf(sam.text),
    /Nothing waits for you\. .* Waiting for others .* yours: somebody else must approve/,
  );
  const tom = await gate.get(await gate.signIn('tom'), '/inbox');
  assert.ok(!tom.text.includes(pathOf(held)));
  assert.equal((await gate.get(await gate.signIn('tom'), pathOf(held))).status, 404);
});

test('the page of an approval, in its order', async () => {
  const held = await scenes.export(gate, fresh());
  const { text, status } = await gate.get(await gate.signIn('rosa'), pathOf(held));
  assert.equal(status, 200);
  const content = contentOf(text);
  const order = [
    'Export 5,204 rows of customers',
    'Cannot be undone',
    'The rows leave this company',
    'Why you are asked',
    'Bulk export of customer data',
    'context.input.table',
    'For whom',
    'What is new',
    'What would leave',
    '5,204 rows',
    's3://acme-partner-share',
    'The exact action',
    held.asked.digest,
    'unverified',
    'quarterly partner report',
    'Waiting for approval',
    '0 of 1',
    'Rosa Diaz and Mia Chen',
    'owns the agent crm-bot',
    'Short digest',
    'Approve this exact action',
    'Deny…',
  ];
  let at = 0;
  for (const part of order) {
    const found = content.indexOf(part, at);
    assert.ok(found >= 0, `${part} after ${content.slice(at - 40, at)}`);
    at = found;
  }
});

test('an agent’s markup, marks and bidi controls are text', async () => {
  const held = await scenes.hostile(gate);
  const { text } = await gate.get(await gate.signIn('mia'), pathOf(held));
  assert.doesNotMatch(text, /<img|<b>bold|<h1>Approved|<a href="https:|\u202E|\u200B|\u001b|\u2028/);
  assert.match(text, /&lt;img src=x onerror/);
  assert.match(text, /<bdi class="hidden">⟨U\+202E⟩<\/bdi>/);
  assert.match(contentOf(text), /leads to the host evil\.test/);
  assert.match(contentOf(text), /names the host xn--pypal-4ve\.com/);
  const inbox = await gate.get(await gate.signIn('mia'), '/inbox');
  assert.doesNotMatch(inbox.text, /\u202E|<b>bold/);
});

test('an object that poses as escaped markup stays text', async () => {
  const held = await gate.ask('run_script', {
    isEscaped: true,
    toString: '<img src=x>',
    nested: { isEscaped: true, callbacks: [] },
  });
  const { text } = await gate.get(await gate.signIn('mia'), pathOf(held));
  assert.doesNotMatch(text, /<img/);
  assert.match(text, /isEscaped/);
});

test('the log is for auditors: newest first, in pages, each entry in words', async () => {
  for (let times = 0; times < 30; times += 1) await scenes.export(gate, fresh());
  const rosa = await gate.get(await gate.signIn('rosa'), '/log');
  assert.deepEqual([rosa.status, /The log is for auditors/.test(rosa.text)], [403, true]);
  const ada = await gate.signIn('ada');
  const { text } = await gate.get(ada, '/log');
  const indexes = [...text.matchAll(/id="entry-(\d+)"/g)].map((match) => Number(match[1]));
  assert.equal(indexes.length, 50);
  assert.deepEqual(
    indexes,
    indexes.toSorted((a, b) => b - a),
  );
  const older = await gate.get(ada, `/log?before=${indexes.at(-1)}`);
  assert.match(older.text, new RegExp(`id="entry-${(indexes.at(-1) ?? 0) - 1}"`));
  assert.match((await gate.get(ada, '/log?before=5')).text, /Policy set 1 is in force/);
  assert.equal((await gate.get(ada, '/log?before=x')).status, 200);
  assert.equal((await gate.get(ada, '/log?before=99999999')).status, 200);
});

test('static files: right types, cached by version, nothing else in that folder', async () => {
  const { text } = await gate.get(await gate.signIn('rosa'), '/inbox');
  for (const [, path = ''] of text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)) {
    const answer = await gate.get(null, path);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('cache-control') ?? '', /immutable/);
    const again = await gate.handler(
      new Request(gate.origin + path, { headers: { 'if-none-match': answer.headers.get('etag') ?? '' } }),
    );
    assert.equal(again.status, 304);
    assert.equal((await gate.get(null, path.replace(/\?.*/, ''))).headers.get('cache-control'), 'no-cache');
  }
  assert.equal((await gate.get(null, '/assets/other.js')).status, 404);
  assert.equal((await gate.get(null, '/elsewhere')).status, 404);
});

test('the stream says that something changed, and no more', async () => {
  const rosa = await gate.signIn('rosa');
  const answer = await gate.handler(
    new Request(`${gate.origin}/events`, { headers: { cookie: rosa.cookie } }),
  );
  assert.equal(answer.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert.match((await reader?.read())?.value ?? '', /^retry: 1000/);
  for (let times = 0; times < 5; times += 1) await scenes.export(gate, fresh());
  assert.equal((await reader?.read())?.value, 'event: changed\ndata: 1\n\n');
  await reader?.cancel();
});

test('a person holds few streams: the oldest gives way', async () => {
  const mia = await gate.signIn('mia');
  const open = async () =>
    (
      await gate.handler(new Request(`${gate.origin}/events`, { headers: { cookie: mia.cookie } }))
    ).body?.getReader();
  const first = await open();
  await first?.read();
  const others = [];
  for (let times = 0; times < 12; times += 1) others.push(await open());
  assert.equal((await first?.read())?.done, true);
  for (const other of others) await other?.cancel();
});

test('while nothing can be judged, every page says so', async () => {
  const rosa = await gate.signIn('rosa');
  const { policy, store } = gate.parts;
  await policy.load(
    null,
    {
      directory: await store.directory(),
      servers: [],
      tools: [],
      resourceTypes: {},
      operations: [],
      versions: await store.versions(),
    },
    'policies/a.cedar:3: unexpected token',
  );
  const { text } = await gate.get(rosa, '/inbox');
  assert.match(
    text,
    /role="alert">\s*No usable policies: everything is denied, and nothing can be approved\. policies\/a\.cedar:3/,
  );
});
