/** Who is asked about a change of who may do what, and what the gate asks them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Difference } from '../../src/core/config-change.ts';
import {
  actionInputOf,
  changesOf,
  quorumFor,
  verdictOf,
  type Quorum,
} from '../../src/core/config-change/asking.ts';
import { adminsOf, type Directory, type Person } from '../../src/core/directory.ts';
import { asDigest, asGroupId, asPersonId } from '../../src/core/ids.ts';
import { jsonLimits } from '../../src/core/json.ts';
import { versions } from '../support/world.ts';

const nowMs = Date.UTC(2026, 10, 22);
const person = (id: string, ...groups: string[]): Person => ({
  id: asPersonId(id),
  name: `Name of ${id}`,
  groups: groups.map(asGroupId),
});
const company = (people: readonly Person[], roles: Partial<Directory['roles']> = {}): Directory => ({
  people,
  agents: [],
  roles: { operators: null, auditors: null, ...roles },
});
const [ada, bob, cy, dee] = ['ada', 'bob', 'cy', 'dee'].map((id) => person(id, 'admins')) as [
  Person,
  Person,
  Person,
  Person,
];
const without = (directory: Directory, id: string): Directory => ({
  ...directory,
  people: directory.people.map((one) => (one.id === asPersonId(id) ? { ...one, active: false } : one)),
});
const said = (quorum: Quorum): string =>
  quorum.kind === 'ask' ? `${quorum.quorum} of ${quorum.eligible.join(' ')}` : quorum.kind;
const asks = (directory: Directory, author: string | null, whole = directory): string =>
  said(quorumFor({ directory, whole, author: author === null ? null : asPersonId(author), nowMs }));

test('config-change: two admins accept a change, and whoever made it is none of them', () => {
  const three = company([ada, bob, cy, person('eve')]);
  assert.equal(asks(three, 'ada'), '2 of bob cy');
  assert.equal(asks(three, 'eve'), '2 of ada bob cy');
  assert.equal(asks(three, null), '2 of ada bob cy');
});

test('where one other admin is left, one is enough; where nobody is, only the machine helps', () => {
  assert.equal(asks(company([ada, bob]), 'ada'), '1 of bob');
  assert.equal(asks(company([ada, person('eve')]), 'eve'), '1 of ada');
  assert.equal(asks(company([ada, person('eve')]), 'ada'), 'nobody');
  assert.equal(asks(company([person('eve'), person('fay')]), 'eve'), 'nobody');
  const none = quorumFor({ directory: company([ada, bob]), whole: company([ada, bob]), author: null, nowMs });
  assert.equal(said(none), '2 of ada bob');
});

test('config-change: what was found on disk needs two, since one of them may have written it', () => {
  assert.equal(asks(company([ada, person('eve')]), null), 'nobody');
  assert.equal(asks(company([ada, bob], { adminsQuorum: 1 }), null), '2 of ada bob');
});

test('one person alone is asked nothing; taking the others away makes nobody alone', () => {
  assert.equal(asks(company([ada]), 'ada'), 'alone');
  assert.equal(asks(company([]), null), 'alone');
  const two = company([ada, bob]);
  assert.equal(asks(without(two, 'bob'), 'ada', two), 'nobody');
  assert.equal(asks(without(two, 'bob'), null, two), 'nobody');
  // Once that is accepted as a whole, it is so.
  assert.equal(asks(without(two, 'bob'), 'ada', without(two, 'bob')), 'alone');
});

test('a quorum that the configuration names is not lowered by taking admins away', () => {
  const four = company([ada, bob, cy, dee], { adminsQuorum: 3 });
  assert.equal(asks(four, 'ada'), '3 of bob cy dee');
  assert.equal(asks(without(four, 'dee'), 'ada', four), 'nobody');
  assert.equal(asks(without(four, 'dee'), null, four), '3 of ada bob cy');
  assert.equal(
    asks(company([ada, bob, cy], { adminsQuorum: 9 }), 'ada'),
    '2 of bob cy',
    'no more than there are',
  );
  assert.equal(asks(company([ada, bob, cy], { adminsQuorum: 1 }), 'ada'), '1 of bob cy');
});

test('another group, people who left, and a membership that does not count yet', () => {
  const named = company([person('ada', 'heads'), person('bob', 'heads'), cy], { admins: asGroupId('heads') });
  assert.equal(asks(named, null), '2 of ada bob');
  assert.equal(asks(without(company([ada, bob, cy]), 'cy'), null), '2 of ada bob');
  const fresh: Person = { ...cy, fresh: [{ group: asGroupId('admins'), countsFromMs: nowMs + 1 }] };
  assert.equal(asks(company([ada, fresh]), 'ada'), 'nobody');
  const counts: Person = { ...cy, fresh: [{ group: asGroupId('admins'), countsFromMs: nowMs }] };
  assert.equal(asks(company([ada, counts]), 'ada'), '1 of cy');
});

test('config-change: in random organisations nobody accepts a change alone: the author never counts, and there are always two people', () => {
  const people = fc.subarray(['p', 'q', 'r', 's', 't'], { minLength: 1 }).chain((ids) =>
    fc.tuple(
      ...ids.map((id) =>
        fc.tuple(fc.boolean(), fc.boolean()).map(([isAdmin, left]): Person => ({
          ...person(id, ...(isAdmin ? ['admins'] : [])),
          ...(left ? { active: false } : {}),
        })),
      ),
    ),
  );
  fc.assert(
    fc.property(
      people,
      fc.subarray(['p', 'q', 'r', 's', 't']),
      fc.constantFrom(null, 'p', 'q', 'nobody'),
      fc.constantFrom(undefined, 1, 2, 3),
      (all, gone, author, adminsQuorum) => {
        const whole = company(all, adminsQuorum === undefined ? {} : { adminsQuorum });
        const directory = gone.reduce(without, whole);
        const by = author === null ? null : asPersonId(author);
        const quorum = quorumFor({ directory, whole, author: by, nowMs });
        const active = all.filter((one) => one.active !== false);
        assert.equal(quorum.kind === 'alone', active.length <= 1);
        if (quorum.kind === 'nobody') assert.match(quorum.why, /countersign config accept/);
        if (quorum.kind !== 'ask') return;
        assert.ok(by === null || !quorum.eligible.includes(by));
        assert.ok(quorum.quorum + (by === null ? 0 : 1) >= 2);
        assert.ok(quorum.eligible.length >= quorum.quorum);
        for (const id of quorum.eligible) {
          const one = directory.people.find((each) => each.id === id);
          assert.ok(one?.active !== false && one?.groups.includes(adminsOf(directory)));
        }
      },
    ),
    { numRuns: 1000 },
  );
});

const difference = (more: Partial<Difference> = {}): Difference => ({
  what: 'policy',
  id: 'export.customers',
  before: null,
  after: '@id("export.customers") permit (principal, action, resource);',
  tightens: false,
  says: 'adds the permit export.customers',
  touches: [{ what: 'policy', id: 'export.customers' }],
  ...more,
});
const of = {
  base: asDigest(`sha256:${'0'.repeat(64)}`),
  candidate: asDigest(`sha256:${'1'.repeat(64)}`),
  origin: { author: asPersonId('ada'), approver: 'zed', through: 'the CI identity deploy' },
};

test('the input of the action holds every difference literally, and both digests', () => {
  const input = actionInputOf([difference(), difference({ tightens: true })], of);
  const change = {
    what: 'policy',
    id: 'export.customers',
    says: 'adds the permit export.customers',
    inForce: false,
    before: null,
    after: '@id("export.customers") permit (principal, action, resource);',
  };
  assert.deepEqual(input, {
    ok: true,
    value: {
      author: 'ada',
      approver: 'zed',
      through: 'the CI identity deploy',
      base: of.base,
      candidate: of.candidate,
      changes: [change, { ...change, inForce: true }],
    },
  });
  const found = actionInputOf([], { ...of, origin: { author: null } });
  assert.deepEqual(found.ok && Object.keys(found.value), ['author', 'base', 'candidate', 'changes']);
});

test('what nobody could see whole is refused, not cut', () => {
  const code = (text: string) => {
    const input = actionInputOf([difference({ after: text })], of);
    return input.ok ? 'ok' : input.error.code;
  };
  assert.equal(code('x'.repeat(200_000)), 'ok');
  assert.equal(code('x'.repeat(300_000)), 'too_large');
  assert.equal(code('x\n'.repeat(6000)), 'too_large');
  assert.equal(code('x'.repeat(jsonLimits.bytesMax)), 'too_large');
  assert.equal(code('\ud800'), 'bad_unicode');
});

test('the verdict of the gate asks people of the group for a week, and names nobody else', () => {
  const directory = company([ada, bob, cy]);
  const quorum = quorumFor({ directory, whole: directory, author: ada.id, nowMs });
  assert.ok(quorum.kind === 'ask');
  const verdict = verdictOf({ quorum, origin: of.origin, directory, versions });
  assert.equal(verdict.effect, 'review');
  const [requirement, ...others] = verdict.requirements;
  assert.deepEqual(others, []);
  assert.deepEqual(
    [requirement?.id, requirement?.approvers, requirement?.quorum, requirement?.ttlMs, requirement?.grantMs],
    ['gate.change_config', 'admins', 2, 7 * 24 * 3_600_000, 15 * 60_000],
  );
  assert.match(verdict.explanation.text, /^Name of ada has changed/);
  const unknown = verdictOf({ quorum, origin: { author: null }, directory, versions });
  assert.match(unknown.explanation.text, /not known/);
});

test('an author is tied to what they loosened, once each; tightening and nobody tie nobody', () => {
  const group = { what: 'group', id: asGroupId('data-owners') } as const;
  const differences = [
    difference(),
    difference({ what: 'group membership', id: 'sam in data-owners', touches: [group] }),
    difference({ what: 'person', id: 'new', touches: [group] }),
    difference({ id: 'other', tightens: true, touches: [{ what: 'policy', id: 'other' }] }),
  ];
  assert.deepEqual(changesOf(differences, ada.id, bob.id, nowMs), [
    { what: 'policy', id: 'export.customers', by: 'ada', acceptedBy: 'bob', atMs: nowMs },
    { what: 'group', id: 'data-owners', by: 'ada', acceptedBy: 'bob', atMs: nowMs },
  ]);
  assert.deepEqual(changesOf(differences, null, bob.id, nowMs), []);
});
