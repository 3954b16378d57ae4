/** `policy explain`: the verdict on one action, and everything that people are told of why; as text or as JSON. */
import { askable, judgeable } from '../app/authorize.ts';
import type { Settings } from '../config.ts';
import { conflictSet } from '../core/conflict.ts';
import type { PersonId } from '../core/ids.ts';
import type { Recent } from '../core/recent.ts';
import { line, listed } from '../core/render/shown.ts';
import { Sheet } from '../core/render/text.ts';
import { isEligibleNow } from '../core/eligible.ts';
import { maskSecrets, maskText } from '../core/secrets.ts';
import { mayApproveOf } from '../core/steps/common.ts';
import { duration, rfc3339 } from '../core/time.ts';
import type { Requirement, Verdict } from '../core/verdict.ts';
import { createPolicyEngine } from '../policy/engine.ts';
import type { PolicyEngine } from '../ports/policy.ts';
import { Failure, UsageError, type Args } from './command.ts';
import { settingsOf } from './files.ts';
import type { Io } from './io.ts';
import { jsonText } from './json-text.ts';
import { countsOf, subjectOf, type Subject } from './policy-action.ts';
import { folderOf, problemLine, textsOf, withAccepted, worldOf, type Accepted } from './policy-world.ts';

/** Somebody waits at a terminal, and nothing else does. */
const explainMsMax = 5000;

/** One requirement, and who could meet it. */
interface Asked {
  readonly requirement: Requirement;
  readonly canApprove: readonly PersonId[];
  readonly cannotApprove: readonly { readonly person: PersonId; readonly why: string }[];
}

/** What is printed. */
interface Explained {
  readonly subject: Subject;
  readonly verdict: Verdict;
  readonly asked: readonly Asked[];
  readonly policies: readonly { readonly id: string; readonly place: string }[];
  readonly nowMs: number;
}

export async function explain(word: string, args: Args, io: Io): Promise<number> {
  const nowMs = timeOf(args.values['at']);
  const settings = await settingsOf(args, io, 'ignored');
  const folder = folderOf(args.values['files'], settings, io);
  const texts = await textsOf(folder);
  return withAccepted(settings, io, async (accepted) => {
    const subject = await subjectOf(word, settings, { store: accepted.store, io });
    const engine = createPolicyEngine({
      timezone: settings.timezone,
      explainMsMax,
      explainMsPerSecond: explainMsMax,
    });
    const world = worldOf(settings, accepted);
    const loaded = await engine.load(texts, world, null);
    if (!loaded.ok) {
      for (const one of loaded.error.filter((each) => each.severity === 'error'))
        io.say(problemLine(one, folder, io));
      throw new Failure('These policies are not usable: a gate with them would deny everything.');
    }
    const recent = engine.readsRecent(subject.action.operation)
      ? await countsOf(subject, accepted.store, { directory: world.directory, nowMs })
      : null;
    const explained: Explained = {
      subject,
      ...judged(engine, subject, recent, nowMs),
      asked: [],
      policies: engine.policies().map(({ id, file, line: at }) => ({ id, place: `${file}:${at}` })),
      nowMs,
    };
    const asked = askedOf(engine, explained, settings, accepted);
    if (args.switches.has('json')) io.out(jsonText(asJson({ ...explained, asked })));
    else io.out(asText({ ...explained, asked }, io).trimEnd());
    return 0;
  });
}

/** A time as it was typed; now where none was. */
function timeOf(typed: string | undefined): number {
  if (typed === undefined) return Date.now();
  const ms = Date.parse(typed);
  if (
    Number.isNaN(ms) ||
    !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/.test(typed)
  )
    throw new UsageError(`--at ${typed} is no time with its zone, such as 2026-11-22T09:00:00Z.`);
  return ms;
}

function judged(
  engine: PolicyEngine,
  { action }: Subject,
  recent: Recent | null,
  nowMs: number,
): { readonly verdict: Verdict } {
  const verdict = engine.judge(judgeable(action), nowMs, recent);
  // Whoever can read the configuration may know which group would help.
  return { verdict: engine.explain(judgeable(action), nowMs, verdict, true) };
}

/** Who could approve today, requirement by requirement. */
function askedOf(
  engine: PolicyEngine,
  { subject: { action }, verdict, nowMs }: Explained,
  settings: Settings,
  { changes }: Accepted,
): readonly Asked[] {
  if (verdict.effect !== 'review') return [];
  const { requirements } = verdict;
  const { directory } = settings.proposal;
  const people = askable(directory, requirements);
  const conflict = new Map(
    conflictSet(action, requirements, { directory, changes, nowMs }).map(({ person, why }) => [person, why]),
  );
  const mayApprove = mayApproveOf(engine.mayApprove(judgeable(action), requirements, people, nowMs));
  return requirements.map((requirement) => {
    const members = askable(directory, [requirement]);
    const why = (person: PersonId): string | null =>
      conflict.get(person) ??
      (isEligibleNow(person, requirement, { directory, mayApprove, nowMs })
        ? null
        : 'a policy on “approve” forbids it');
    return {
      requirement,
      canApprove: members.filter((person) => why(person) === null),
      cannotApprove: members.flatMap((person) => {
        const reason = why(person);
        return reason === null ? [] : [{ person, why: reason }];
      }),
    };
  });
}

