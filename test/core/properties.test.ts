/**
 * The two promises that everything rests on, for random histories and random organisations. The oracles here are written
 * anew, by brute force, and share nothing with what they check.
 */
import { askLimitDefaults } from '../../src/core/stops.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Delegate } from '../../src/core/action.ts';
import { requirementsOf, stateOf } from '../../src/core/case.ts';
import type { Command } from '../../src/core/command.ts';
import type { Directory } from '../../src/core/directory.ts';
import { asAgentId, asGroupId, asPersonId, asPolicyId, type PersonId } from '../../src/core/ids.ts';
import type { Requirement, Verdict } from '../../src/core/verdict.ts';
import {
  action,
  allowed,
  askCommand,
  asked,
  deniedBy,
  everybody,
  executionId,
  memory,
  requirement,
  reviewed,
  versions,
} from '../support/world.ts';

const peopleNames = ['p0', 'p1', 'p2', 'p3', 'p4'] as const;
const groupNames = ['g0', 'g1', 'g2'] as const;
const agentNames = ['a0', 'a1', 'a2'] as const;

const organisation = fc
  .record({
    people: fc.tuple(...peopleNames.map(() => fc.subarray([...groupNames]))),
    agents: fc.tuple(...agentNames.map(() => fc.subarray([...peopleNames], { minLength: 1 }))),
    operators: fc.constantFrom(...groupNames, null),
  })
  .map(({ people, agents, operators }): Directory => ({
    people: peopleNames.map((id, at) => ({
      id: asPersonId(id),
      name: id,
      groups: (people[at] ?? []).map(asGroupId),
    })),
    agents: agentNames.map((id, at) => ({
      id: asAgentId(id),
      owners: (agents[at] ?? []).map(asPersonId),
      groups: [],
    })),
    roles: { operators: operators === null ? null : asGroupId(operators), auditors: null },
  }));

const anyNeed = fc
  .record({
    id: fc.constantFrom('r0', 'r1', 'r2'),
    group: fc.constantFrom(...groupNames),
    quorum: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ id, group, quorum }) => requirement(id, group, { quorum }));
const needs = fc.uniqueArray(anyNeed, { minLength: 1, maxLength: 3, selector: (one) => one.id });

/** Brute force: can these people be seated so that each requirement has its quorum? Same approvers share their seats. */
function seated(
  requirements: readonly Requirement[],
  people: readonly PersonId[],
  fits: (person: PersonId, group: string) => boolean,
): boolean {
  const seats = new Map<string, number>();
  for (const one of requirements)
    seats.set(one.approvers, Math.max(seats.get(one.approvers) ?? 0, one.quorum));
  const places = [...seats].flatMap(([group, count]) => Array.from({ length: count }, () => group));
  const seat = (at: number, left: readonly PersonId[]): boolean => {
    const group = places[at];
    if (group === undefined) return true;
    return left.some(
      (person) =>
        fits(person, group) &&
        seat(
          at + 1,
          left.filter((other) => other !== person),
        ),
    );
  };
  return seat(0, [...new Set(people)]);
}

const inGroup = (directory: Directory, person: PersonId, group: string): boolean =>
  directory.people.some((one) => one.id === person && one.groups.some((each) => each === group));

type Event =
  | { readonly kind: 'review'; readonly person: number; readonly deny: boolean }
  | { readonly kind: 'claim' | 'ask' | 'cancel' | 'crash' | 'finish' }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'directory'; readonly directory: Directory }
  | { readonly kind: 'policy'; readonly verdict: Verdict };

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('review' as const),
      person: fc.nat({ max: 4 }),
      deny: fc.constant(false),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('review' as const),
      person: fc.nat({ max: 4 }),
      deny: fc.constant(true),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom('claim' as const, 'ask' as const, 'finish' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('cancel' as const, 'crash' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('time' as const),
      ms: fc.constantFrom(1000, 20 * 60_000, 5 * 3_600_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('directory' as const), directory: organisation }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('policy' as const),
      verdict: fc.oneof(
        fc.constant(allowed),
        needs.map((some) => reviewed(...some)),
        fc.constantFrom(deniedBy('no_permit'), deniedBy('forbidden'), deniedBy('policy_error')),
      ),
    }),
  },
);

/** Half of the histories begin with everybody's approval and a claim, so that what follows happens to things that ran. */
const everybodyFirst: readonly Event[] = [
  ...peopleNames.map((_, person): Event => ({ kind: 'review', person, deny: false })),
  { kind: 'claim' },
];
const history = fc
  .tuple(fc.constantFrom(0, 3, 5, 6), fc.array(event, { maxLength: 40 }))
  .map(([prefix, events]) => [...everybodyFirst.slice(0, prefix), ...events]);

