/**
 * Policies: what differs between two sets, and what becomes of the accepted one at once.
 *
 * Promises of the tightened set, with the same people, tools and settings: an action that it allows, the accepted set allowed;
 * one that it holds for people, the accepted set allowed or held for no more than these. So nothing is taken away but by a
 * permit that ends in `when { false }`: whatever could not be evaluated, or did not fit a tool, still does not.
 */
import { splitOperation } from '../action.ts';
import type { AcceptedServers, Difference, PolicyDecision, PolicyItem } from '../config-change.ts';
import { withdrawnEnd } from '../config-change.ts';
import type { Requirement } from '../verdict.ts';
import { keyed, listWords } from './words.ts';

export interface PolicyChange {
  readonly differences: readonly Difference[];
  readonly decision: PolicyDecision;
  /** The tightened set, accepted ones first. */
  readonly items: readonly PolicyItem[];
}

type Act = 'keep' | 'withdraw' | 'replace';

/** Compares two sets. `servers`: what is accepted, which decides what operations there are. */
export function policyChange(
  accepted: readonly PolicyItem[],
  found: readonly PolicyItem[],
  servers: AcceptedServers,
): PolicyChange {
  const [before, after] = [keyed(accepted, ({ id }) => id), keyed(found, ({ id }) => id)];
  const news = found.filter(({ id }) => !before.has(id));
  const differences: Difference[] = [];
  const acts = new Map<string, Act>();
  for (const one of accepted) {
    const now = after.get(one.id);
    if (now !== undefined && isSame(one, now)) continue;
    const [act, told] = now === undefined ? goes(one, news) : changes(one, now);
    acts.set(one.id, act);
    differences.push(told);
  }
  const isKnown = knownOperations(accepted, servers);
  const add: PolicyItem[] = [];
  for (const one of news) {
    const tightens = one.effect === 'forbid' && (one.actions ?? []).every(isKnown) && !hides(one);
    if (tightens) add.push(one);
    differences.push(difference(null, one, tightens, `adds ${words(one)}`));
  }
  const acted = (act: Act): readonly string[] =>
    accepted.map(({ id }) => id).filter((id) => acts.get(id) === act);
  const decision = { withdraw: acted('withdraw'), replace: acted('replace'), add: add.map(({ id }) => id) };
  const kept = accepted.map((one) => {
    const act = acts.get(one.id);
    if (act === 'withdraw') return withdrawn(one);
    return act === 'replace' ? { ...(after.get(one.id) ?? one), file: one.file } : one;
  });
  return { differences, decision, items: [...kept, ...add] };
}

/** A permit that permits nothing more; itself where it does not already. */
export const withdrawn = (item: PolicyItem): PolicyItem =>
  item.withdrawn ? item : { ...item, text: `${item.text}${withdrawnEnd}`, withdrawn: true };

/** Where it stands, and how it is laid out, says nothing. */
const isSame = (a: PolicyItem, b: PolicyItem): boolean =>
  sameBody(a, b) && a.withdrawn === b.withdrawn && sameAnnotations(a, b, []);

const sameBody = (a: PolicyItem, b: PolicyItem): boolean => a.effect === b.effect && a.body === b.body;

function sameAnnotations(a: PolicyItem, b: PolicyItem, apart: readonly string[]): boolean {
  const names = new Set([...Object.keys(a.annotations), ...Object.keys(b.annotations)]);
  return [...names].every((name) => apart.includes(name) || valueOf(a, name) === valueOf(b, name));
}

const valueOf = ({ annotations }: PolicyItem, name: string): string | undefined =>
  Object.hasOwn(annotations, name) ? annotations[name] : undefined;

function goes(one: PolicyItem, news: readonly PolicyItem[]): readonly [Act, Difference] {
  if (one.effect === 'forbid') return ['keep', difference(one, null, false, `removes ${words(one)}`)];
  if (one.withdrawn)
    return ['keep', difference(one, null, true, `removes ${words(one)}, which permits nothing any more`)];
  // Another name for the same permit is no deletion: agents would be without it until somebody accepts the new name.
  const again = news.find((other) => sameBody(one, other) && one.withdrawn === other.withdrawn);
  return again === undefined
    ? ['withdraw', difference(one, null, true, `removes ${words(one)}`)]
    : ['keep', difference(one, null, false, `removes ${words(one)}, which comes again as ${again.id}`)];
}

/** Annotations that may ask for more and leave everything else as it was. */
const strictness = ['quorum', 'step_up', 'reason', 'channels'];

