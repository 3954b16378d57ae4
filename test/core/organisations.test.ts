/**
 * Ten thousand random organisations live through a random history of asking, reviewing, leaving, joining, changing and going
 * away, by the real steps. Whatever was approved or run is judged again by an oracle that is written anew, by brute force,
 * from the words of docs/rules.md, and shares nothing with what it checks.
 *
 * A failure names its seed: `COUNTERSIGN_SEED=… COUNTERSIGN_ORGANISATIONS=1` lives through that one alone.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stateOf, type Case, type Review } from '../../src/core/case.ts';
import type { Delegation } from '../../src/core/delegation.ts';
import type { Change, Directory } from '../../src/core/directory.ts';
import {
  asAgentId,
  asDelegationId,
  asDigest,
  asGroupId,
  asPersonId,
  type PersonId,
} from '../../src/core/ids.ts';
import { askLimitDefaults } from '../../src/core/stops.ts';
import type { Requirement } from '../../src/core/verdict.ts';
import {
  action,
  askCommand,
  asked,
  executionId,
  memory,
  requirement,
  reviewed,
  versions,
} from '../support/world.ts';

const organisations = Number(process.env['COUNTERSIGN_ORGANISATIONS'] ?? 10_000);
const firstSeed = Number(process.env['COUNTERSIGN_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

const dayMs = 24 * 3_600_000;
const groups = ['g0', 'g1', 'g2'].map(asGroupId);
const agents = ['a0', 'a1', 'a2'].map(asAgentId);
const names = Array.from({ length: 10 }, (_, at) => asPersonId(`p${at}`));

/** A small generator of numbers (mulberry32): the same seed, the same organisation. */
class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }
  /** From 0 to below `n`. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  odds(of: number): boolean {
    return this.next() < of;
  }
  pick<T>(from: readonly T[]): T {
    const found = from[this.below(from.length)];
    assert.ok(found !== undefined);
    return found;
  }
  some<T>(from: readonly T[], odds: number): T[] {
    return from.filter(() => this.odds(odds));
  }
  times<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }
}

type Store = ReturnType<typeof memory>;
/** Who is kept by a policy from approving what: person and requirement. */
type Kept = ReadonlySet<string>;
const kept = (person: string, need: string): string => `${person} ${need}`;

/** The world at one moment, as the oracle reads it. */
interface Moment {
  readonly directory: Directory;
  readonly changes: readonly Change[];
  readonly delegations: readonly Delegation[];
  readonly nowMs: number;
  readonly kept: Kept;
}

const personOf = (dice: Dice, id: PersonId, nowMs: number): Directory['people'][number] => ({
  id,
  name: id,
  groups: dice.some(groups, 0.5),
  ...(dice.odds(0.06) ? { active: false as const } : {}),
  ...(dice.odds(0.2)
    ? { fresh: [{ group: dice.pick(groups), countsFromMs: nowMs + (dice.odds(0.5) ? 3_600_000 : -1) }] }
    : {}),
});

const ownersOf = (dice: Dice, people: readonly PersonId[]): PersonId[] => [
  dice.pick(people),
  ...dice.some(people, 0.15),
];

function organisationOf(dice: Dice, nowMs: number): Directory {
  const ids = names.slice(0, 2 + dice.below(names.length - 1));
  return {
    people: ids.map((id) => personOf(dice, id, nowMs)),
    agents: agents.map((id) => ({ id, owners: [...new Set(ownersOf(dice, ids))], groups: [] })),
    roles: { operators: dice.odds(0.5) ? dice.pick(groups) : null, auditors: null },
  };
}

const changeOf = (dice: Dice, people: readonly PersonId[], nowMs: number): Change => {
  const what = dice.pick(['policy', 'group', 'agent', 'tool'] as const);
  const id = {
    policy: dice.pick(['r0', 'r1', 'r2']),
    group: dice.pick(groups),
    agent: dice.pick(agents),
    tool: dice.pick(['crm___export_rows', 'crm___other']),
  }[what];
  const by = dice.pick(people);
  const acceptedBy = dice.odds(0.3) ? dice.pick(people) : null;
  return { what, id, by, acceptedBy, atMs: nowMs - Math.floor(dice.next() * 9 * dayMs) };
};

