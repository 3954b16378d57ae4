/** Bodies that two readers would read differently, or that no reader should: refused with a code, and one entry is all that is left. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { inside, openGate, text, type Answer, type Gate } from '../http/gate.ts';

let gate: Gate;
let bot = '';
let rosa = '';
before(async () => {
  gate = await openGate();
  bot = await gate.token('agent', 'bot');
  rosa = await gate.token('person', 'rosa');
});
after(() => gate.close());

const operation = '"operation":"billing___refund"';
const deep = `${'['.repeat(40)}${']'.repeat(40)}`;
const mebibyte = 1_048_576;

const BODIES: readonly (readonly [what: string, body: string, code: string, status: number])[] = [
  ['a key twice', `{${operation},"input":{"cents":10,"cents":999999}}`, 'duplicate_key', 400],
  [
    'a key twice, one escaped',
    `{${operation},"input":{"cents":10,"\\u0063ents":999999}}`,
    'duplicate_key',
    400,
  ],
  ['the operation twice', `{${operation},"operation":"billing___wipe","input":{}}`, 'duplicate_key', 400],
  ['an integer that rounds', `{${operation},"input":{"cents":9007199254740993}}`, 'number_range', 400],
  ['a fraction that rounds', `{${operation},"input":{"cents":0.12345678901234567890}}`, 'number_range', 400],
  ['a number that overflows', `{${operation},"input":{"cents":1e400}}`, 'number_range', 400],
  ['a surrogate on its own', `{${operation},"input":{"note":"\\ud800"}}`, 'bad_unicode', 400],
  ['a prototype', `{${operation},"input":{"__proto__":{"cents":1}}}`, 'reserved_key', 400],
  [
    'a Cedar escape',
    `{${operation},"input":{"__entity":{"type":"Person","id":"rosa"}}}`,
    'reserved_key',
    400,
  ],
  ['nesting', `{${operation},"input":{"note":${deep}}}`, 'too_deep', 400],
  ['a comment', `{${operation},/* hi */"input":{}}`, 'bad_json', 400],
  ['a trailing comma', `{${operation},"input":{"cents":1,}}`, 'bad_json', 400],
  ['a byte order mark', `\ufeff{${operation},"input":{"cents":1}}`, 'bad_json', 400],
  ['a list', `[{${operation},"input":{"cents":1}}]`, 'input_invalid', 400],
  ['nothing', '', 'input_invalid', 400],
  ['no input', `{${operation}}`, 'input_invalid', 400],
  ['an unknown field', `{${operation},"input":{"cents":1},"approved":true}`, 'input_invalid', 400],
  ['a claimed starter', `{${operation},"input":{"cents":1},"startedBy":"rosa"}`, 'input_invalid', 400],
  [
    'a callback',
    `{${operation},"input":{"cents":1},"callback":"https://example.com/"}`,
    'input_invalid',
    400,
  ],
  ['an operation without a target', `{"operation":"refund","input":{"cents":1}}`, 'input_invalid', 400],
  [
    'a resource with more',
    `{${operation},"input":{"cents":1},"resource":{"type":"A","id":"b","admin":true}}`,
    'input_invalid',
    400,
  ],
  ['an input that does not fit', `{${operation},"input":{"cents":"10"}}`, 'input_invalid', 400],
  ['an input with more', `{${operation},"input":{"cents":10,"to":"me"}}`, 'input_invalid', 400],
  ['too much', `{${operation},"input":{"cents":1},"reason":"${'a'.repeat(mebibyte)}"}`, 'too_large', 413],
];

for (const [what, body, code, status] of BODIES) {
  test(`${what} is refused: ${code}, with one entry and nothing else`, async () => {
    const head = await gate.parts.store.head();
    const answer = await gate.call('POST', '/v1/actions', bot, body);
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.json['code'], code, answer.text);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
    const left = (await gate.entries()).slice(head.size);
    assert.deepEqual(
      left.map((entry) => [entry.type, entry.by, entry.data['code']]),
      [['action.refused', { kind: 'agent', id: 'bot' }, code]],
    );
  });
}

test('a callback where none are configured is refused, in words', async () => {
  const answer = await gate.call(
    'POST',
    '/v1/actions',
    bot,
    `{${operation},"input":{"cents":1},"callback":"https://example.com/"}`,
  );
  assert.match(text(answer.json['detail']), /no callbacks are configured here/);
});

describe('what names the fault', () => {
  const ask = (body: string): Promise<Answer> => gate.call('POST', '/v1/actions', bot, body);

  test('its place', async () => {
    assert.equal((await ask(`{${operation},"input":{"cents":1,"cents":2}}`)).json['pointer'], '/input/cents');
    assert.equal((await ask(`{${operation},"input":{"cents":"x"}}`)).json['pointer'], '/input/cents');
  });

  test('unknown fields, escaped', async () => {
    const answer = await ask(`{${operation},"input":{},"\\u202eevil":1}`);
    assert.deepEqual(answer.json['fields'], ['⟨U+202E⟩evil']);
  });
});

test('a body that streams is not read for ever', async () => {
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      sent += 65_536;
      controller.enqueue(new Uint8Array(65_536).fill(0x20));
    },
  });
  const answer = await gate.handler(
    new Request('http://localhost:7788/v1/actions', {
      method: 'POST',
      headers: { authorization: `Bearer ${bot}`, 'content-type': 'application/json' },
      body,
      duplex: 'half',
    }),
  );
  assert.equal(answer.status, 413);
  assert.ok(sent < 9 * mebibyte, `${sent} bytes were taken`);
});

test('another content type is refused: a form cannot be made to look like JSON', async () => {
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-16',
    '',
  ]) {
    const answer = await gate.call('POST', '/v1/actions', bot, `{${operation},"input":{"cents":1}}`, {
      'content-type': type,
    });
    assert.equal(answer.json['code'], 'input_invalid', type);
  }
});

test('a bad body elsewhere leaves nothing at all', async () => {
  const asked = await gate.call('POST', '/v1/actions', bot, {
    operation: 'billing___refund',
    input: { cents: 5000 },
  });
  const head = await gate.parts.store.head();
  const digest = text(asked.json['digest']);
  const approval = (await gate.parts.store.held({ status: 'pending', limit: 1 }))[0]?.approval?.id ?? '';
  for (const body of [
    `{"decision":"deny","decision":"approve","digest":"${digest}"}`,
    `{"decision":"approve","digest":"${digest}","as":"mia"}`,
    `{"decision":"APPROVE","digest":"${digest}"}`,
    `{"decision":["approve"],"digest":"${digest}"}`,
    `{"decision":"approve"}`,
    `{"decision":"approve","digest":"${digest}","unsafe":true}`,
    `{"decision":"approve","digest":"${digest}","reason":"${'x'.repeat(2001)}"}`,
  ]) {
    const answer = await gate.call('POST', `/v1/approvals/${approval}/reviews`, rosa, body);
    assert.equal(answer.status, 400, body);
  }
  assert.deepEqual(await gate.parts.store.head(), head);
});

test('an idempotency key that was used for another body is a conflict, not an answer', async () => {
  const headers = { 'idempotency-key': 'k1' };
  const ask = (cents: number, key = headers): Promise<Answer> =>
    gate.call('POST', '/v1/actions', bot, { operation: 'billing___refund', input: { cents } }, key);
  const first = await ask(10);
  assert.equal(first.status, 200, first.text);
  const other = await ask(11);
  assert.equal(other.status, 409);
  assert.equal(other.json['code'], 'idempotency_conflict');
  assert.equal(other.json['id'], undefined);
  const elsewhere = await gate.call(
    'POST',
    `/v1/actions/${text(first.json['id'])}/execution`,
    bot,
    undefined,
    headers,
  );
  assert.equal(elsewhere.json['code'], 'idempotency_conflict', 'the path is part of the request');
  const cancel = (approval: string): Promise<Answer> =>
    gate.call('POST', `/v1/approvals/${approval}/cancel`, bot, {}, { 'idempotency-key': 'k2' });
  const approvals = [
    await ask(7001, { 'idempotency-key': 'a1' }),
    await ask(7002, { 'idempotency-key': 'a2' }),
  ].map((one) => text(inside(one, 'approval')['id']));
  assert.equal((await cancel(approvals[0] ?? '')).status, 200);
  assert.equal(
    (await cancel(approvals[1] ?? '')).json['code'],
    'idempotency_conflict',
    'the same body elsewhere is another request',
  );
  const theirs = await gate.token('agent', 'other-bot');
  const same = await gate.call(
    'POST',
    '/v1/actions',
    theirs,
    { operation: 'billing___refund', input: { cents: 10 } },
    headers,
  );
  assert.equal(same.status, 200);
  assert.notEqual(same.json['id'], first.json['id'], 'another’s key is another key');
  for (const key of ['', 'a b', 'é', 'x'.repeat(256)]) {
    assert.equal((await ask(10, { 'idempotency-key': key })).json['code'], 'input_invalid', key);
  }
});
