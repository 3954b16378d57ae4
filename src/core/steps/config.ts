/**
 * What may be in force: accepting without asking (into an empty store, what only tightens, at the machine), asking people about
 * the rest, and putting what they approved in force. What was approved is started, written and ended in one transaction: there is
 * no moment at which it half holds.
 */
import { canonicalize } from '../canonical.ts';
import { stateOf, type By, type Case, type Execution } from '../case.ts';
import type {
  AcceptCommand,
  AcceptedBody,
  ApplyChangeCommand,
  AskChangeCommand,
  DropChangeCommand,
  How,
  Part,
  Touched,
} from '../command-config.ts';
import type { Change, Directory } from '../directory.ts';
import { aboutNothing, type EntryDraft } from '../entry.ts';
import { changeOperation } from '../gate.ts';
import { everybodyMay, isGateAction } from '../gate-operations.ts';
import { asDigest, type AgentId, type Digest, type PersonId } from '../ids.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Loaded, Step, Write } from '../loaded.ts';
import { ok } from '../result.ts';
import { refuse } from '../refusal.ts';
import { sha256Hex } from '../sha256.ts';
import { sameVersions, type Versions } from '../verdict.ts';
import { judgeAgain } from './again.ts';
import { open } from './ask.ts';
import { changed, closedNotices, data, done, ended, entryOf, refused, stale, unchanged } from './common.ts';
import { altered, notReady, unrecorded } from './execution.ts';

export const parts: readonly Part[] = ['policies', 'directory', 'servers'];

/** Names a part, or a whole configuration: SHA-256 of its canonical bytes (RFC 8785). */
export const configDigest = (body: JsonValue): Digest => asDigest(`sha256:${sha256Hex(canonicalize(body))}`);

/** Which counter moves with a part: what servers are decides what tools are, as pins do. */
const counterOf = { policies: 'policySet', directory: 'directory', servers: 'tools' } as const;

interface Accepts {
  readonly parts: readonly AcceptedBody[];
  readonly how: How;
  readonly by: By;
  readonly more: object;
  /** Of the approval that accepted it; absent where nobody was asked. */
  readonly held?: Case;
}

/** The rows and entries that put parts in force, and the versions after them. */
function accepting(
  { parts: bodies, how, by, more, held }: Accepts,
  { versions: before, directory }: Pick<Loaded, 'versions' | 'directory'>,
): {
  readonly versions: Versions;
  readonly writes: readonly Write[];
  readonly entries: readonly EntryDraft[];
} {
  let versions = before;
  const writes: Write[] = [];
  const entries: EntryDraft[] = [];
  for (const { what, body, digest } of bodies) {
    const version = versions[counterOf[what]] + 1;
    versions = { ...versions, [counterOf[what]]: version };
    writes.push({ row: 'accepted', what, version, body, digest, how });
    const type = `${what}.accepted` as const;
    const gone = what === 'directory' ? goneIn(directory, body) : null;
    if (gone !== null) writes.push({ row: 'gone', ...gone });
    const fields = { version, digest, how, ...more, ...(gone === null ? {} : { gone }) };
    entries.push(
      held === undefined
        ? { type, by, about: aboutNothing, subject: null, data: data(fields) }
        : entryOf(held, type, by, fields),
    );
  }
  return { versions, writes, entries };
}

/** Who is in the directory no more; null for nobody. What only tightens keeps everybody, deactivated, until the whole is accepted. */
function goneIn(
  before: Directory,
  body: JsonValue,
): { readonly people: readonly PersonId[]; readonly agents: readonly AgentId[] } | null {
  // Only a Directory is accepted as one (AcceptCommand).
  const now = body as unknown as Directory | null;
  const gone = <Id>(then: readonly { readonly id: Id }[], today: readonly { readonly id: Id }[] = []) => {
    const ids = new Set(today.map((one) => one.id));
    return then.map((one) => one.id).filter((id) => !ids.has(id));
  };
  const [people, agents] = [gone(before.people, now?.people), gone(before.agents, now?.agents)];
  return people.length + agents.length === 0 ? null : { people, agents };
}

