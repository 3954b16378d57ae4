/**
 * The held actions of everything that we ship: the starter packs' tables of verdicts, the starter policies, the demo. Each is
 * judged by the real engine and opened by the real steps, so that a channel can be measured by what people would be asked.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { nameOf, packNames, readPack, type Pack, type PackCase } from '../../src/cli/init-packs.ts';
import { parseSettings } from '../../src/config.ts';
import type { Directory } from '../../src/core/directory.ts';
import { asAgentId, asGroupId, asPersonId } from '../../src/core/ids.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../src/core/json.ts';
import { fill, type Profile } from '../../src/core/profile.ts';
import { readJson } from '../../src/core/read-json.ts';
import type { PolicyTexts, PolicyWorld } from '../../src/ports/policy.ts';
import { engineWith } from '../policy/support/world.ts';
import { hash } from '../support/world.ts';
import { root } from '../support/source.ts';
import { demoExamples } from './examples-demo.ts';
import { hold, looked, recentOf, textOf, type Example, type Wish } from './examples-held.ts';

/** Only the packs' inputs as they are tabled, or with texts of the length that such tools are called with. */
export type Length = 'as tabled' | 'filled';

export async function heldExamples(length: Length): Promise<readonly Example[]> {
  const packs = await Promise.all(packNames().map((name) => packExamples(readPack(name), length)));
  return [...packs.flat(), ...(await policyExamples()), ...(await demoExamples())];
}

const person = (id: string, ...groups: string[]) => ({
  id: asPersonId(id),
  name: id,
  groups: groups.map(asGroupId),
});
const packDirectory: Directory = {
  people: [person('owner'), person('ann', 'reviewers'), person('ben', 'reviewers')],
  agents: [{ id: asAgentId('agent'), owners: [asPersonId('owner')], groups: [asGroupId('agents')] }],
  roles: { operators: null, auditors: null },
};

async function packExamples(pack: Pack, length: Length): Promise<readonly Example[]> {
  const resourceTypes = Object.fromEntries(
    Object.entries(pack.profiles).flatMap(([tool, { resource }]) =>
      resource === undefined ? [] : [[`${pack.name}___${tool}`, resource.type]],
    ),
  );
  const world: PolicyWorld = {
    directory: packDirectory,
    servers: [pack.name],
    tools: pack.tools.map((definition) => ({
      server: pack.name,
      tool: nameOf(definition),
      status: 'enabled',
      definition,
      hash,
      seen: null,
      seenHash: null,
      atMs: 0,
    })),
    resourceTypes,
    operations: [],
    versions: { policySet: 1, directory: 1, tools: 1 },
  };
  const texts = {
    policies: [{ file: `${pack.name}.cedar`, text: pack.policies }],
    schemas: [],
    entities: null,
  };
  const engine = await engineWith(texts, world);
  return pack.tools.flatMap((tool) => {
    const key = nameOf(tool);
    const cases = pack.verdicts[key];
    assert.ok(cases !== undefined);
    const list: readonly PackCase[] = typeof cases === 'string' ? [{ input: {}, verdict: cases }] : cases;
    return list.flatMap((one, at): readonly Example[] => {
      if (one.verdict !== 'held' && one.verdict !== 'two') return [];
      const operation = `${pack.name}___${key}`;
      const input = inputOf(tool, one, length);
      const profile = pack.profiles[key] ?? null;
      const id = profile?.resource === undefined ? pack.name : fill(profile.resource.id, input);
      const held = hold({
        name: `${operation} ${at}`,
        from: 'packs',
        engine,
        directory: packDirectory,
        action: {
          agent: asAgentId('agent'),
          operation,
          input,
          resource: {
            type: resourceTypes[operation] ?? 'Server',
            id: typeof id === 'string' || typeof id === 'number' ? String(id) : pack.name,
          },
          session: 'ticket-4711',
          reason: reasonText,
        },
        facts: looksOf(profile),
        recent: recentOf(one.recent ?? 1),
      });
      // A longer text may be forbidden; what is tabled is held.
      assert.ok(held !== null || length === 'filled', operation);
      return held === null ? [] : [held];
    });
  });
}

const reasonText =
  'The nightly job reported that this is out of date, and the ticket asks for it to be put right before the release on Thursday.';

