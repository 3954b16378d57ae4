/**
 * Counterfactuals: which single change of a held or denied action would be allowed. Promises:
 *
 * - each was judged by the engine itself, with the change made (change.ts), and the answer was a plain allow; a sentence about a range
 *   of values is told only where no comparison of any policy of the action tells two values of that range apart (ranges.ts);
 * - they are for people: `toldAgent` has them only where every policy that determined the verdict says a bare `@tell_agent`, and
 *   then only those of values that no other policy compares: its thresholds are in the answer too;
 * - bounded in questions and in time; where a limit is reached, fewer are told.
 */
import type { JsonValue } from '../core/json.ts';
import { sameVersions, type Explanation, type Verdict } from '../core/verdict.ts';
import { asked, overlaps, placeKey, type Asked, type Membership, type Place, type Read } from './atoms.ts';
import { changed, isFrom, valueAt, type Change } from './change.ts';
import type { Evaluator } from './evaluator.ts';
import type { Condition } from './expression.ts';
import type { Field, InputType } from './input-type.ts';
import { judgeWith } from './judge.ts';
import { Memo } from './memo.ts';
import { nearestPermits } from './nearest.ts';
import { openToAgent, type Stated } from './open-to-agent.ts';
import { sceneFor, type Live, type Question } from './prepare.ts';
import { otherValues, type Spot } from './ranges.ts';
import { readsField } from './reads.ts';
import type { Slice } from './slice.ts';
import type { Scene } from './interpret.ts';
import { changeWords, memberWords } from './would-allow.ts';

/** Judgements of one explanation. */
const judgementsMax = 40;
/** Counterfactuals that are told. */
const toldMax = 5;

/** What is explained, and for whom. */
export interface Explaining {
  readonly verdict: Verdict;
  /** Also what only an operator can change: the groups of the agent. */
  readonly forOperators: boolean;
  /** No further judgement begins after this long. */
  readonly msMax: number;
}

/** The verdict with its counterfactuals; the same where there is nothing to tell. */
export function explained(
  live: Live,
  evaluator: Evaluator,
  question: Question,
  { verdict, forOperators, msMax }: Explaining,
): Verdict {
  if (verdict.effect === 'allow' || !sameVersions(verdict.versions, live.versions)) return verdict;
  if (verdict.effect === 'deny' && verdict.code !== 'forbidden' && verdict.code !== 'no_permit')
    return verdict;
  const scened = sceneFor(live, question);
  if (scened === null) return verdict;
  const endMs = performance.now() + msMax;
  let left = judgementsMax;
  // What is only tried makes no room in the memo of what is asked.
  const trial = { ...live, memo: new Memo() };
  const allows = (change: Change): boolean => {
    const next = changed(live, question, change);
    if (next === null || left === 0 || performance.now() > endMs) return false;
    left -= 1;
    return judgeWith(trial, evaluator, next).effect === 'allow';
  };
  const search: Search = { live, question, ...scened, allows, forOperators };
  if (verdict.effect === 'deny' && verdict.code === 'no_permit') {
    const { agent } = question.action;
    const nearest = nearestPermits(scened.slice.statements.values(), scened.scene, { agent });
    const conditions = nearest.flatMap((one) => one.conditions);
    const explanation: Explanation = {
      ...verdict.explanation,
      text: [verdict.explanation.text, ...nearest.map((one) => one.text)].join(' '),
      clauses: [...verdict.explanation.clauses, ...nearest.flatMap((one) => one.clauses)],
      wouldAllow: wordsOf(told(conditions, search)),
    };
    return { ...verdict, explanation };
  }
  const { policies } = verdict.explanation;
  const determining = policies.flatMap(({ id }) => scened.slice.statements.get(id) ?? []);
  const found = told(
    determining.flatMap((statement) => [...statement.head, ...statement.conditions]),
    search,
  );
  const tells = determining.length > 0 && determining.every((statement) => statement.tellAgent === true);
  const { sum } = live.profiles[question.action.operation] ?? {};
  const forAgent = tells ? wordsOf(openToAgent(found, scened, sum)) : [];
  return {
    ...verdict,
    explanation: { ...verdict.explanation, wouldAllow: wordsOf(found) },
    toldAgent:
      forAgent.length > 0
        ? `${verdict.toldAgent} It would be allowed ${forAgent.join(', or ')}.`
        : verdict.toldAgent,
  };
}

interface Search {
  readonly live: Live;
  readonly question: Question;
  readonly slice: Slice;
  readonly scene: Scene;
  readonly allows: (change: Change) => boolean;
  readonly forOperators: boolean;
}

const wordsOf = (found: readonly Stated[]): readonly string[] =>
  [...new Set(found.map((one) => one.words))].slice(0, toldMax);

/** What would allow it, of all that these conditions read. */
function told(conditions: readonly Condition[], search: Search): readonly Stated[] {
  const { live, slice, scene } = search;
  const mine = asked(conditions, scene);
  const all = asked(
    [...slice.statements.values()].flatMap((statement) => [...statement.head, ...statement.conditions]),
    scene,
  );
  const found: Stated[] = [];
  for (const [key, { place }] of mine.reads) {
    const spot = spotOf(all.reads.get(key) ?? { place, atoms: [], opaque: true }, all, search);
    if (spot === null) continue;
    const others = otherValues(spot, (value) => search.allows({ kind: 'value', place, value }));
    found.push(...others.map((one) => ({ words: changeWords(place, one, live.zone.zone), place })));
  }
  for (const membership of mine.memberships)
    found.push(...memberships(membership, search).map((words) => ({ words, place: null })));
  return found;
}