test('no order of reviews, retries, crashes and policy changes runs an action twice, or without its requirements met', () => {
  let ran = 0;
  fc.assert(
    fc.property(organisation, needs, history, (directory, requirements, events) => {
      const store = memory({ directory });
      let verdict: Verdict = reviewed(...requirements);
      let serial = 0;
      const first = asked(verdict, action({ agent: asAgentId('a0') }));
      store.change(askCommand(first, { mayApprove: everybody(directory.people, requirements) }));
      const everyNeed = (): readonly Requirement[] => [
        ...requirements,
        ...(verdict.effect === 'review' ? verdict.requirements : []),
      ];
      const again = () => ({
        verdict,
        mayApprove: everybody(store.world.directory.people, everyNeed()),
        targetHolds: true,
        mode: 'enforce' as const,
      });
      const startsOf = new Map<string, number>();
      // A case that is asked later is judged by the people of that moment, and by what that verdict wanted.
      const askedIn = new Map<string, Directory>([[first.id, directory]]);
      const send = (command: Command): void => void store.change(command);
      for (const one of events) {
        const open = [...store.cases.values()].filter((held) => held.approval !== null);
        const logged = store.log.length;
        for (const held of one.kind === 'ask' ? open.slice(0, 1) : open) {
          const approval = held.approval;
          if (approval === null) continue;
          serial += 1;
          const executionNow = held.execution?.id ?? executionId('none');
          if (one.kind === 'review') {
            const proposed = {
              by: { kind: 'person', id: asPersonId(`p${one.person}`) },
              decision: one.deny ? 'deny' : 'approve',
              digest: held.asked.digest,
              reason: null,
              unsafe: false,
              channel: 'web',
              shownWhole: true,
            } as const;
            send({
              kind: 'review',
              approval: approval.id,
              proposed,
              again: again(),
              expected: versions,
              limits: askLimitDefaults,
            });
          } else if (one.kind === 'claim') {
            const before = structuredClone(held);
            send({
              kind: 'claim',
              action: held.asked.id,
              agent: held.asked.action.agent,
              execution: executionId(String(serial)),
              again: again(),
              expected: versions,
              limits: askLimitDefaults,
            });
            const after = store.cases.get(held.asked.id);
            if (before.execution === null && after?.execution != null) {
              ran += 1;
              startsOf.set(held.asked.id, (startsOf.get(held.asked.id) ?? 0) + 1);
              const then = askedIn.get(held.asked.id) ?? directory;
              const owner = then.agents.find((agent) => agent.id === 'a0')?.owners[0];
              const ownerNow = store.world.directory.agents.find((agent) => agent.id === 'a0')?.owners[0];
              const approvers = before.reviews
                .filter((each) => each.decision === 'approve')
                .map((each) => each.person);
              const fits = (who: PersonId, group: string): boolean =>
                who !== owner &&
                who !== ownerNow &&
                inGroup(then, who, group) &&
                inGroup(store.world.directory, who, group);
              const own = requirementsOf(before);
              assert.ok(seated(own, approvers, fits), 'ran with its own requirements met, then and now');
              if (verdict.effect === 'review')
                assert.ok(seated([...own, ...verdict.requirements], approvers, fits), 'and with today’s');
              assert.notEqual(verdict.effect, 'deny');
              assert.ok(
                before.reviews.every((each) => each.decision === 'approve'),
                'nobody had denied it',
              );
            }
          } else if (one.kind === 'cancel')
            send({
              kind: 'cancel',
              approval: approval.id,
              by: { kind: 'agent', id: held.asked.action.agent },
              reason: null,
            });
          else if (one.kind === 'crash') send({ kind: 'lost', execution: executionNow });
          else if (one.kind === 'finish')
            send({
              kind: 'outcome',
              execution: executionNow,
              by: { kind: 'gate' },
              status: 'succeeded',
              detail: null,
              result: null,
            });
          else if (one.kind === 'time') send({ kind: 'due', action: held.asked.id });
          else if (one.kind === 'ask')
            send(
              askCommand(asked(verdict, action({ agent: asAgentId('a0') })), {
                mayApprove: everybody(store.world.directory.people, everyNeed()),
              }),
            );
        }
        for (const id of store.cases.keys()) if (!askedIn.has(id)) askedIn.set(id, store.world.directory);
        if (one.kind === 'time') store.world.nowMs += one.ms;
        if (one.kind === 'directory') store.world.directory = one.directory;
        if (one.kind === 'policy') verdict = one.verdict;
        assert.ok(store.log.length >= logged, 'the log only grows');
      }
      for (const count of startsOf.values()) assert.equal(count, 1, 'no action runs twice');
      const started = store.log
        .filter((entry) => entry.type === 'execution.started')
        .map((entry) => entry.about.action);
      assert.equal(new Set(started).size, started.length, 'one execution.started an action');
    }),
    { numRuns: 3000 },
  );
  assert.ok(ran > 200, `the histories must reach executions to mean anything; ${ran} did`);
});

