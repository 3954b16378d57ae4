/**
 * Making the evidence of a period (core/evidence/model.ts). It reads the log twice, in pieces: once for what was in force and what
 * happened, once for the rows; nothing is written. The same query over the same log gives the same, whoever asks.
 */
import { theGate } from '../core/acts.ts';
import type { Absences } from '../core/delegation.ts';
import { isAuditor, isOperator, personIn } from '../core/directory.ts';
import type { PopulationRow } from '../core/evidence/model-rows.ts';
import type { Evidence, EvidenceQuery } from '../core/evidence/model.ts';
import { chosenRows, refusesSamples } from '../core/evidence/selection.ts';
import type { PersonId } from '../core/ids.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { allows } from './access.ts';
import { evidenceOf } from './evidence-compose.ts';
import { madeRows } from './evidence-rows.ts';
import { countRows, walk, type EvidenceBy, type Gathering, type Making } from './evidence-walk.ts';

export type { EvidenceBy, Gathering, Making } from './evidence-walk.ts';

/** The evidence, and the rows that it counts. */
export interface Gathered {
  readonly evidence: Evidence;
  /** Whoever makes it is an auditor, or has the store itself, to whom what was signed is given as it is. */
  readonly auditor: boolean;
  /** The population again, in pages of at most 200 rows: the very rows that were counted. */
  pages(): AsyncGenerator<readonly PopulationRow[]>;
}

/** Auditors, as far as policies let them read the log, and operators. Nobody else, and no agent. */
export async function refusesEvidence(parts: Making, by: PersonId): Promise<Refusal | undefined> {
  const directory = await parts.store.directory();
  const world = { directory };
  const auditor =
    isAuditor(directory, by) && allows(parts, world, { person: by, act: 'read_log', subject: theGate });
  return personIn(directory, by) !== undefined && (auditor || isOperator(directory, by))
    ? undefined
    : refuse('not_permitted', 'Only auditors and operators make the evidence.');
}

const refusesMaker = async (parts: Making, by: EvidenceBy): Promise<Refusal | undefined> =>
  by.kind === 'operator' ? undefined : refusesEvidence(parts, by.id);

/** The evidence of a period, for an auditor or an operator, or whoever has the machine; refused for anybody else, and for what is no query. */
export async function gatherEvidence(
  parts: Making,
  query: EvidenceQuery,
  gathering: Gathering,
): Promise<Result<Gathered, Refusal>> {
  const { store } = parts;
  const no =
    (await refusesMaker(parts, gathering.by)) ?? refusesPeriod(query) ?? refusesSamples(query.samples);
  if (no !== undefined) return err(no);
  const { size } = await store.head();
  const asOf = query.asOf ?? size;
  if (!Number.isSafeInteger(asOf) || asOf < 0 || asOf > size)
    return err(
      refuse('input_invalid', `The log has ${size} entries; --as-of is at most that.`, { pointer: '/asOf' }),
    );
  const from = Math.min(await store.indexAt(query.fromMs), asOf);
  const to = Math.max(from, Math.min(await store.indexAt(query.toMs), asOf));
  await gathering.covered?.(to);
  const directory = await store.directory();
  const world: Absences = { directory, delegations: await store.delegations(), nowMs: parts.clock.nowMs() };
  const walked = await walk(parts, { query, range: { from, to }, asOf, world, gathering });
  const rows = chosenRows(query.samples, { rows: walked.asked, root: walked.log.end?.root ?? null });
  if (!rows.ok) return rows;
  const counted = await countRows(walked, new Set(rows.value), gathering.tell);
  const evidence = evidenceOf(parts, { query, asOf, gathering, directory, walked, counted });
  return ok({
    evidence,
    auditor: gathering.by.kind === 'operator' || isAuditor(directory, gathering.by.id),
    async *pages() {
      for await (const page of madeRows(walked.source)) yield page.map(({ row }) => row);
    },
  });
}

function refusesPeriod({ fromMs, toMs }: EvidenceQuery): Refusal | undefined {
  const isTime = (ms: number): boolean => Number.isSafeInteger(ms) && ms >= 0 && ms <= 8.64e15;
  return isTime(fromMs) && isTime(toMs) && fromMs < toMs
    ? undefined
    : refuse('input_invalid', 'The period must end after it begins.', { pointer: '/to' });
}