function memberships(of: Membership, { question, allows, forOperators }: Search): readonly string[] {
  if (of.who === 'principal' && (of.group.type !== 'Group' || !forOperators)) return [];
  const { agent, resource } = question.action;
  const name = of.who === 'principal' ? agent : `${resource.type}::${JSON.stringify(resource.id)}`;
  return [true, false]
    .filter((isIn) => allows({ kind: 'member', of, isIn }))
    .map((isIn) => memberWords(name, of, isIn));
}

const longest = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER } as const;
const localDomains: Readonly<Record<string, Spot['domain']>> = {
  weekday: { from: 1, to: 7 },
  hour: { from: 0, to: 23 },
  minute: { from: 0, to: 59 },
};
/** Until the end of the year 9999, which RFC 3339 can write. */
const timeDomain = { from: 0, to: 253_402_300_799_999 } as const;

/** What is known of a place; null for one that nothing can be said of. */
function spotOf(read: Read, all: Asked, { live, question, slice }: Search): Spot | null {
  const { place } = read;
  const now = valueAt(live, question, place);
  const spot = { read: alone(read, all), now, isOptional: false, domain: longest, more: [] };
  switch (place.root) {
    case 'input':
      return inputSpot(spot, all, { live, question, slice });
    case 'recent':
      return { ...spot, type: 'long', domain: { from: place.names[2] === 'count' ? 1 : 0, to: longest.to } };
    case 'system': {
      const [what = '', part = ''] = place.names;
      const domain = what === 'now' ? timeDomain : localDomains[part];
      if (domain === undefined) return null;
      // Another hour is another time as well: what reads both is told of single times only.
      const other = what === 'now' ? 'local' : 'now';
      const opaque = spot.read.opaque || readsField(slice.reads.system, other);
      return { ...spot, read: { ...spot.read, opaque }, type: 'long', domain };
    }
    case 'resource': {
      const type = typeOfJson(now);
      return type === null ? null : { ...spot, type };
    }
    case 'principal':
      return null;
  }
}

/** Opaque too where another place that policies read holds it, or is held by it. */
function alone(read: Read, all: Asked): Read {
  const others = [...all.reads.values()].filter(
    (other) =>
      placeKey(other.place) !== placeKey(read.place) &&
      overlaps(other.place, read.place) &&
      (other.opaque || other.atoms.some((atom) => atom.kind !== 'present')),
  );
  return others.length === 0 ? read : { ...read, opaque: true };
}

const typeOfJson = (value: JsonValue | undefined): Spot['type'] | null => {
  if (typeof value === 'number') return 'long';
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return 'set';
  return typeof value === 'string' ? 'string' : null;
};

function inputSpot(
  spot: Omit<Spot, 'type'>,
  all: Asked,
  { live, question, slice }: Pick<Search, 'live' | 'question' | 'slice'>,
): Spot | null {
  const { place } = spot.read;
  const field = fieldAt(slice, place);
  if (field === null) return null;
  const { type, isOptional } = field;
  if (type.kind === 'record' || type.kind === 'opaque') return null;
  const { resource, sum } = live.profiles[question.action.operation] ?? {};
  const opaque = spot.read.opaque || isFrom(resource?.id, place.names);
  const counted = isFrom(sum, place.names) ? countedAt(spot.now, all, question) : null;
  return {
    ...spot,
    read: { ...spot.read, opaque: opaque || counted?.opaque === true },
    type: type.kind,
    isOptional,
    more: counted?.marks ?? [],
  };
}

function fieldAt(
  slice: Slice,
  { names }: Place,
): { readonly type: InputType; readonly isOptional: boolean } | null {
  let here: InputType = slice.input;
  let isOptional = false;
  for (const name of names) {
    const field: Field | undefined = here.kind === 'record' ? here.fields.get(name) : undefined;
    if (field === undefined) return null;
    here = field.type;
    isOptional = !field.required;
  }
  return { type: here, isOptional };
}

/** Where the verdict may change because this field is added up: each sum that is compared, less what others have added. */
function countedAt(
  now: JsonValue | undefined,
  all: Asked,
  question: Question,
): { readonly marks: readonly number[]; readonly opaque: boolean } | null {
  const sums = [...all.reads.values()].filter(
    ({ place }) => place.root === 'recent' && place.names[2] !== 'count',
  );
  if (sums.length === 0) return null;
  // What is no amount is counted by nobody, and denied.
  const marks = [0];
  let opaque = typeof now !== 'number';
  for (const { place, atoms, opaque: isOpaque } of sums) {
    opaque ||= isOpaque;
    const sum = sumAt(question, place);
    for (const atom of atoms) {
      const value = atom.kind === 'compare' && atom.value.kind === 'long' ? Number(atom.value.value) : null;
      if (value === null || sum === null || typeof now !== 'number') opaque = true;
      else marks.push(value - (sum - now));
    }
  }
  return { marks, opaque };
}

function sumAt({ recent }: Question, { names: [scope, window, part] }: Place): number | null {
  if (recent === null || part !== 'sum') return null;
  if (scope !== 'agent' && scope !== 'owner' && scope !== 'operation') return null;
  if (window !== 'hour' && window !== 'day' && window !== 'ever') return null;
  return recent[scope][window].sum;
}
