/** Random configurations: what differs is told, and what takes effect at once gives nobody anything. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type {
  AcceptedOperation,
  AcceptedServer,
  AcceptedServers,
  Itemised,
  PolicyItem,
} from '../../src/core/config-change.ts';
import { differenceOf, tightened, waitingOf } from '../../src/core/config-change/compare.ts';
import { isServed } from '../../src/core/config-change/servers.ts';
import { sameJson } from '../../src/core/config-change/words.ts';
import type { Agent, Directory, Person } from '../../src/core/directory.ts';
import { asAgentId, asGroupId, asPersonId } from '../../src/core/ids.ts';
import { agent, ask, item, itemised, keep, profile, server } from '../support/configurations.ts';

// Random configurations over few names, so that two of them often speak of the same thing.

/** A record with the prototype of any object, as JSON has. */
const plain = <Of extends object>(model: {
  readonly [Key in keyof Of]: fc.Arbitrary<Of[Key]>;
}): fc.Arbitrary<Of> => fc.record<Of>(model, { noNullPrototype: true });

const groupIds = ['a', 'b', 'c'];
const active = fc.constantFrom<{ readonly active?: false }>({}, {}, { active: false });
const some = <Of>(
  ids: readonly string[],
  one: (id: string) => fc.Arbitrary<Of>,
): fc.Arbitrary<readonly Of[]> => fc.subarray([...ids]).chain((chosen) => fc.tuple(...chosen.map(one)));
const inGroups = fc.shuffledSubarray(groupIds).map((ids) => ids.map(asGroupId));

const directories: fc.Arbitrary<Directory> = plain({
  people: some(['p', 'q', 'r'], (id) =>
    fc
      .tuple(fc.constantFrom('One', 'Two'), inGroups, active)
      .map(([name, groups, more]): Person => ({ id: asPersonId(id), name, groups, ...more })),
  ),
  agents: some(['p', 'x'], (id) =>
    fc.tuple(fc.constantFrom(['p'], ['q', 'p']), inGroups, active).map(([owners, groups, more]): Agent => ({
      id: asAgentId(id),
      owners: owners.map(asPersonId),
      groups,
      ...more,
    })),
  ),
  roles: fc.record(
    {
      operators: fc.constantFrom(null, asGroupId('a')),
      auditors: fc.constantFrom(null, asGroupId('b')),
      admins: fc.constantFrom(asGroupId('a'), asGroupId('c')),
      adminsQuorum: fc.constantFrom(1, 3),
    },
    { requiredKeys: ['operators', 'auditors'], noNullPrototype: true },
  ),
});

const mode = fc.constantFrom('enforce' as const, 'observe' as const);
const modes = fc.dictionary(fc.constantFrom('t', 'u'), mode, { noNullPrototype: true });
const serverSets: fc.Arbitrary<AcceptedServers> = plain({
  servers: some(['s1', 's2'], (name) =>
    fc
      .record({
        upstream: fc.constantFrom(server('x').upstream, server('y').upstream),
        pin: fc.constantFrom('first-sight' as const, 'manual' as const),
        mode,
        modes,
        tools: fc.constantFrom({}, { t: profile }),
        more: active,
      })
      .map(({ more, ...one }): AcceptedServer => ({ name, ...one, ...more })),
  ),
  operations: some(['o___1', 'o___2'], (name) =>
    fc
      .record({
        mode,
        input: fc.constantFrom({}, { type: 'object' }),
        profile: fc.constantFrom(null, profile),
        more: active,
      })
      .map(({ more, ...one }): AcceptedOperation => ({ operation: name, ...one, ...more })),
  ),
});

const itemSets = some(['i', 'j', 'k'], (id) =>
  fc.oneof(
    fc.constantFrom(
      item(id, 'permit'),
      item(id, 'permit', { withdrawn: true }),
      item(id, 'permit', { body: 'other' }),
    ),
    fc
      .tuple(
        fc.constantFrom(['ghost___x'], null, ['approve']),
        fc.constantFrom<PolicyItem['groups']>([], ['a'], 'any', []),
      )
      .map(([actions, groups]) =>
        item(id, 'forbid', { actions, groups, body: `forbid ${JSON.stringify([actions, groups])}` }),
      ),
    fc.constantFrom(
      ask(id),
      ask(id, { quorum: 2 }, { quorum: '2' }),
      ask(id, { channels: ['web'] }, { channels: 'web' }),
      ask(id, { approvers: asGroupId('c') }),
    ),
  ),
);

const configurations: fc.Arbitrary<Itemised> = fc
  .record({ directory: directories, servers: serverSets, items: itemSets })
  .map(itemised);

/** The same, with its policies as they then are. */
const apply = (accepted: Itemised, found: Itemised): Itemised => {
  const { items, directory: people, servers } = tightened(accepted, found);
  return { ...accepted, items, directory: people, servers };
};

