/** The small parts of the API's door: fields, schemas, routes, problems. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asSha256Hex } from '../../../src/core/ids.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { codesByStatus, refuse } from '../../../src/core/refusal.ts';
import { sha256Hex } from '../../../src/core/sha256.ts';
import { Fields } from '../../../src/http/api/body.ts';
import { problem } from '../../../src/http/api/problems.ts';
import { find, routes } from '../../../src/http/api/routes.ts';
import { schemaRefusal } from '../../../src/http/api/schema.ts';
import type { CatalogEntry } from '../../../src/ports/catalog.ts';

describe('fields', () => {
  const read = (body: JsonObject) => {
    const fields = new Fields(body);
    const values = {
      text: fields.optionalText('text', 3),
      word: fields.word('word', ['a', 'b']),
      flag: fields.flag('flag'),
      object: fields.object('object'),
      resource: fields.optionalResource('resource'),
    };
    return {
      values,
      pointer: fields.refusal()?.evidence?.['pointer'],
      fields: fields.refusal()?.evidence?.['fields'],
    };
  };
  const good: JsonObject = { word: 'a', object: {} };

  test('absent and null are the same where a field may be missing', () => {
    for (const body of [good, { ...good, text: null, resource: null, flag: null }]) {
      const { values, pointer } = read(body);
      assert.deepEqual(values, { text: null, word: 'a', flag: false, object: {}, resource: null });
      assert.equal(pointer, undefined);
    }
  });

  test('what does not fit is named, the first of it', () => {
    const wrong: readonly (readonly [JsonObject, string])[] = [
      [{ ...good, text: '' }, '/text'],
      [{ ...good, text: 'abcd' }, '/text'],
      [{ ...good, text: 1 }, '/text'],
      [{ ...good, word: 'c', flag: 'x' }, '/word'],
      [{ object: {} }, '/word'],
      [{ ...good, flag: 'true' }, '/flag'],
      [{ ...good, flag: 1 }, '/flag'],
      [{ ...good, object: [] }, '/object'],
      [{ word: 'a' }, '/object'],
      [{ ...good, resource: { type: 'A' } }, '/resource'],
      [{ ...good, resource: { type: 'A', id: '' } }, '/resource'],
      [{ ...good, resource: { type: 'A', id: 'b', c: 1 } }, '/resource'],
      [{ ...good, resource: 'A::b' }, '/resource'],
    ];
    for (const [body, pointer] of wrong) assert.equal(read(body).pointer, pointer, JSON.stringify(body));
  });

  test('unknown fields come first, five of them by name', () => {
    assert.deepEqual(read({ wrod: 'a' }).fields, ['wrod']);
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`x${n}`, n]));
    assert.deepEqual(read({ ...good, ...many }).fields, ['x0', 'x1', 'x2', 'x3', 'x4']);
  });
});

describe('schemas', () => {
  let counter = 0;
  const entry = (inputSchema: JsonObject): CatalogEntry => {
    counter += 1;
    const hash = asSha256Hex(sha256Hex(String(counter)));
    return {
      operation: 'a___b',
      target: { kind: 'http', profile: hash, declaration: hash },
      enforcement: 'cooperative',
      profile: null,
      mode: 'enforce',
      inputSchema,
      tool: null,
    };
  };
  const pointer = (schema: JsonObject, input: JsonObject) =>
    schemaRefusal(entry(schema), input)?.evidence?.['pointer'];

  test('an input is judged as it is: nothing is filled in, converted or removed', () => {
    const schema = {
      type: 'object',
      properties: { n: { type: 'integer', default: 3 } },
      additionalProperties: false,
    };
    const input = {};
    assert.equal(schemaRefusal(entry(schema), input), undefined);
    assert.deepEqual(input, {});
    assert.equal(pointer(schema, { n: '1' }), '/input/n');
    assert.equal(pointer(schema, { n: 1.5 }), '/input/n');
    const extra = schemaRefusal(entry(schema), { m: 1 });
    assert.match(extra?.detail ?? '', /"m"/);
  });

  test('drafts: 2020-12 unless the schema says an older one', () => {
    const tuple = (schema: JsonObject) => pointer({ ...schema, type: 'object' }, { t: ['x'] });
    assert.equal(tuple({ properties: { t: { prefixItems: [{ type: 'number' }] } } }), '/input/t/0');
    const old = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      properties: { t: { items: [{ type: 'number' }] } },
    };
    assert.equal(tuple(old), '/input/t/0');
    assert.equal(
      pointer({ properties: { at: { type: 'string', format: 'date-time' } } }, { at: 'noon' }),
      '/input/at',
    );
  });

  test('a schema that cannot be read admits nothing', () => {
    assert.match(
      schemaRefusal(entry({ $ref: 'https://evil.example/schema.json' }), {})?.detail ?? '',
      /cannot be read/,
    );
    assert.match(schemaRefusal(entry({ type: 'nonsense' }), {})?.detail ?? '', /cannot be read/);
  });

  test('an asynchronous schema admits nothing: its promise would be true of every input', () => {
    assert.match(
      schemaRefusal(entry({ $async: true, type: 'object', required: ['n'] }), {})?.detail ?? '',
      /cannot be read/,
    );
    assert.match(
      schemaRefusal(
        entry({ properties: { n: { $ref: '#/$defs/n' } }, $defs: { n: { $async: true, type: 'number' } } }),
        { n: 'x' },
      )?.detail ?? '',
      /cannot be read|does not fit/,
    );
  });

  test('hidden characters of a key are shown', () => {
    const schema = { type: 'object', additionalProperties: { type: 'number' } };
    assert.equal(pointer(schema, { 'a\u202eb': 'x' }), '/input/a⟨U+202E⟩b');
  });
});

describe('routes', () => {
  test('get-never-decides: only calls that read are GET', () => {
    const reads = routes.filter((one) => one.method === 'GET').map((one) => one.path);
    assert.deepEqual(reads, [
      '/v1/actions/:action',
      '/v1/actions/:action/receipts',
      '/v1/approvals',
      '/v1/approvals/:approval',
      '/v1/passkeys',
      '/v1/agents',
      '/v1/delegations',
      '/v1/break-glass',
      '/v1/config',
      '/v1/log',
      // It records that it was taken, and changes nothing else.
      '/v1/log/export',
      '/v1/log/holds',
      '/v1/log/:index/receipt',
      '/v1/trusted-root',
      '/v1/reconciliations',
      '/v1/reconciliations/:reconciliation',
      '/v1/report',
    ]);
  });

  test('a path is matched step by step, each decoded once', () => {
    const found = find('POST', '/v1/servers/my%20files/tools/a%2Fb%2525/accept');
    assert.ok(found?.kind === 'handler');
    assert.deepEqual(found.path, { server: 'my files', tool: 'a/b%25' });
    for (const path of [
      '/v1',
      '/v1/',
      '/v1/actions/',
      '/v1/actions/a/b',
      '/V1/actions',
      '/v1/actions/%ff',
      '//v1/actions',
      '/v1/approvals/x/reviews/',
    ]) {
      assert.equal(find('POST', path), undefined, path);
    }
  });
});

describe('problems', () => {
  test('each code has its status, type and title; evidence is told of malformed requests alone', async () => {
    for (const [status, codes] of Object.entries(codesByStatus)) {
      for (const code of codes) {
        const answer = problem(refuse(code, 'Words.', { hint: 'evidence' }));
        assert.equal(answer.status, Number(status));
        assert.equal(answer.headers.get('content-type'), 'application/problem+json');
        const body = (await answer.json()) as Record<string, unknown>;
        const members = ['type', 'title', 'status', 'detail', 'code', ...(status === '400' ? ['hint'] : [])];
        assert.deepEqual(Object.keys(body), members, code);
        assert.equal(body['type'], `https://countersign.dev/problems/${code}`);
        assert.equal(body['status'], Number(status));
      }
    }
  });
});