/** Whether people are asked about it, or have approved it a moment ago. */
export const isLive = (held: Case, nowMs: number): boolean =>
  stateOf(held, nowMs) === 'pending' || stateOf(held, nowMs) === 'ready';

/** Ends what the gate asked; nothing where that is over already. */
function dropped(
  held: Case | null,
  reason: string,
  nowMs: number,
): Pick<Step, 'writes' | 'entries' | 'notices'> {
  if (held === null || !isLive(held, nowMs)) return { writes: [], entries: [], notices: [] };
  const next = ended(held, { atMs: nowMs, code: 'cancelled', reason, by: { kind: 'gate' } });
  return changed(
    held,
    next,
    [entryOf(next, 'approval.cancelled', { kind: 'gate' }, { reason })],
    closedNotices(held),
  );
}

export function accept(command: AcceptCommand, loaded: Loaded): Step {
  const { how, by, madeBy, words, expected } = command;
  if (expected !== null && !sameVersions(expected, loaded.versions)) return stale;
  const more = {
    ...(madeBy === undefined ? {} : { madeBy: madeBy.person }),
    ...(words === undefined ? {} : { changes: words }),
  };
  const { versions, writes, entries } = accepting({ ...command, how, by, more }, loaded);
  // Whatever waited was about another configuration than the one that is in force now.
  const drop = dropped(
    loaded.change,
    'What is in force was changed otherwise; what is left is asked anew.',
    loaded.nowMs,
  );
  const made = madeBy === undefined ? [] : changesBy(madeBy.person, null, madeBy.touched, loaded.nowMs);
  return {
    answer: ok({ kind: 'accepted', versions }),
    writes: [...drop.writes, ...writes, ...made],
    entries: [...drop.entries, ...entries],
    notices: drop.notices,
  };
}

const changesBy = (
  by: PersonId,
  acceptedBy: PersonId | null,
  touched: readonly Touched[],
  atMs: number,
): readonly Write[] =>
  touched.map(({ what, id }): Write => {
    const change: Change = { what, id, by, acceptedBy, atMs };
    return { row: 'change', change };
  });

/** What the action of a change names. */
const named = ({ asked }: Pick<Case, 'asked'>, key: 'candidate' | 'base'): JsonValue | undefined =>
  asked.action.input[key];

const sameAsked = (a: Pick<Case, 'asked'>, b: Pick<Case, 'asked'>): boolean =>
  named(a, 'candidate') === named(b, 'candidate') && named(a, 'base') === named(b, 'base');

export function askChange(command: AskChangeCommand, loaded: Loaded): Step {
  if (!sameVersions(command.expected, loaded.versions)) return stale;
  const { asked, approval, candidate } = command;
  const { verdict } = asked;
  if (!isGateAction(asked.action) || asked.action.operation !== changeOperation)
    throw new TypeError('only a change of the configuration is asked this way'); // a bug of ours
  if (verdict.effect !== 'review') throw new TypeError('a change is always asked about'); // a bug of ours
  const { change: before, nowMs } = loaded;
  if (before !== null && sameAsked(before, command)) {
    // Somebody who stands for it is a new question: their name decides who may answer.
    const { startedBy } = asked.action;
    const known = before.asked.action.startedBy;
    const another = startedBy !== null && startedBy !== known;
    if (isLive(before, nowMs)) {
      // Else somebody who stood for it could have another take their name off it, and approve it themself.
      if (another && known !== null)
        return refused(refuse('not_permitted', 'Somebody else stands for this already.', { author: known }));
      if (!another) return unchanged(before, true);
    } else if (!command.anew) return unchanged(before, true);
  }
  const drop = dropped(before, 'The files say something else now; that is asked anew.', nowMs);
  const mayApprove = everybodyMay(
    loaded.directory.people.map((one) => one.id),
    verdict.requirements,
  );
  const step = open({ asked, approval, mayApprove, limits: null }, verdict, loaded);
  return {
    ...step,
    writes: [...drop.writes, { row: 'candidate', ...candidate }, ...step.writes],
    entries: [...drop.entries, ...step.entries],
    notices: [...drop.notices, ...step.notices],
  };
}

