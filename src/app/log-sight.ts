/**
 * The log as a reader of it may see it. Without a forbid on reading that is the log itself. Where the set has one, entries about
 * what it hides lose what they hold, and a search is answered from what the reader sees: the database is asked for nothing that it
 * could answer from what is hidden, not even how far it looked.
 */
import { allows } from './access.ts';
import type { CaseFacts } from '../core/acts.ts';
import { splitOperation } from '../core/action.ts';
import type { Absences } from '../core/delegation.ts';
import type { Entry, Sealed } from '../core/entry.ts';
import { asAgentId, type ActionId, type PersonId } from '../core/ids.ts';
import { isJsonObject } from '../core/json.ts';
import { maskSecrets } from '../core/secrets.ts';
import { veiledEntry } from '../core/sight.ts';
import type { LogFound, LogQuery } from '../ports/overview.ts';
import type { Parts } from './parts.ts';

/** An entry as it is shown; `veiled` where something of it is hidden from this reader. */
export interface SeenEntry extends Sealed {
  readonly veiled: boolean;
}

export interface SeenLog extends Omit<LogFound, 'entries'> {
  readonly entries: readonly SeenEntry[];
}

type Looking = Pick<Parts, 'policy' | 'clock' | 'store' | 'world'>;

/** Whether the set hides anything of anybody's, so that entries must be looked at one by one. */
const hides = ({ policy }: Looking): boolean => policy.narrows('read') || policy.narrows('read_input');

/** Entries as somebody who reads the log may see them. */
export async function seenEntries(
  parts: Looking,
  world: Absences,
  person: PersonId,
  entries: readonly Sealed[],
): Promise<readonly SeenEntry[]> {
  if (!hides(parts)) return entries.map((one) => ({ ...one, veiled: false }));
  const known = new Map<ActionId, boolean>();
  const sees = async (entry: Entry): Promise<boolean> => {
    const { action } = entry.about;
    if (action === null) return seesAttempt(parts, person, entry);
    const said = known.get(action);
    if (said !== undefined) return said;
    const held = await parts.store.caseBy({ action });
    // A case that is gone cannot be judged any more, so that nothing of it is shown.
    const may =
      held !== undefined &&
      (['read', 'read_input'] as const).every((act) =>
        allows(parts, world, { person, act, subject: { kind: 'case', held } }),
      );
    known.set(action, may);
    return may;
  };
  const seen: SeenEntry[] = [];
  for (const one of entries) {
    const whole = await sees(one.entry);
    seen.push(
      whole
        ? { ...one, veiled: false }
        : { ...one, entry: veiledEntry(one.entry), statement: '', veiled: true },
    );
  }
  return seen;
}

/** What was refused before it was an action says in words what was wrong with an input. Judged by its name alone. */
function seesAttempt({ policy, clock, world }: Looking, person: PersonId, entry: Entry): boolean {
  if (entry.type !== 'action.refused' || entry.by.kind !== 'agent') return true;
  const operation = isJsonObject(entry.data) ? entry.data['operation'] : undefined;
  // An attempt without a name may have been anything.
  if (typeof operation !== 'string') return false;
  const facts: CaseFacts = {
    kind: 'case',
    agent: asAgentId(entry.by.id),
    operation,
    server: splitOperation(operation)?.target ?? '',
    resourceType: world.catalog.entry(operation)?.profile?.resource?.type ?? 'Server',
    approvers: [],
    asked: [],
    standIns: [],
    reviewers: [],
    approvedBy: [],
  };
  return (['read', 'read_input'] as const).every((act) => policy.mayDo(person, act, facts, clock.nowMs()));
}

/** Entries that one call looks through where each must be looked at; the page goes on from there. */
export const searchSeenMax = 1000;
const pieceMax = 200;

/** What a reader of the log finds in it. */
export async function searchSeen(
  parts: Looking,
  world: Absences,
  person: PersonId,
  query: LogQuery,
): Promise<SeenLog> {
  if (!hides(parts)) {
    const found = await parts.store.searchLog(query);
    return { ...found, entries: await seenEntries(parts, world, person, found.entries) };
  }
  const entries: SeenEntry[] = [];
  const plain = { ...query, text: null, agent: null, operation: null, person: null, type: null };
  let { before } = query;
  for (let looked = 0; looked < searchSeenMax;) {
    const page = await parts.store.searchLog({ ...plain, before, limit: pieceMax });
    const seen = await seenEntries(parts, world, person, page.entries);
    for (const one of seen) {
      if (!(await fits(parts, one.entry, query))) continue;
      entries.push(one);
      const { index } = one.entry;
      if (entries.length >= query.limit) return { entries, searchedTo: index, more: index > 0 };
    }
    // A time without entries takes a turn too.
    looked += Math.max(1, page.entries.length);
    before = page.searchedTo;
    if (!page.more) return { entries, searchedTo: page.searchedTo, more: false };
  }
  return { entries, searchedTo: before ?? 0, more: true };
}

/** Whether an entry, as the reader sees it, is what was searched for. Whose action it is and its operation are no secret. */
async function fits({ store }: Looking, entry: Entry, query: LogQuery): Promise<boolean> {
  const { type, by, about, data } = entry;
  if (query.type !== null && query.type !== type) return false;
  const shown = JSON.stringify([type, by, about, maskSecrets(data)]);
  if (
    query.text !== null &&
    !shown.toLowerCase().includes(JSON.stringify(query.text).slice(1, -1).toLowerCase())
  )
    return false;
  if (query.person !== null && !shown.includes(JSON.stringify(query.person))) return false;
  if (query.agent === null && query.operation === null) return true;
  const asked =
    about.action === null ? undefined : (await store.caseBy({ action: about.action }))?.asked.action;
  const names = (name: string, value: string): boolean =>
    shown.includes(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return (
    (query.agent === null ||
      asked?.agent === query.agent ||
      names('agent', query.agent) ||
      (by.kind === 'agent' && by.id === query.agent)) &&
    (query.operation === null || asked?.operation === query.operation || names('operation', query.operation))
  );
}
