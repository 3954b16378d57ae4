/** Reading what upstreams write: messages, lines, server-sent events; and what is shown of tools. Pure. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { upstreamHash } from '../../../src/app/catalog.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { Profile } from '../../../src/core/profile.ts';
import { asSha256Hex } from '../../../src/core/ids.ts';
import {
  isSoundDefinition,
  shownDefinition,
  splitReason,
  takesReason,
} from '../../../src/enforce/mcp/definitions.ts';
import { readLines } from '../../../src/enforce/mcp/lines.ts';
import { readIncoming } from '../../../src/enforce/mcp/message.ts';
import { createInputChecks } from '../../../src/enforce/mcp/schema.ts';
import { eventText, readEvents } from '../../../src/enforce/mcp/sse.ts';
import { environmentOf } from '../../../src/enforce/mcp/stdio.ts';
import type { CatalogEntry } from '../../../src/ports/catalog.ts';

const kinds = (text: string): readonly string[] => readIncoming(text).map((one) => one.kind);

test('messages with one reading are read; with two, left out', () => {
  assert.deepEqual(kinds('{"jsonrpc":"2.0","id":1,"result":{}}'), ['result']);
  assert.deepEqual(kinds('{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}'), ['error']);
  assert.deepEqual(kinds('{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}'), ['error']);
  assert.deepEqual(kinds('{"jsonrpc":"2.0","id":"a","method":"ping"}'), ['request']);
  assert.deepEqual(kinds('{"jsonrpc":"2.0","method":"notifications/x","params":{}}'), ['notification']);
  for (const text of [
    'no json',
    '1',
    '{}',
    '{"jsonrpc":"2.0","id":1,"result":{},"method":"ping"}',
    '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}',
    '{"jsonrpc":"2.0","id":1,"result":[]}',
    '{"jsonrpc":"2.0","id":null,"result":{}}',
    '{"jsonrpc":"2.0","id":1,"result":{},"extra":1}',
    '{"jsonrpc":"2.0","id":1,"method":"x","params":[]}',
  ])
    assert.deepEqual(kinds(text), [], text);
});

test('a batch of an older revision is several messages', () => {
  assert.deepEqual(
    kinds('[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","method":"notifications/x"}]'),
    ['result', 'notification'],
  );
});

test('the text stays as it was written, and is one line', () => {
  const text = '{"jsonrpc":"2.0","id":1,"result":{"n":9007199254740993,"2":1,"1":1.0}}';
  assert.equal(readIncoming(text)[0]?.text, text);
  assert.equal(
    readIncoming('{\n"jsonrpc":"2.0",\r\n"id":1,"result":{}}')[0]?.text,
    '{"jsonrpc":"2.0","id":1,"result":{}}',
  );
});

/** Cuts into pieces of the given sizes. */
const cut = (bytes: Uint8Array, sizes: readonly number[]): readonly Uint8Array[] => {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...pieces, bytes.subarray(at)].filter((piece) => piece.length > 0);
};

test('lines are the same, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme' }).filter((line) => !/[\n\r]/.test(line))),
      fc.array(fc.nat(9)),
      (lines, sizes) => {
        const taken: string[] = [];
        const reader = readLines(1000, (line) => taken.push(line));
        for (const piece of cut(Buffer.from(lines.map((line) => `${line}\n`).join('')), sizes))
          assert.ok(reader.push(piece));
        assert.deepEqual(taken, lines);
      },
    ),
  );
});

test('a line that is too long is told, before it is held', () => {
  const reader = readLines(10, () => undefined);
  assert.equal(reader.push(Buffer.from('12345')), true);
  assert.equal(reader.push(Buffer.from('678901')), false);
});

test('events are the same, however the text is cut and whatever ends its lines', () => {
  fc.assert(
    fc.property(
      fc.array(fc.json()),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.array(fc.nat(5)),
      (texts, end, sizes) => {
        const taken: string[] = [];
        const reader = readEvents(1_000_000, (event) => taken.push(event.data));
        const stream = texts.map((text) => eventText(text).replaceAll('\n', end)).join(`: comment${end}`);
        let at = 0;
        for (const size of [...sizes, stream.length]) {
          reader.push(stream.slice(at, at + size));
          at += size;
        }
        assert.deepEqual(taken, texts);
      },
    ),
  );
});

test('events: ids, times to retry, several data lines, comments, no data', () => {
  const taken: unknown[] = [];
  const reader = readEvents(100, (event) => taken.push(event));
  reader.push(': hi\n\nid: 7\nretry: 250\ndata: \n\nevent: other\ndata: a\ndata:b\n\ndata: {"x":1}\n\n');
  assert.deepEqual(taken, [
    { event: 'other', data: 'a\nb' },
    { event: 'message', data: '{"x":1}' },
  ]);
  assert.deepEqual([reader.lastId, reader.retryMs], ['7', 250]);
  assert.equal(reader.push('x'.repeat(101)), false);
});

