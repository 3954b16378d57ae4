/** What an operator does with a report: the one or two sentences at its end. Pure; names are escaped for any screen. */
import { denialsIn, type OperationReport, type Report } from './report.ts';
import { visibleLine } from './visible.ts';

/** Longest name in a sentence; the report itself has it whole. */
const nameCharsMax = 60;
/** Names in one sentence. */
const namesMax = 3;

const shown = (name: string): string => {
  const line = visibleLine(name);
  return line.length > nameCharsMax ? `${line.slice(0, nameCharsMax - 1)}…` : line;
};

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

/**
 * What to do next: at least one sentence.
 * @param latestSince RFC 3339: the first action that the latest of several policy sets judged; null where one judged all.
 */
export function adviceOf(report: Report, latestSince: string | null = null): readonly string[] {
  const { total } = report;
  if (total.actions === 0) return ['Nothing was asked for in this time. Let agents work, then look again.'];
  const advice = [unpermitted(report), burden(report), unanswered(report), quiet(report)];
  const given = [
    ...(latestSince === null
      ? []
      : [
          `Policies changed in this time, and each action counts as they were then. Only by the latest ones: --from ${latestSince}`,
        ]),
    ...advice.filter((one) => one !== undefined).slice(0, 2),
  ];
  return given.length > 0 ? given : ['Nothing stands out. Look again when agents do other work.'];
}

/** What nothing permits is most often a policy that was not written yet. */
function unpermitted({ operations, total }: Report): string | undefined {
  const many = (one: Pick<OperationReport, 'denied' | 'wouldDeny'>): number =>
    (one.denied.no_permit ?? 0) + (one.wouldDeny.no_permit ?? 0);
  const all = many(total);
  if (all === 0) return undefined;
  const most = operations
    .filter((one) => many(one) > 0)
    .toSorted((a, b) => many(b) - many(a))
    .slice(0, namesMax)
    .map((one) => (one.operation === null ? 'others' : `${shown(one.operation)} (${times(many(one))})`));
  const observed = (total.wouldDeny.no_permit ?? 0) === all;
  return `No policy permits ${most.join(', ')}: ${observed ? 'enforced, that would be denied' : 'that was or would be denied'}. Write a permit where agents should do this.`;
}

/** Which policy asks people most, and whom. */
function burden({ total, policies, people, operations }: Report): string | undefined {
  const asked = total.asked + total.wouldAsk;
  const [policy] = policies;
  const [person] = people;
  if (policy === undefined || policy.asked === 0 || asked === 0) return undefined;
  const part = Math.round((100 * policy.asked) / asked);
  const would = total.asked === 0 ? 'would ask' : total.wouldAsk === 0 ? 'asked' : 'asked or would ask';
  const load =
    person === undefined
      ? ''
      : `; ${shown(person.person)} ${total.asked === 0 ? 'would get' : 'got'} up to ${person.busiest.asked} on one day`;
  // Where it costs least: what is learned there is cheap.
  const where = operations
    .filter((one) => one.wouldAsk > 0)
    .toSorted((a, b) => a.wouldAsk - b.wouldAsk)[0]?.operation;
  const then =
    total.wouldAsk === 0
      ? 'If that is too much, narrow it.'
      : `Narrow it, or set mode: enforce${where == null ? '' : `, beginning with ${shown(where)}`}.`;
  return `The policy ${shown(policy.policy)} (${shown(policy.title)}) ${would} people most: ${times(policy.asked)}, ${part} % of all${load}. ${then}`;
}

/** A quarter of what people are asked and do not answer is asked of too few, or of the wrong ones. */
const unansweredPart = 0.25;

function unanswered({ total }: Report): string | undefined {
  const { asked, ends } = total;
  return asked > 0 && ends.expired / asked > unansweredPart
    ? `${ends.expired} of ${asked} approvals expired without an answer: add approvers, or an @escalate to others.`
    : undefined;
}

/** Nothing that was observed would have been held or denied. */
function quiet({ total }: Report): string | undefined {
  return total.observed > 0 && total.wouldAsk === 0 && denialsIn(total.wouldDeny) === 0
    ? 'Nothing that was observed would have been held or denied: set mode: enforce.'
    : undefined;
}