test('for random graphs of people, agents, owners and delegations no accepted set of reviewers meets the conflict set', () => {
  const delegate: fc.Arbitrary<Delegate> = fc.oneof(
    fc.constantFrom(...agentNames).map((id): Delegate => ({ kind: 'agent', id: asAgentId(id) })),
    fc.constantFrom(...peopleNames).map((id): Delegate => ({ kind: 'person', id: asPersonId(id) })),
  );
  const change = fc.record({
    what: fc.constantFrom('policy' as const, 'group' as const, 'agent' as const),
    id: fc.constantFrom(
      asPolicyId('r0'),
      asPolicyId('r1'),
      asGroupId('g0'),
      asGroupId('g1'),
      asAgentId('a0'),
      asAgentId('a1'),
    ),
    by: fc.constantFrom(...peopleNames).map(asPersonId),
    acceptedBy: fc.option(fc.constantFrom(...peopleNames).map(asPersonId)),
    atMs: fc.constantFrom(1_000_000, 1_000_000 - 8 * 86_400_000),
  });
  let accepted = 0;
  fc.assert(
    fc.property(
      organisation,
      needs,
      fc.record({
        startedBy: fc.option(fc.constantFrom(...peopleNames).map(asPersonId)),
        delegation: fc.array(delegate, { maxLength: 3 }),
        changes: fc.array(change, { maxLength: 3 }),
      }),
      (directory, requirements, { startedBy, delegation, changes }) => {
        const store = memory({ directory, changes });
        const one = asked(
          reviewed(...requirements),
          action({ agent: asAgentId('a0'), startedBy, delegation }),
        );
        store.change(askCommand(one, { mayApprove: everybody(directory.people, requirements) }));
        const ownersOf = (id: string): readonly PersonId[] =>
          directory.agents.find((agent) => agent.id === id)?.owners ?? [];
        const conflict = new Set<PersonId>([
          ...ownersOf('a0').slice(0, 1),
          ...(startedBy === null ? [] : [startedBy]),
          ...delegation.flatMap((link) => (link.kind === 'person' ? [link.id] : ownersOf(link.id))),
          ...changes
            .filter(
              (each) =>
                1_000_000 - each.atMs < 7 * 86_400_000 &&
                (each.acceptedBy === null || each.acceptedBy === each.by),
            )
            .filter((each) => {
              if (each.what === 'policy') return requirements.some((need) => need.id === each.id);
              if (each.what === 'group') return requirements.some((need) => need.approvers === each.id);
              return (
                each.id === 'a0' || delegation.some((link) => link.kind === 'agent' && link.id === each.id)
              );
            })
            .map((each) => each.by),
        ]);
        for (const name of peopleNames) {
          const held = store.cases.get(one.id);
          if (held?.approval == null) return; // nobody was left
          const proposed = {
            by: { kind: 'person', id: asPersonId(name) },
            decision: 'approve',
            digest: one.digest,
            reason: null,
            unsafe: false,
            channel: 'web',
            shownWhole: true,
          } as const;
          const again = {
            verdict: one.verdict,
            mayApprove: everybody(directory.people, requirements),
            targetHolds: true,
            mode: 'enforce' as const,
          };
          store.change({
            kind: 'review',
            approval: held.approval.id,
            proposed,
            again,
            expected: versions,
            limits: askLimitDefaults,
          });
        }
        const held = store.cases.get(one.id);
        assert.ok(held);
        for (const review of held.reviews)
          assert.ok(!conflict.has(review.person), `${review.person} is in the conflict set`);
        assert.equal(
          stateOf(held, store.world.nowMs),
          'ready',
          'an approval opens only where enough people are left, and then they suffice',
        );
        accepted += 1;
      },
    ),
    { numRuns: 3000 },
  );
  assert.ok(accepted > 50, `some must be approved to mean anything; ${accepted} were`);
});