test('a configuration differs from itself in nothing, and is its own tightened one', () => {
  fc.assert(
    fc.property(configurations, (one) => {
      assert.deepEqual(differenceOf(one, one), []);
      assert.deepEqual(apply(one, one), one);
      assert.deepEqual(tightened(one, one).policies, keep);
    }),
  );
});

test('tightening once is enough, and what waits is what waited', () => {
  const names = (a: Itemised, b: Itemised): readonly string[] =>
    waitingOf(differenceOf(a, b)).map(({ what, id, after }) => `${what} ${id} ${after ?? ''}`);
  fc.assert(
    fc.property(configurations, configurations, (accepted, found) => {
      const once = apply(accepted, found);
      assert.deepEqual(apply(once, found), once);
      assert.deepEqual(names(once, found), names(accepted, found));
    }),
    { numRuns: 1000 },
  );
});

test('whatever differs is told, and only that', () => {
  /** What a configuration says, without what says nothing: order, files, modes that are the server's anyway. */
  const said = ({ items, directory: people, servers }: Itemised) => ({
    items: items.map(({ file: _file, text: _text, groups: _groups, ...rest }) => rest),
    people: people.people.map((one) => ({ ...one, groups: one.groups.toSorted() })),
    agents: people.agents.map((one) => ({ ...one, groups: one.groups.toSorted() })),
    roles: people.roles,
    servers: servers.servers.map(({ modes: own, ...one }) => ({
      ...one,
      modes: Object.fromEntries(Object.entries(own).filter(([, each]) => each !== one.mode)),
    })),
    operations: servers.operations,
  });
  fc.assert(
    fc.property(configurations, configurations, (one, other) => {
      assert.equal(differenceOf(one, other).length === 0, sameJson(said(one), said(other)));
    }),
    { numRuns: 1000 },
  );
  // Pairs that differ in one part only.
  fc.assert(
    fc.property(
      configurations,
      configurations,
      fc.constantFrom('directory', 'servers', 'items'),
      (one, other, part) => {
        const mixed = { ...one, [part]: other[part as 'items'] };
        assert.equal(differenceOf(one, mixed).length === 0, sameJson(said(one), said(mixed)));
      },
    ),
    { numRuns: 1000 },
  );
});

test('the tightened directory gives nobody anything, and loses nobody', () => {
  fc.assert(
    fc.property(configurations, configurations, (accepted, found) => {
      const { directory: tight } = tightened(accepted, found);
      const was = accepted.directory;
      assert.deepEqual(tight.roles, was.roles);
      assert.deepEqual(
        tight.people.map(({ id }) => id),
        was.people.map(({ id }) => id),
      );
      for (const [index, one] of tight.people.entries()) {
        const before = was.people[index];
        assert.ok(before && one.name === before.name);
        assert.ok(one.groups.every((group) => before.groups.includes(group)));
        assert.ok(one.active === false || before.active !== false);
        const now = found.directory.people.find(({ id }) => id === one.id);
        assert.equal(
          one.active === false,
          before.active === false || now === undefined || now.active === false,
        );
      }
      for (const [index, { active: isActive, ...one }] of tight.agents.entries()) {
        const { active: wasActive, ...before } = was.agents[index] ?? agent('none');
        assert.deepEqual(one, before);
        assert.ok(isActive === false || wasActive !== false);
      }
    }),
    { numRuns: 500 },
  );
});

test('the tightened servers observe, enable and reach nothing more', () => {
  const of = ({ mode: own, modes: each }: AcceptedServer, tool: string) => each[tool] ?? own;
  fc.assert(
    fc.property(configurations, configurations, ({ servers: was, ...accepted }, found) => {
      const { servers: tight } = tightened({ ...accepted, servers: was }, found);
      for (const [index, one] of tight.servers.entries()) {
        const before = was.servers[index];
        assert.ok(before);
        assert.deepEqual([one.name, one.upstream, one.tools], [before.name, before.upstream, before.tools]);
        for (const tool of ['t', 'u', 'never seen'])
          assert.ok(of(one, tool) === 'enforce' || of(before, tool) === 'observe', tool);
        assert.ok(one.pin === 'manual' || before.pin === 'first-sight');
        for (const each of found.servers.servers) assert.ok(!isServed(tight, each) || isServed(was, each));
      }
      for (const [index, one] of tight.operations.entries()) {
        const before = was.operations[index];
        assert.ok(before);
        assert.deepEqual([one.input, one.profile], [before.input, before.profile]);
        assert.ok(one.mode === 'enforce' || before.mode === 'observe');
        assert.ok(one.active === false || before.active !== false);
      }
    }),
    { numRuns: 500 },
  );
});
