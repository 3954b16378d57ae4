/** What an agent writes where nobody expects it: secrets as names, cells for other spreadsheets, and queries no database takes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { csvCell } from '../../src/core/log-export/csv.ts';
import { asPersonId } from '../../src/core/ids.ts';
import { newToken } from '../../src/identity/tokens.ts';
import { wantedFrom } from '../../src/app/log-wanted.ts';
import { openPages, type PagesGate } from '../http/pages/support.ts';

const secret = 'AKIAIOSFODNN7EXAMPLE';

let gate: PagesGate;
let ada: Record<string, string>;
before(async () => {
  gate = await openPages();
  const made = newToken(gate.parts.random, 'person');
  const principal = { kind: 'person', id: asPersonId('ada') } as const;
  assert.ok((await gate.parts.store.change({ kind: 'token', principal, hash: made.hash })).ok);
  ada = { authorization: `Bearer ${made.token}` };
});
after(() => gate.close());

const get = async (path: string) => {
  const response = await gate.handler(new Request(gate.origin + path, { headers: ada }));
  return { status: response.status, text: await response.text() };
};

test('no format, sentence or page holds a secret that an agent wrote as the name of an operation', async () => {
  const refused = {
    type: 'action.refused',
    by: { kind: 'agent', id: 'crm-bot' },
    about: { action: null, approval: null, execution: null },
    subject: null,
    data: {
      operation: `ops___${secret}`,
      agent: secret,
      code: 'unknown_operation',
      detail: `There is no ops___${secret}.`,
    },
  } as const;
  assert.ok((await gate.parts.store.change({ kind: 'record', entries: [refused as never] })).ok);
  for (const format of ['csv', 'jsonl', 'ocsf']) {
    const { status, text } = await get(`/v1/log/export?format=${format}&type=action.refused`);
    assert.equal(status, 200);
    assert.ok(text.includes('crm-bot'), format);
    assert.ok(!text.includes(secret), `${format}: ${text}`);
  }
  const session = await gate.signIn('ada');
  for (const { text } of [
    await get('/v1/log?type=action.refused'),
    await gate.get(session, '/log?type=action.refused'),
  ])
    assert.ok(text.includes('crm-bot') && !text.includes(secret));
});

test('a spreadsheet that divides cells by semicolons or tabs finds no formula at the beginning of one either', () => {
  for (const text of [
    "x;=cmd|' /C calc'!A0;",
    'x; +1',
    'x;;-2+3',
    'a\t=1',
    'one;＝1',
    '"x";@SUM(A1)',
    ';=1',
    `x;"=cmd|' /C calc'!A0;`,
    '{"note":"x;=1+1;"}',
  ])
    for (const cell of csvCell(text).replaceAll('"', '').split(/[;\t]/).slice(1))
      assert.doesNotMatch(cell, /^\s*[=+\-@＝＋－＠]/, text);
  assert.equal(csvCell('a;b'), 'a;b');
  assert.equal(csvCell('{"a":"x;=1"}'), `"{""a"":""x;'=1""}"`);
  assert.deepEqual(JSON.parse(csvCell('{"a":"x;=1"}').slice(1, -1).replaceAll('""', '"')), { a: "x;'=1" });
});

test('a NUL in a field is left out: PostgreSQL takes none in a text', async () => {
  assert.equal(wantedFrom((name) => (name === 'agent' ? 'crm\0-bot\0' : null)).agent, 'crm-bot');
  assert.equal((await get('/v1/log?agent=%00&operation=%00')).status, 200);
});
