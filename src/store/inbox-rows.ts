/**
 * Who is asked: a row for each person and each pending approval that they were found eligible for. So an inbox is found, and
 * counted, without reading what waits for others; the rules decide anew at each review (core/review.ts).
 */
import { stateOf, type Approval, type Case } from '../core/case.ts';
import { asAgentId, type AgentId, type PersonId } from '../core/ids.ts';
import { integer, json, text } from './columns.ts';
import type { Counts } from './counts.ts';
import { put, type Driver } from './driver.ts';

const insert = 'INSERT INTO inbox (person_id, ord) VALUES ($1, $2) ON CONFLICT (person_id, ord) DO NOTHING';
const remove = 'DELETE FROM inbox WHERE person_id = $1 AND ord = $2';
const add = `INSERT INTO waiting (who, n) VALUES ($1, $2)
  ON CONFLICT (who) DO UPDATE SET n = waiting.n + $2`;

/** The names that `waiting` counts by. */
export const waitingNames = {
  agent: (id: AgentId): string => `agent:${id}`,
  person: (id: PersonId): string => `person:${id}`,
};

/** Times of a state as stored: it knows no clock (case-writes.ts). */
const isPending = (held: Case | null): boolean =>
  held !== null && stateOf(held, Number.NEGATIVE_INFINITY) === 'pending';

const peopleOf = (approval: Approval | null): readonly PersonId[] => [
  ...new Set((approval?.eligibleThen ?? []).flatMap((one) => [...one.people, ...(one.standIns ?? [])])),
];

/** Adds the rows of an approval that was opened, and takes away those of one that is no longer pending. @param ord the case's number. */
export async function writeInbox(
  driver: Driver,
  { before, next }: { readonly before: Case | null; readonly next: Case },
  ord: number,
  counts: Counts,
): Promise<void> {
  const [was, is] = [isPending(before), isPending(next)];
  if (was === is) return;
  const step = is ? 1 : -1;
  counts.addWaiting(waitingNames.agent(next.asked.action.agent), step);
  for (const person of peopleOf(next.approval)) {
    await put(driver, is ? insert : remove, [person, ord]);
    counts.addWaiting(waitingNames.person(person), step);
  }
}

/** Cases read at a time while a store is migrated. */
const pageMax = 500;

/** The rows of what was pending before there was this table. */
export async function fillInbox(driver: Driver): Promise<void> {
  const page = `SELECT ord, agent, approval FROM actions WHERE state = 'pending' AND ord > $1 ORDER BY ord LIMIT ${pageMax}`;
  for (let after = -1; ;) {
    const rows = await driver.query(page, [after]);
    for (const row of rows) {
      after = integer(row, 'ord');
      // Written from an Approval (case-writes.ts).
      for (const person of peopleOf(json(row, 'approval') as Approval)) {
        await driver.run(insert, [person, after]);
        await driver.run(add, [waitingNames.person(person), 1]);
      }
      await driver.run(add, [waitingNames.agent(asAgentId(text(row, 'agent'))), 1]);
    }
    if (rows.length < pageMax) return;
  }
}