let serial = 0;
const delegationOf = (dice: Dice, people: readonly PersonId[], nowMs: number): Delegation => {
  const fromMs = nowMs + Math.floor((dice.next() - 0.85) * dayMs);
  return {
    id: asDelegationId(`dlg_${(serial += 1)}`),
    // Often the same few, so that several stand in for one.
    from: dice.pick(people.slice(0, 3)),
    to: dice.pick(people),
    atMs: fromMs,
    fromMs,
    untilMs: fromMs + Math.floor(dice.next() * 4 * dayMs),
    endedAtMs: dice.odds(0.1) ? nowMs : null,
  };
};

const needsOf = (dice: Dice): Requirement[] =>
  ['r0', 'r1', 'r2'].slice(0, 1 + dice.below(3)).map((id) =>
    requirement(id, dice.pick(groups), {
      quorum: 1 + (dice.odds(0.25) ? dice.below(3) : 0),
      escalate: dice.odds(0.2) ? { afterMs: 1000, group: dice.pick(groups) } : null,
    }),
  );

// ---- the oracle -------------------------------------------------------------------------------------------------------------

const active = (at: Moment, person: PersonId): boolean =>
  at.directory.people.some((one) => one.id === person && one.active !== false);

const inGroup = (at: Moment, person: PersonId, group: string): boolean =>
  at.directory.people.some(
    (one) =>
      one.id === person &&
      one.groups.some((each) => each === group) &&
      !(one.fresh ?? []).some((each) => each.group === group && each.countsFromMs > at.nowMs),
  );

/** Everybody who is tied to the action at a moment, by each sentence of the rule. */
function tiedAt(at: Moment, { asked: { action: what } }: Case, needs: readonly Requirement[]): Set<PersonId> {
  const tied = new Set<PersonId>();
  const agentNamed = (id: string) => at.directory.agents.find((one) => one.id === id);
  const accountable = agentNamed(what.agent)?.owners[0];
  if (accountable !== undefined) tied.add(accountable);
  if (what.startedBy !== null) tied.add(what.startedBy);
  for (const link of what.delegation) {
    if (link.kind === 'person') tied.add(link.id);
    if (link.kind === 'agent') for (const owner of agentNamed(link.id)?.owners ?? []) tied.add(owner);
  }
  const chained = [
    what.agent as string,
    ...what.delegation.filter((one) => one.kind === 'agent').map((one) => one.id as string),
  ];
  const groupsAsked = needs.flatMap((one) => [
    one.approvers as string,
    ...(one.escalate === null ? [] : [one.escalate.group as string]),
  ]);
  const touched: Record<Change['what'], readonly string[]> = {
    policy: needs.map((one) => one.id as string),
    group: groupsAsked,
    agent: chained,
    tool: [what.operation],
  };
  for (const change of at.changes) {
    const young = at.nowMs - change.atMs < 7 * dayMs;
    const alone = change.acceptedBy === null || change.acceptedBy === change.by;
    if (young && alone && touched[change.what].includes(change.id)) tied.add(change.by);
  }
  return tied;
}

interface Place {
  readonly serves: readonly Requirement[];
}

/** The places of all requirements: those of the same approvers share theirs. */
function placesOf(needs: readonly Requirement[]): Place[] {
  const places: Place[] = [];
  for (const group of new Set(needs.map((one) => one.approvers))) {
    const same = needs.filter((one) => one.approvers === group);
    for (let nth = 1; same.some((one) => one.quorum >= nth); nth += 1)
      places.push({ serves: same.filter((one) => one.quorum >= nth) });
  }
  return places;
}

/** What is true of one case then and now. */
class Oracle {
  readonly #held: Case;
  readonly #needs: readonly Requirement[];
  readonly #then: Moment;
  readonly #now: Moment;
  readonly tied: ReadonlySet<PersonId>;

  constructor(held: Case, needs: readonly Requirement[], then: Moment, now: Moment) {
    this.#held = held;
    this.#needs = needs;
    this.#then = then;
    this.#now = now;
    this.tied = new Set([...tiedAt(then, held, needs), ...tiedAt(now, held, needs)]);
  }