const entry = (inputSchema: JsonObject, profile: Profile | null = null): CatalogEntry => ({
  operation: 'a___b',
  target: { kind: 'http', profile: asSha256Hex('0'), declaration: asSha256Hex('0') },
  enforcement: 'mediated',
  profile,
  mode: 'enforce',
  inputSchema,
  tool: null,
});

test('the reason argument: offered where a call may be held, never required, never over the tool’s own', () => {
  const schema = {
    type: 'object',
    properties: { a: { type: 'string' } },
    required: ['a'],
    additionalProperties: false,
  };
  const shown = shownDefinition({ name: 'b', inputSchema: schema, _meta: { x: 1 } }, entry(schema));
  const { inputSchema } = shown as {
    inputSchema: { properties: Record<string, { type: string }>; required: unknown };
  };
  assert.deepEqual(Object.keys(inputSchema.properties), ['a', 'countersign_reason']);
  assert.deepEqual(inputSchema.required, ['a']);
  assert.deepEqual(shown['_meta'], { x: 1 });
  assert.equal(takesReason(entry(schema, { verb: 'Look', effect: 'read' })), false);
  assert.equal(takesReason(entry(schema, { verb: 'Do', effect: 'write' })), true);
  assert.equal(takesReason(entry({ type: 'object', properties: { countersign_reason: {} } })), false);
  assert.deepEqual(splitReason(entry(schema), { a: 'x', countersign_reason: 'why' }), {
    input: { a: 'x' },
    reason: 'why',
  });
  assert.deepEqual(splitReason(entry(schema), { a: 'x', countersign_reason: 1 }), {
    input: { a: 'x', countersign_reason: 1 },
    reason: null,
  });
});

test('definitions that cannot be pinned are told from those that can', () => {
  assert.equal(isSoundDefinition({ name: 'a', inputSchema: { maximum: 2 ** 63 } }), true);
  assert.equal(isSoundDefinition({ name: '' }), false);
  assert.equal(isSoundDefinition({ name: 'a', description: '\ud800' }), false);
  assert.equal(isSoundDefinition(JSON.parse('{"name":"a","x":{"__proto__":1}}')), false);
  assert.equal(isSoundDefinition(JSON.parse(`{"name":"a","x":${'['.repeat(40)}${']'.repeat(40)}}`)), false);
});

const check = (schema: JsonObject, input: JsonObject): string => {
  const result = createInputChecks().of('hash', schema)(input);
  return result.ok ? 'ok' : result.error.code;
};

test('inputs are checked against the schema in its own dialect', () => {
  const closed = { type: 'object', properties: { a: { type: 'integer' } }, additionalProperties: false };
  assert.equal(check(closed, { a: 1 }), 'ok');
  assert.equal(check(closed, { a: '1' }), 'input_invalid');
  assert.equal(check(closed, { b: 1 }), 'input_invalid');
  for (const $schema of [
    'http://json-schema.org/draft-07/schema#',
    'https://json-schema.org/draft/2019-09/schema',
    'https://json-schema.org/draft/2020-12/schema',
  ])
    assert.equal(check({ $schema, ...closed }, { a: 1.5 }), 'input_invalid', $schema);
  assert.equal(
    check({ $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }] }, {}),
    'ok',
  );
  assert.equal(
    check({ properties: { a: { pattern: '^[\\w-.]+$' } } }, { a: 'x' }),
    'ok',
    'a pattern in the older syntax',
  );
  assert.equal(
    check(
      { type: 'object', properties: { c: { items: { $ref: '#' } } }, required: ['n'] },
      { n: 1, c: [{}] },
    ),
    'input_invalid',
  );
});

test('a hostile schema neither fetches nor hangs', () => {
  assert.equal(check({ $ref: 'https://schemas.invalid/x.json' }, {}), 'tool_disabled');
  assert.equal(check({ type: 'nonsense' }, {}), 'tool_disabled');
  assert.equal(check({ properties: { a: { enum: ['x'.repeat(300_000)] } } }, {}), 'tool_disabled');
  assert.equal(
    check({ properties: { a: { pattern: '^(a+)+$' } } }, { a: `${'a'.repeat(60)}!` }),
    'input_invalid',
  );
  const loop = { $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' };
  assert.notEqual(check(loop, {}), 'ok');
});

test('a process gets PATH, HOME and what the configuration names', () => {
  process.env['COUNTERSIGN_SECRET_OF_THE_GATE'] = 'x';
  const upstream = { kind: 'command', argv: ['x'], cwd: '/', env: { TOKEN: 't' } } as const;
  const env = environmentOf(upstream);
  assert.deepEqual(
    Object.keys(env).filter((name) => !['PATH', 'HOME', 'TOKEN'].includes(name)),
    process.platform === 'win32' ? Object.keys(env) : [],
  );
  assert.equal(env['TOKEN'], 't');
  assert.equal(upstreamHash(new Uint8Array(32), upstream).length, 64);
});