function asJson({ subject, verdict, asked, policies, nowMs }: Explained): object {
  const { agent, operation, resource, input } = subject.action;
  return {
    at: rfc3339(nowMs),
    action: {
      agent,
      operation,
      resource: { type: resource.type, id: maskText(resource.id) },
      input: maskSecrets(input),
    },
    verdict: verdict.effect,
    ...(verdict.effect === 'deny' ? { code: verdict.code } : {}),
    ...(subject.recorded === null ? {} : { recorded: subject.recorded }),
    requirements: asked.map(({ requirement, canApprove, cannotApprove }) => ({
      ...requirement,
      canApprove,
      cannotApprove,
    })),
    explanation: {
      ...verdict.explanation,
      text: maskText(verdict.explanation.text),
      policies: verdict.explanation.policies.map((one) => ({
        ...one,
        place: policies.find((policy) => policy.id === one.id)?.place ?? null,
      })),
    },
    toldAgent: verdict.toldAgent,
    recent: verdict.recent,
    policyDigest: verdict.policyDigest,
  };
}

function asText(explained: Explained, io: Io): string {
  const { subject, verdict, nowMs } = explained;
  const color = io.paint.strong('x') !== 'x';
  const width = Math.min(process.stdout.columns || 100, 120);
  const page = new Sheet({ color, width });
  const { agent, operation, resource } = subject.action;
  page.say(
    line(`${operation} by ${agent} on ${resource.type}::${JSON.stringify(maskText(resource.id))}`),
    0,
    'bold',
  );
  page.say(verdictWords(verdict), 0, styles[verdict.effect]);
  page.say(line(maskText(verdict.explanation.text)), 0);
  if (subject.recorded !== null && subject.recorded !== verdict.effect)
    page.say(
      `The gate said ${subject.recorded} when it was asked; today’s files say otherwise.`,
      0,
      'yellow',
    );
  needs(page, explained);
  reasons(page, explained);
  page.heading('What the agent is told');
  page.quote(line(verdict.toldAgent));
  page.heading('Judged');
  page.pair('as of', rfc3339(nowMs));
  page.pair('policy set', line(verdict.policyDigest ?? 'none'));
  return page.text();
}

const styles = { allow: 'green', review: 'yellow', deny: 'red' } as const;

const verdictWords = (verdict: Verdict): string => {
  switch (verdict.effect) {
    case 'allow':
      return 'allow: it runs, and nobody is asked';
    case 'review':
      return 'review: people must approve it';
    case 'deny':
      return `deny (${verdict.code}): nobody can approve it`;
  }
};

function needs(page: Sheet, { asked }: Explained): void {
  if (asked.length > 0) page.heading('What it needs');
  for (const { requirement, canApprove, cannotApprove } of asked) {
    const { quorum, approvers, title, ttlMs, grantMs, reasonRequired, stepUp } = requirement;
    const proof = [...(reasonRequired ? ['a reason'] : []), ...(stepUp === null ? [] : [`a ${stepUp}`])];
    const how = `${quorum} of ${approvers}, within ${duration(ttlMs)}${proof.length === 0 ? '' : `, with ${listed(proof)}`}; an approval is good for ${duration(grantMs)}`;
    page.item(line(`${title}: ${how}`));
    page.pair('can approve', canApprove.length === 0 ? 'nobody' : line(listed(canApprove)));
    for (const { person, why } of cannotApprove) page.pair('cannot', line(`${person}: ${why}`));
    if (canApprove.length < quorum)
      page.say('Too few people are left, so that the gate denies it at once.', 4, 'red');
  }
}

function reasons(page: Sheet, { verdict, policies }: Explained): void {
  const { explanation } = verdict;
  if (explanation.policies.length > 0) page.heading('The policies that decide');
  for (const { id, title, effect } of explanation.policies) {
    const place = policies.find((one) => one.id === id)?.place ?? '';
    page.item(line(`${effect} ${id}${title === id ? '' : `: ${title}`}   ${place}`));
  }
  if (explanation.clauses.length > 0) page.heading('Their clauses, and the values here');
  for (const { policy, text, left, right } of explanation.clauses) {
    page.item(line(`${text}   (${policy})`));
    if (left !== null || right !== null)
      page.pair('here', line(`${left ?? 'absent'}${right === null ? '' : `, against ${right}`}`));
  }
  if (verdict.effect === 'allow') return;
  page.heading('What would be allowed');
  for (const one of explanation.wouldAllow) page.item(line(one), 'green');
  if (explanation.wouldAllow.length === 0) page.say('No single change that the gate could find.');
}
