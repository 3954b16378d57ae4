/** JSON Schemas of tools as Cedar types, and inputs held against them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';
import { inputTypeOf, type InputType } from '../../src/policy/input-type.ts';
import { cedarTypeOf, projectInput, projectType } from '../../src/policy/project.ts';
import type { Reads } from '../../src/policy/reads.ts';
import { startCedar } from '../../src/policy/cedar.ts';
import {
  asks,
  engineWith,
  noon,
  permitAll,
  quickEngine,
  short,
  texts,
  tool,
  world,
} from './support/world.ts';

/** The type of one field, in short: `String`, `String?` where optional, `-` where opaque. */
function field(schema: JsonValue, more: JsonObject = {}): string {
  const found = inputTypeOf({
    type: 'object',
    properties: { a: schema },
    required: ['a'],
    ...more,
  }).fields.get('a');
  assert.ok(found !== undefined);
  return show(found.type) + (found.required ? '' : '?');
}
function show(type: InputType): string {
  if (type.kind === 'set') return `Set<${show(type.of)}>`;
  if (type.kind === 'record')
    return `{${[...type.fields].map(([name, each]) => `${name}${each.required ? '' : '?'}: ${show(each.type)}`).join(', ')}}`;
  return type.kind === 'opaque' ? '-' : type.kind;
}

const schemas: readonly (readonly [schema: JsonValue, type: string])[] = [
  [{ type: 'string' }, 'string'],
  [{ type: 'string', format: 'date-time' }, 'string'],
  [{ enum: ['a', 'b'] }, 'string'],
  [{ const: 'a' }, 'string'],
  [{ enum: [1, 2] }, 'long'],
  [{ enum: ['a', 1] }, '-'],
  [{ enum: ['a', null] }, 'string?'],
  [{ type: 'integer', minimum: 1 }, 'long'],
  [{ type: 'number' }, 'long'],
  [{ type: 'boolean' }, 'bool'],
  [{ type: ['string', 'null'] }, 'string?'],
  [{ type: ['string', 'integer'] }, '-'],
  [{ type: 'null' }, '-?'],
  [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, 'string?'],
  [{ oneOf: [{ const: 'a' }, { const: 'b' }] }, 'string'],
  [{ anyOf: [{ type: 'string' }, { type: 'integer' }] }, '-'],
  [{ allOf: [{ type: 'string' }] }, 'string'],
  [{ allOf: [{ type: 'string' }, { minLength: 1 }] }, '-'],
  [{ type: 'array', items: { type: 'string' } }, 'Set<string>'],
  [{ type: 'array', items: { type: 'object', properties: { b: { type: 'integer' } } } }, 'Set<{b?: long}>'],
  [{ type: 'array' }, '-'],
  [{ type: 'array', items: { type: ['string', 'integer'] } }, '-'],
  [{ type: 'array', prefixItems: [{ type: 'string' }] }, '-'],
  [
    { type: 'object', properties: { b: { type: 'string' }, c: { type: 'integer' } }, required: ['b'] },
    '{b: string, c?: long}',
  ],
  [{ properties: { b: { type: 'string' } } }, '{b?: string}'],
  [{ type: 'object', additionalProperties: { type: 'string' } }, '{}'],
  [{ $ref: '#/$defs/Name' }, 'string?'],
  [{ $ref: '#/$defs/Loop' }, '{self?: {self?: {self?: {self?: {self?: {self?: {self?: {self?: -}}}}}}}}?'],
  [{ $ref: 'https://example.com/x' }, '-?'],
  [{ $ref: '#/$defs/__proto__' }, '-?'],
  [{}, '-?'],
  [true, '-?'],
  [{ type: 'thing' }, '-'],
  [{ type: 5 }, '-'],
];

for (const [schema, type] of schemas) {
  test(`${JSON.stringify(schema)} is ${type}`, () => {
    const $defs = {
      Name: { type: 'string' },
      Loop: { type: 'object', properties: { self: { $ref: '#/$defs/Loop' } } },
    };
    const got = field(schema, { $defs });
    // How far a recursive schema is followed is not promised, only that it ends.
    if (type.startsWith('{self?')) assert.match(got, /^(?:\{self\?: )+-\}+\?$/);
    else assert.equal(got.replace('-?', '-'), type.replace('-?', '-'));
  });
}