export const dropChange = (command: DropChangeCommand, loaded: Loaded): Step => ({
  ...done,
  ...dropped(loaded.change, command.reason, loaded.nowMs),
  answer: done.answer,
});

export function applyChange(command: ApplyChangeCommand, loaded: Loaded): Step {
  const held = loaded.case;
  if (held === null || held.asked.action.operation !== changeOperation)
    return refused(refuse('not_found', 'There is no such change of the configuration.'));
  const no = notReady(held, loaded.nowMs) ?? altered(held) ?? unrecorded(held, loaded);
  if (no !== undefined) return refused(no);
  if (!sameVersions(command.expected, loaded.versions)) return stale;
  if (named(held, 'candidate') !== configDigest(command.candidate))
    return refused(refuse('digest_mismatch', 'This is not the configuration that was approved.'));
  if (named(held, 'base') !== command.base)
    return overtaken(
      held,
      'What is in force changed after this was asked, so it must be asked anew.',
      loaded,
    );
  const judged = judgeAgain(held, command.again, loaded);
  switch (judged.kind) {
    case 'broken':
      return refused(judged.refusal);
    case 'changed':
      return overtaken(held, judged.refusal.detail, loaded);
    case 'holds':
      return inForce(held, command, loaded);
  }
}

function overtaken(held: Case, reason: string, { nowMs }: Loaded): Step {
  const by = { kind: 'gate' } as const;
  const next = ended(held, { atMs: nowMs, code: 'policy_changed', reason, by });
  const entry = entryOf(next, 'approval.denied', by, { code: 'policy_changed', reason });
  return changed(held, next, [entry], closedNotices(held));
}

function inForce(held: Case, command: ApplyChangeCommand, loaded: Loaded): Step {
  const { nowMs } = loaded;
  const by = { kind: 'gate' } as const;
  const execution: Execution = {
    id: command.execution,
    status: 'succeeded',
    startedAtMs: nowMs,
    endedAtMs: nowMs,
    outcomeBy: 'gate',
    detail: 'In force.',
    result: null,
  };
  const grant = held.grant === null ? null : { ...held.grant, consumedAtMs: nowMs };
  const next: Case = { ...held, grant, execution };
  const { digest, action } = held.asked;
  const author = action.startedBy;
  const people = held.reviews.filter((one) => one.decision === 'approve').map((one) => one.person);
  const acceptedBy = people.find((one) => one !== author) ?? null;
  const more = { author, people, candidate: named(held, 'candidate') };
  const accepts = { parts: partsIn(command.candidate), how: 'reviewed', by, more, held: next } as const;
  const { writes, entries } = accepting(accepts, loaded);
  const { versions } = command.again.verdict;
  const started = entryOf(next, 'execution.started', by, {
    digest,
    enforcement: action.enforcement,
    grant: held.grant?.index,
    versions,
  });
  const over = entryOf(next, 'execution.succeeded', by, { outcomeBy: 'gate', detail: execution.detail });
  const step = changed(held, next, [started, ...entries, over]);
  const made = author === null ? [] : changesBy(author, acceptedBy, command.touched, nowMs);
  return { ...step, writes: [...step.writes, ...writes, ...made] };
}

/** The parts of a whole configuration, each with its name. */
export function partsIn(candidate: JsonValue): readonly AcceptedBody[] {
  // A candidate is an object of parts: its digest was just compared with the one that people approved.
  const whole = candidate as JsonObject;
  return parts.map((what) => {
    const body = whole[what] ?? null;
    return { what, body, digest: configDigest(body) };
  });
}
