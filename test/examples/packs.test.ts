/**
 * The packs, each in the real engine against the tool list that it was made from: every tool has a profile, and the verdict
 * that the pack's table says, never one by accident.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  compare,
  nameOf,
  packNames,
  readPack,
  recognise,
  type Pack,
  type PackCase,
} from '../../src/cli/init-packs.ts';
import { filesystemTools } from '../../src/cli/known.ts';
import { parseSettings } from '../../src/config.ts';
import { asAgentId, asGroupId, asPersonId, asSha256Hex } from '../../src/core/ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/core/json.ts';
import type { Recent } from '../../src/core/recent.ts';
import type { PinnedTool } from '../../src/core/tool.ts';
import type { PolicyEngine, PolicyWorld } from '../../src/ports/policy.ts';
import { root } from '../support/source.ts';
import { engineWith, noon } from '../policy/support/world.ts';

const names = ['filesystem', 'github', 'kubernetes', 'postgres', 'slack'];

const person = (id: string, ...groups: string[]) => ({
  id: asPersonId(id),
  name: id,
  groups: groups.map(asGroupId),
});
const directory: PolicyWorld['directory'] = {
  people: [person('owner'), person('ann', 'reviewers'), person('ben', 'reviewers')],
  agents: [{ id: asAgentId('agent'), owners: [asPersonId('owner')], groups: [asGroupId('agents')] }],
  roles: { operators: null, auditors: null },
};

function pinned(pack: Pack): readonly PinnedTool[] {
  const hash = asSha256Hex('0'.repeat(64));
  return pack.tools.map((definition) => ({
    server: pack.name,
    tool: nameOf(definition),
    status: 'enabled',
    definition,
    hash,
    seen: null,
    seenHash: null,
    atMs: 0,
  }));
}

const resourceTypes = (pack: Pack): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(pack.profiles).flatMap(([tool, { resource }]) =>
      resource === undefined ? [] : [[`${pack.name}___${tool}`, resource.type]],
    ),
  );

/** A value that fits; of an enum its first. */
function example(schema: JsonValue | undefined): JsonValue {
  if (!isJsonObject(schema)) return 'x';
  const { type } = schema;
  if (Array.isArray(schema['enum'])) return (schema['enum'] as readonly JsonValue[])[0] ?? 'x'; // isArray loses readonly
  if (type === 'number' || type === 'integer') return 1;
  if (type === 'boolean') return false;
  if (type === 'array') return [];
  return type === 'object' ? {} : 'x';
}

/** What the tool's schema requires, and over it what the case says. */
function inputOf(tool: JsonObject, one: PackCase): JsonObject {
  const schema = tool['inputSchema'];
  assert.ok(isJsonObject(schema));
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'].map(String) : [];
  for (const name of Object.keys(one.input))
    assert.ok(Object.hasOwn(properties, name), `${nameOf(tool)} has no input ${name}`);
  return { ...Object.fromEntries(required.map((name) => [name, example(properties[name])])), ...one.input };
}

function recentOf(count: number): Recent {
  const window = { count, sum: null };
  const scope = { hour: window, day: window, ever: window };
  return { agent: scope, owner: scope, operation: scope };
}

function verdictOf(
  engine: PolicyEngine,
  pack: Pack,
  tool: string,
  input: JsonObject,
  recent: number,
): string {
  const operation = `${pack.name}___${tool}`;
  const verdict = engine.judge(
    {
      agent: asAgentId('agent'),
      operation,
      input,
      resource: { type: resourceTypes(pack)[operation] ?? 'Server', id: pack.name },
    },
    noon,
    recentOf(recent),
  );
  if (verdict.effect === 'allow') return 'allow';
  if (verdict.effect === 'deny') return verdict.code === 'forbidden' ? 'denied' : verdict.code;
  return Math.max(...verdict.requirements.map((one) => one.quorum)) === 1 ? 'held' : 'two';
}