function changes(one: PolicyItem, now: PolicyItem): readonly [Act, Difference] {
  const kept = sameBody(one, now);
  if (kept && one.withdrawn !== now.withdrawn && sameAnnotations(one, now, []))
    return now.withdrawn
      ? ['withdraw', difference(one, now, true, `lets ${words(one)} permit nothing more`)]
      : ['keep', difference(one, now, false, `lets ${words(now)} permit again`)];
  const [before, after] = [one.requirement, now.requirement];
  if (kept && one.withdrawn === now.withdrawn && before !== null && after !== null) {
    const said = [
      ...termWords(before, after),
      ...(sameAnnotations(one, now, terms) ? [] : ['its annotations']),
    ];
    const tightens = sameAnnotations(one, now, strictness) && asksNoLess(before, after);
    const text = `changes ${words(one)}: ${listWords(said, 'nothing that counts')}`;
    return [tightens ? 'replace' : 'keep', difference(one, now, tightens, text)];
  }
  const text = kept
    ? `changes what is said of ${words(one)}`
    : one.effect === now.effect
      ? `changes the text of ${words(one)}`
      : `makes ${words(one)} a ${now.effect}`;
  return ['keep', difference(one, now, false, text)];
}

/** More people, stronger proof, fewer channels, or as before; all else of the two is compared elsewhere. */
const asksNoLess = (before: Requirement, after: Requirement): boolean =>
  after.quorum >= before.quorum &&
  (before.stepUp === null || after.stepUp === before.stepUp) &&
  (!before.reasonRequired || after.reasonRequired) &&
  (before.channels === null || after.channels?.every((one) => before.channels?.includes(one)) === true);

/** Annotations that `termWords` tells of. */
const terms = ['approvers', ...strictness, 'ttl', 'grant', 'escalate'];

function termWords(before: Requirement, after: Requirement): readonly string[] {
  const of = (name: string, say: (one: Requirement) => string): readonly string[] =>
    say(before) === say(after) ? [] : [`${name} from ${say(before)} to ${say(after)}`];
  return [
    ...of('approvers', (one) => one.approvers),
    ...of('quorum', (one) => String(one.quorum)),
    ...of('proof', (one) => one.stepUp ?? 'none'),
    ...of('a reason', (one) => (one.reasonRequired ? 'required' : 'free')),
    ...of('channels', (one) => one.channels?.join(' ') ?? 'all'),
    ...of('time to answer', (one) => `${one.ttlMs / 60_000} min`),
    ...of('time to run', (one) => `${one.grantMs / 60_000} min`),
    ...of('escalation', ({ escalate }) =>
      escalate === null ? 'none' : `${escalate.group} after ${escalate.afterMs / 60_000} min`,
    ),
  ];
}

/** `the forbid export.customers, which 2 of data-owners can lift`. */
function words({ effect, id, requirement }: PolicyItem): string {
  const lifted =
    requirement === null ? '' : `, which ${requirement.quorum} of ${requirement.approvers} can lift`;
  return `the ${effect} ${id}${lifted}`;
}

/**
 * Operations that are there whatever a new policy names. A name in a policy's scope that nothing else declares becomes an
 * operation by that, which a permit for all then allows: so a forbid on such a name does not only tighten.
 */
function knownOperations(
  accepted: readonly PolicyItem[],
  { servers, operations }: AcceptedServers,
): (action: string) => boolean {
  const names = new Set([
    ...accepted.flatMap(({ actions }) => actions ?? []).map(asked),
    ...operations.map(({ operation }) => operation),
  ]);
  const targets = new Set(servers.map(({ name }) => name));
  return (action) => {
    const parts = splitOperation(asked(action));
    // What is no operation's name declares none: "approve".
    return parts === undefined || names.has(asked(action)) || targets.has(parts.target);
  };
}

/** A forbid on what people read could hide what goes on from those who watch it. Stopping is narrowed by no policy. */
const hides = ({ actions }: PolicyItem): boolean =>
  actions?.some((action) => splitOperation(action) === undefined && action.startsWith('read')) === true;

const questionEnd = ':input';
/** The operation whose question an action is, or the action itself. */
const asked = (action: string): string =>
  action.endsWith(questionEnd) ? action.slice(0, -questionEnd.length) : action;

function difference(
  before: PolicyItem | null,
  after: PolicyItem | null,
  tightens: boolean,
  says: string,
): Difference {
  const id = before?.id ?? after?.id ?? '';
  return {
    what: 'policy',
    id,
    before: before === null ? null : `${before.text};`,
    after: after === null ? null : `${after.text};`,
    tightens,
    says,
    touches: [{ what: 'policy', id }],
  };
}