test('no schema makes the engine throw', () => {
  const cedar = startCedar();
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (schema) => {
      // fast-check makes JSON.
      const type = inputTypeOf(schema as JsonValue);
      const root = { commonTypes: {}, entityTypes: { E: { shape: cedarTypeOf(type) } }, actions: {} };
      assert.equal(cedar.checkParseSchema({ '': root }).type, 'success');
    }),
  );
});

test('reserved names are opaque', () => {
  const { fields } = inputTypeOf(
    JSON.parse(
      '{"type":"object","properties":{"__entity":{"type":"string"},"__extn":{"type":"string"},"__proto__":{"type":"string"},"a":{"type":"string"}}}',
    ),
  );
  assert.deepEqual(
    [...fields].map(([name, { type }]) => `${name} ${type.kind}`),
    ['__entity opaque', '__extn opaque', '__proto__ opaque', 'a string'],
  );
});

const read = (...paths: string[]): Reads => {
  const grow = (steps: readonly (readonly string[])[]): Reads => ({
    whole: steps.some((step) => step.length === 0),
    fields: new Map(
      [...new Set(steps.flatMap(([first]) => first ?? []))].map((name) => [
        name,
        grow(steps.filter(([first]) => first === name).map((step) => step.slice(1))),
      ]),
    ),
  });
  return grow(paths.map((path) => path.split('.')));
};

test('only what is read is passed, and fits', () => {
  const type = inputTypeOf({
    type: 'object',
    properties: {
      a: { type: 'integer' },
      r: { type: 'object', properties: { x: { type: 'string' }, y: { type: 'boolean' } }, required: ['y'] },
      u: { type: ['string', 'integer'] },
    },
  });
  const given: JsonObject = { a: 1, r: { x: 's', y: true, z: 1 }, u: 5, more: null };
  const project = (...paths: string[]) => {
    const got = projectInput(given, type, read(...paths));
    return got.ok ? got.value : { misfit: `${got.error.path} ${got.error.why}` };
  };
  assert.deepEqual(project('a'), { a: 1 });
  assert.deepEqual(project('r.x'), { r: { x: 's' } });
  assert.deepEqual(project('more'), {});
  assert.deepEqual(project('r'), { misfit: 'context.input.r.z is not in the declared input' });
  assert.deepEqual(project('r.z'), { misfit: 'context.input.r.z is not in the declared input' });
  assert.deepEqual(project('u'), {
    misfit: 'context.input.u cannot be read by a policy: it may be string or integer',
  });
  assert.deepEqual(cedarTypeOf(projectType(type, read('r.x'))), {
    type: 'Record',
    attributes: {
      r: { type: 'Record', attributes: { x: { type: 'String', required: false } }, required: false },
    },
  });
});

test('a policy that reads what has no type is told so', async () => {
  const tools = [tool('set', { value: { type: ['string', 'integer'] }, name: { type: 'string' } })];
  const engine = quickEngine();
  const scoped =
    '@id("p") permit (principal, action == Action::"ops___set", resource) when { context.input has value };';
  const { ok, problems } = await engine.check(texts(scoped), world({ tools }));
  assert.equal(ok, false);
  assert.ok(
    problems.some((problem) =>
      problem.message.includes(
        'context.input.value of ops___set cannot be read by a policy: it may be string or integer',
      ),
    ),
    JSON.stringify(problems),
  );
  const general = await engineWith(
    `${permitAll} @id("f") forbid (principal, action, resource) when { context.input has value };`,
    world({ tools }),
  );
  assert.equal(short(general.judge(asks('ops___set', { name: 'n' }), noon, null)), 'allow');
  assert.equal(short(general.judge(asks('ops___set', { name: 'n', value: 5 }), noon, null)), 'policy_error');
});