  #fitsAt(at: Moment, person: PersonId, need: Requirement): boolean {
    const member =
      inGroup(at, person, need.approvers) ||
      (need.escalate !== null && inGroup(at, person, need.escalate.group));
    return active(at, person) && member && !at.kept.has(kept(person, need.id));
  }

  /** In their own right. */
  fits(person: PersonId, need: Requirement): boolean {
    return (
      !this.tied.has(person) &&
      this.#fitsAt(this.#then, person, need) &&
      this.#fitsAt(this.#now, person, need)
    );
  }

  standsIn(to: PersonId, from: PersonId): boolean {
    const { delegations, nowMs } = this.#now;
    return (
      to !== from &&
      active(this.#now, to) &&
      active(this.#now, from) &&
      delegations.some(
        (one) =>
          one.to === to &&
          one.from === from &&
          one.endedAtMs === null &&
          one.fromMs <= nowMs &&
          nowMs < one.untilMs,
      )
    );
  }

  /** As themself, or for somebody who is away. */
  mayTake(person: PersonId, voice: PersonId, place: Place): boolean {
    return place.serves.every((need) =>
      person === voice
        ? this.fits(person, need)
        : this.standsIn(person, voice) &&
          this.fits(voice, need) &&
          !this.tied.has(person) &&
          !this.#now.kept.has(kept(person, need.id)),
    );
  }

  apart(a: Spoken, b: Spoken): boolean {
    return (
      a.person !== b.person &&
      a.voice !== b.voice &&
      !this.standsIn(a.person, b.person) &&
      !this.standsIn(b.person, a.person)
    );
  }

  /** Whether each place can have a speaker of its own, no two of whom are one. Tries everything. */
  seats(speakers: readonly Spoken[]): boolean {
    const places = placesOf(this.#needs);
    const seat = (at: number, sitting: readonly Spoken[]): boolean => {
      const place = places[at];
      if (place === undefined) return true;
      return speakers.some(
        (one) =>
          this.mayTake(one.person, one.voice, place) &&
          sitting.every((other) => this.apart(one, other)) &&
          seat(at + 1, [...sitting, one]),
      );
    };
    return seat(0, []);
  }

  /** Whether the recorded approvals are what the requirements want. */
  accepted(): boolean {
    return this.seats(this.#held.reviews.filter((one) => one.decision === 'approve').map(spokenOf));
  }
}

interface Spoken {
  readonly person: PersonId;
  readonly voice: PersonId;
}
const spokenOf = (review: Review): Spoken => ({
  person: review.person,
  voice: review.standingInFor ?? review.person,
});

// ---- a life -----------------------------------------------------------------------------------------------------------------

const counts = {
  nobodyLeft: 0,
  approved: 0,
  ran: 0,
  lost: 0,
  stoodIn: 0,
  refused: new Map<string, number>(),
};

interface Life {
  readonly store: Store;
  readonly dice: Dice;
  readonly needs: readonly Requirement[];
  /** The world as it was asked in. */
  readonly asked: Moment;
  kept: Kept;
}

const momentOf = ({ store: { world } }: Pick<Life, 'store'>, keptNow: Kept): Moment => ({
  ...world,
  kept: keptNow,
});

const keptOf = (dice: Dice, people: readonly PersonId[]): Kept =>
  new Set(people.flatMap((one) => dice.some(['r0', 'r1', 'r2'], 0.05).map((need) => kept(one, need))));

const rowsOf = (life: Pick<Life, 'needs' | 'kept'>) =>
  names.map((person) => ({
    person,
    requirements: life.needs.map((one) => one.id).filter((need) => !life.kept.has(kept(person, need))),
  }));

function live(seed: number): void {
  const dice = new Dice(seed);
  const start = 1_000 * dayMs;
  const directory = organisationOf(dice, start);
  const people = directory.people.map((one) => one.id);
  const store = memory({ directory, changes: dice.times(3, () => changeOf(dice, people, start)) });
  store.world.nowMs = start;
  store.world.delegations = dice.times(5, () => delegationOf(dice, people, start));
  const needs = needsOf(dice);
  const first = keptOf(dice, people);
  const life: Life = { store, dice, needs, kept: first, asked: momentOf({ store }, first) };
  const held = askFor(life);
  if (held === undefined) return;
  const events = 3 + dice.below(16);
  for (let at = 0; at < events; at += 1) {
    happen(life, held);
    if (['denied', 'expired', 'started'].includes(stateOf(held(), store.world.nowMs))) break;
  }
}

/** Asks; undefined where it was denied because too few people are left, which the oracle must find too. */
function askFor(life: Life): (() => Case) | undefined {
  const { store, dice, needs, asked: then } = life;
  const people = then.directory.people.map((one) => one.id);
  const chain = dice.times(2, () =>
    dice.odds(0.5)
      ? ({ kind: 'person', id: dice.pick(people) } as const)
      : ({ kind: 'agent', id: dice.pick(agents) } as const),
  );
  const one = asked(
    reviewed(...needs),
    action({
      agent: dice.pick(agents),
      startedBy: dice.odds(0.4) ? dice.pick(people) : null,
      delegation: chain,
    }),
    { atMs: store.world.nowMs },
  );
  const answer = store.change(askCommand(one, { mayApprove: rowsOf(life) }));
  assert.ok(answer.ok && answer.value.kind === 'case');
  const found = answer.value.case;
  const oracle = new Oracle(found, needs, then, then);
  const enough = oracle.seats(
    people.map((person) => ({ person, voice: person })).filter(({ person }) => !oracle.tied.has(person)),
  );
  if (found.approval === null) {
    assert.equal(found.ending?.code, 'nobody_left');
    // Two who stand in for each other are counted as two here: either may end that before they answer.
    if (then.delegations.length === 0) assert.ok(!enough, 'enough people were left');
    counts.nobodyLeft += 1;
    return undefined;
  }
  if (then.delegations.length === 0) assert.ok(enough, 'people are asked in vain');
  return () => store.cases.get(one.id) ?? assert.fail('the case is gone');
}

function happen(life: Life, held: () => Case): void {
  const { dice, store } = life;
  const roll = dice.next();
  if (roll < 0.72) return reviewAs(life, held);
  if (roll < 0.82) return claimNow(life, held);
  const { world } = store;
  const people = world.directory.people.map((one) => one.id);
  if (roll < 0.88) {
    // Somebody joins or leaves groups, is deactivated or comes back.
    const who = dice.pick(people);
    const next = personOf(dice, who, world.nowMs);
    world.directory = {
      ...world.directory,
      people: world.directory.people.map((one) => (one.id === who ? next : one)),
    };
  } else if (roll < 0.9) {
    const agent = dice.pick(agents);
    world.directory = {
      ...world.directory,
      agents: world.directory.agents.map((one) =>
        one.id === agent ? { ...one, owners: [...new Set(ownersOf(dice, people))] } : one,
      ),
    };
  } else if (roll < 0.93) world.changes = [...world.changes, changeOf(dice, people, world.nowMs)];
  else if (roll < 0.96) world.delegations = [...world.delegations, delegationOf(dice, people, world.nowMs)];
  else if (roll < 0.97)
    world.delegations = world.delegations.map((one) => ({ ...one, endedAtMs: world.nowMs }));
  else if (roll < 0.98) life.kept = keptOf(dice, people);
  else world.nowMs += dice.pick([60_000, 3_600_000]);
}

function reviewAs(life: Life, held: () => Case): void {
  const { dice, store, needs } = life;
  const before = held();
  assert.ok(before.approval);
  const stranger = dice.odds(0.03);
  // Those who stand in are few, and the rules about them many.
  const standIns = store.world.delegations.map((one) => one.to);
  const known =
    dice.odds(0.35) && standIns.length > 0 ? standIns : store.world.directory.people.map((one) => one.id);
  const person = stranger ? asPersonId('nobody') : dice.pick(known);
  const by = dice.odds(0.05)
    ? ({ kind: 'agent', id: dice.pick(agents) } as const)
    : ({ kind: 'person', id: person } as const);
  const decision = dice.odds(0.02) ? 'deny' : 'approve';
  const digest = dice.odds(0.02) ? asDigest(`sha256:${'0'.repeat(64)}`) : before.asked.digest;
  const answer = store.change({
    kind: 'review',
    approval: before.approval.id,
    proposed: { by, decision, digest, reason: null, unsafe: false, channel: 'web', shownWhole: true },
    again: { verdict: reviewed(...needs), mayApprove: rowsOf(life), targetHolds: true, mode: 'enforce' },
    expected: versions,
    limits: askLimitDefaults,
  });
  const now = momentOf(life, life.kept);
  if (!answer.ok) {
    assert.ok(answer.error.kind === 'refused');
    const { code } = answer.error.refusal;
    counts.refused.set(code, (counts.refused.get(code) ?? 0) + 1);
    assert.deepEqual(held(), before, 'a refused review changes nothing');
    assert.equal(store.log.at(-1)?.type, 'review.refused');
    assert.equal(store.log.at(-1)?.data['code'], code);
    return;
  }
  if (decision === 'deny') return;
  assert.ok(by.kind === 'person', 'an agent reviewed');
  const after = held();
  const review = after.reviews.at(-1);
  assert.ok(review !== undefined && after.reviews.length === before.reviews.length + 1);
  assert.equal(review.person, person);
  assert.equal(
    new Set(after.reviews.map((one) => one.person)).size,
    after.reviews.length,
    'somebody reviewed twice',
  );
  const oracle = new Oracle(after, needs, life.asked, now);
  assert.ok(active(now, person), 'somebody inactive reviewed');
  assert.ok(!oracle.tied.has(person), `${person} is in the conflict set`);
  const { voice } = spokenOf(review);
  assert.ok(!oracle.tied.has(voice), `${voice}, for whom ${person} spoke, is in the conflict set`);
  assert.ok(
    placesOf(needs).some((place) =>
      place.serves.some((need) => oracle.mayTake(person, voice, { serves: [need] })),
    ),
    `${person} could fill no place for ${voice}`,
  );
  for (const other of before.reviews)
    assert.ok(
      !oracle.standsIn(person, other.person) && !oracle.standsIn(other.person, person),
      'two who are one reviewed',
    );
  if (voice !== person) counts.stoodIn += 1;
  if (after.grant !== null) {
    counts.approved += 1;
    assert.ok(oracle.accepted(), 'approved, and its people do not fill the places');
  } else if (now.delegations.length === 0)
    assert.ok(!oracle.accepted(), 'its people fill the places, and it is not approved');
}

function claimNow(life: Life, held: () => Case): void {
  const { store, needs } = life;
  const before = held();
  const wasReady = stateOf(before, store.world.nowMs) === 'ready';
  const answer = store.change({
    kind: 'claim',
    action: before.asked.id,
    agent: before.asked.action.agent,
    execution: executionId(`x${(serial += 1)}`),
    again: { verdict: reviewed(...needs), mayApprove: rowsOf(life), targetHolds: true, mode: 'enforce' },
    expected: versions,
    limits: askLimitDefaults,
  });
  const after = held();
  if (after.execution === null) {
    if (wasReady && answer.ok) counts.lost += 1;
    return;
  }
  assert.ok(wasReady, 'it ran without a grant');
  counts.ran += 1;
  const oracle = new Oracle(after, needs, life.asked, momentOf(life, life.kept));
  assert.ok(oracle.accepted(), 'it ran, and its people do not fill the places any more');
}

test(`no-self-approval: ${organisations} random organisations accept nobody in the conflict set, and nobody twice`, (t) => {
  t.diagnostic(`seeds ${firstSeed} to ${firstSeed + organisations - 1}`);
  for (let at = 0; at < organisations; at += 1) {
    try {
      live(firstSeed + at);
    } catch (error) {
      throw new Error(`the organisation of seed ${firstSeed + at}`, { cause: error });
    }
  }
  const { refused, ...rest } = counts;
  t.diagnostic(JSON.stringify({ ...rest, refused: Object.fromEntries(refused) }));
  if (organisations < 10_000) return;
  // The lives were such that the rules had something to refuse, and something to let pass.
  for (const [what, count, least] of [
    ['approved', counts.approved, 1000],
    ['ran', counts.ran, 300],
    ['approved and then no longer good enough', counts.lost, 10],
    ['nobody left', counts.nobodyLeft, 1000],
    ['stood in for', counts.stoodIn, 100],
    ...[
      'no_self_approval',
      'not_an_approver',
      'not_a_person',
      'already_reviewed',
      'digest_mismatch',
      'approval_closed',
    ].map((code) => [code, refused.get(code) ?? 0, 50] as const),
  ] as const)
    assert.ok(count >= least, `${what}: only ${count}`);
});