/** The pack's policies, live, with nothing to remark on. */
async function load(pack: Pack, agents = directory.agents): Promise<PolicyEngine> {
  const texts = {
    policies: [{ file: `${pack.name}.cedar`, text: pack.policies }],
    schemas: [],
    entities: null,
  };
  const world: PolicyWorld = {
    directory: { ...directory, agents },
    servers: [pack.name],
    tools: pinned(pack),
    resourceTypes: resourceTypes(pack),
    operations: [],
    versions: { policySet: 1, directory: 1, tools: 1 },
  };
  const engine = await engineWith(texts, world);
  const { problems } = await engine.check(texts, world);
  // A tool that nobody is permitted is meant where its verdict is "denied".
  assert.deepEqual(
    problems.filter((one) => one.severity !== 'info'),
    [],
  );
  return engine;
}

test('the packs are these five', () => assert.deepEqual(packNames(), names));

test('the demo’s filesystem server has the profiles of the pack', () =>
  assert.deepEqual(readPack('filesystem').profiles, filesystemTools));

for (const name of names) {
  const pack = readPack(name);
  const listed = pack.tools.map((tool) => nameOf(tool));

  test(`${name}: every tool has a profile that a configuration takes, and a verdict; nothing is there without its tool`, () => {
    assert.deepEqual(Object.keys(pack.profiles).toSorted(), listed.toSorted());
    assert.deepEqual(Object.keys(pack.verdicts).toSorted(), listed.toSorted());
    const read = parseSettings(
      JSON.stringify({ servers: { [name]: { command: ['x'], tools: pack.profiles } } }),
      '/c.yaml',
    );
    assert.ok(read.ok, JSON.stringify(read));
    assert.deepEqual(read.value.warnings, []);
    for (const [tool, profile] of Object.entries(pack.profiles)) {
      if (profile.effect !== 'read')
        assert.ok(profile.consequence !== undefined, `${tool} has no consequence`);
      for (const look of [profile.before, profile.preview])
        if (look !== undefined) assert.ok(listed.includes(look.tool), `${tool} looks with ${look.tool}`);
    }
  });

  test(`${name}: its policies load without a warning, and each verdict is the one in its table`, async () => {
    const engine = await load(pack);
    const said: unknown[] = [];
    const meant: unknown[] = [];
    for (const tool of pack.tools) {
      const key = nameOf(tool);
      const cases = pack.verdicts[key];
      assert.ok(cases !== undefined);
      for (const one of typeof cases === 'string' ? [{ input: {}, verdict: cases }] : cases) {
        const input = inputOf(tool, one);
        said.push([key, one.input, verdictOf(engine, pack, key, input, one.recent ?? 1)]);
        meant.push([key, one.input, one.verdict]);
      }
    }
    assert.deepEqual(said, meant);
    assert.ok(said.length >= listed.length);
  });

  test(`${name}: only what reads runs without asking, whatever it is asked to do`, () => {
    for (const [tool, verdict] of Object.entries(pack.verdicts)) {
      if (verdict === 'allow') assert.equal(pack.profiles[tool]?.effect, 'read', tool);
      else if (typeof verdict !== 'string')
        assert.ok(
          verdict.some((one) => one.verdict !== 'allow'),
          `${tool}: say allow`,
        );
    }
  });

  test(`${name}: somebody else's agent may do nothing`, async () => {
    const engine = await load(
      pack,
      directory.agents.flatMap((agent) => [
        { ...agent, groups: [] },
        { ...agent, id: asAgentId('another') },
      ]),
    );
    for (const tool of pack.tools) {
      const verdict = verdictOf(engine, pack, nameOf(tool), inputOf(tool, { input: {}, verdict: 'held' }), 1);
      assert.ok(['no_permit', 'denied'].includes(verdict), `${nameOf(tool)}: ${verdict}`);
    }
  });

  test(`${name}: the README names the package and its version`, () => {
    const readme = readFileSync(`${root}/packs/${name}/README.md`, 'utf8');
    assert.ok(readme.includes(pack.package) && readme.includes(`@${pack.version}`));
    assert.match(readme, /licence/);
    assert.match(pack.listed, /^\d{4}-\d\d-\d\d$/);
  });

  test(`${name}: its own list is recognised, and differs from itself in nothing`, () => {
    assert.deepEqual(compare(pack, pack.tools), { same: listed, changed: [], added: [], missing: [] });
    assert.equal(recognise(pack.tools)?.name, name);
  });
}