/** What the gate would have read: a page of text. */
const looksOf = (profile: Profile | null): Wish['facts'] => ({
  profile,
  preview: profile?.preview === undefined ? null : looked(profile.preview.tool),
  before: profile?.before === undefined ? null : looked(profile.before.tool),
});
/** What the tool's schema requires, and over it what the case says. */
function inputOf(tool: JsonObject, one: PackCase, length: Length): JsonObject {
  const schema = tool['inputSchema'];
  assert.ok(isJsonObject(schema));
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  const required = isJsonArray(schema['required']) ? schema['required'].map(String) : [];
  return {
    ...Object.fromEntries(required.map((name) => [name, example(name, properties[name], length)])),
    ...one.input,
  };
}

function example(name: string, schema: JsonValue | undefined, length: Length): JsonValue {
  const text = length === 'as tabled' ? 'x' : long.test(name) ? textOf(40) : `a-value-of-the-${name}`;
  if (!isJsonObject(schema)) return text;
  const { type } = schema;
  if (isJsonArray(schema['enum'])) return schema['enum'][0] ?? 'x';
  if (type === 'number' || type === 'integer') return 1;
  if (type === 'boolean') return false;
  if (type === 'array') return [];
  return type === 'object' ? {} : text;
}
/** Arguments that hold texts. */
const long = /content|text|body|sql|query|manifest|message|command|values|description|patch/i;

async function policyExamples(): Promise<readonly Example[]> {
  const folder = `${root}/examples/policies`;
  const text = (file: string): string => readFileSync(`${folder}/${file}`, 'utf8');
  const settings = parseSettings(text('countersign.yaml'), `${folder}/countersign.yaml`);
  const entities = readJson(text('entities.json'));
  assert.ok(settings.ok && entities.ok);
  const { directory, operations } = settings.value.proposal;
  const profiles = new Map(operations.map((one) => [one.operation, one.profile ?? null]));
  const world: PolicyWorld = {
    directory,
    servers: [],
    tools: [],
    resourceTypes: {},
    operations: operations.map(({ operation, input, profile }) => ({
      operation,
      input,
      resourceType: profile?.resource?.type ?? null,
    })),
    profiles: Object.fromEntries(
      [...profiles].flatMap(([key, profile]) => (profile === null ? [] : [[key, profile]])),
    ),
    versions: { policySet: 1, directory: 1, tools: 1 },
  };
  const texts: PolicyTexts = {
    policies: readdirSync(folder)
      .filter((file) => file.endsWith('.cedar'))
      .map((file) => ({ file, text: text(file) })),
    schemas: [{ file: 'production-writes.cedarschema', text: text('production-writes.cedarschema') }],
    entities: entities.value,
  };
  const engine = await engineWith(texts, world, { timezone: 'Europe/Berlin' });
  const wishes: readonly (readonly [operation: string, input: JsonObject])[] = [
    ['deploy___release', { service: 'shop', version: '1.2' }],
    ['db___run_migration', { database: 'customers', name: '0042' }],
    ['crm___export_rows', { table: 'customers', rows: 1001, destination: 'https://files.example.com/a.csv' }],
    ['crm___export_rows', { table: 'customers', rows: 10, destination: 'https://files.evil.net/a.csv' }],
    ['mail___send', { to: 'eve@evil.net', text: textOf(20) }],
    ['crm___delete_customer', { id: 7 }],
    ['iam___grant_role', { who: 'eve', role: 'admin', expires: '2026-12-31' }],
  ];
  return wishes.flatMap(([operation, input]): readonly Example[] => {
    const profile = profiles.get(operation) ?? null;
    const id = profile?.resource === undefined ? undefined : fill(profile.resource.id, input);
    const held = hold({
      name: operation,
      from: 'policies',
      engine,
      directory,
      action: {
        agent: asAgentId('crm-bot'),
        operation,
        input,
        resource:
          profile?.resource === undefined
            ? { type: 'Server', id: operation.split('___')[0] ?? '' }
            : { type: profile.resource.type, id: typeof id === 'string' ? id : '' },
        reason: reasonText,
        enforcement: 'cooperative',
        target: {
          kind: 'http',
          declaration: hash,
          profile: hash,
        },
      },
      facts: looksOf(profile),
      recent: recentOf(1, profile?.effect === 'export' ? 1 : null),
    });
    assert.ok(held !== null, operation);
    return [held];
  });
}
