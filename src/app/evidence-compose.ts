/** The evidence put together from what the two readings found; nothing is read here. */
import { nameOf } from '../core/conflict.ts';
import type { Directory } from '../core/directory.ts';
import { controlResults, suggested } from '../core/evidence/controls.ts';
import type { Completeness, Evidence, EvidenceQuery, Maker } from '../core/evidence/model.ts';
import { notCoveredOf } from '../core/evidence/not-covered.ts';
import { policyVersions } from '../core/evidence/policies.ts';
import { selectionWords } from '../core/evidence/selection.ts';
import type { History } from '../core/evidence/versions.ts';
import { say, short } from '../core/render/shown.ts';
import { rfc3339 } from '../core/time.ts';
import type { Requirement } from '../core/verdict.ts';
import { policyLines, requirementsAtEnd } from './evidence-history.ts';
import type { countRows, EvidenceBy, Gathering, Making, Walked } from './evidence-walk.ts';

/** What it is put together from. */
export interface Composing {
  readonly query: EvidenceQuery;
  readonly asOf: number;
  readonly gathering: Gathering;
  readonly directory: Directory;
  readonly walked: Walked;
  readonly counted: Awaited<ReturnType<typeof countRows>>;
}

export function evidenceOf(
  parts: Making,
  { query, asOf, gathering, directory, walked, counted }: Composing,
): Evidence {
  const { history, log, grounds, reconciliations, answers } = walked;
  const { counts, reviews } = counted;
  const [scope, roster] = [walked.scope.done(), walked.roster.done()];
  const policies = policyVersions(history.policies, policyLines(parts.policy, history.policies));
  const told = walked.exceptions.done({ history, scope, roster, policies, reconciliations, answers });
  const { exceptions } = told;
  const completeness = completenessOf(walked, counts.rows);
  const access = reviews.access({
    directory: history.directory.at(-1)?.body ?? null,
    ...requirementsOf(parts, history, counted.requirements),
  });
  const ground = { counts, completeness, log, scope, exceptions, policies, roster, access, reconciliations };
  const madeAtMs = parts.clock.nowMs();
  return {
    v: 1,
    period: { fromMs: query.fromMs, toMs: query.toMs },
    madeAtMs,
    madeBy: makerOf(directory, gathering.by),
    generator: gathering.generator,
    gate: parts.origin,
    command: commandOf(query, asOf),
    query: { ...query, asOf },
    log,
    completeness,
    counts,
    attempts: byCount(walked.attempts),
    refusedReviews: byCount(walked.refusedReviews),
    carriedIn: {
      count: walked.carried.length + walked.carriedMore,
      indexes: walked.carried,
      more: walked.carriedMore,
    },
    scope,
    exceptions,
    exceptionsLeftOut: told.leftOut,
    otherAnswers: told.otherAnswers,
    policies,
    roster,
    access,
    reviewers: reviews.statistics(grounds.nameOf),
    reconciliations,
    controls: controlResults(ground),
    suggested,
    samples: {
      query: query.samples,
      how: selectionWords(query.samples, log.end?.root ?? null),
      chosen: counted.samples,
    },
    notCovered: notCoveredOf({
      counts,
      log,
      scope,
      reconciliations,
      period: query,
      unfinished: madeAtMs < query.toMs,
      carriedIn: walked.carried.length + walked.carriedMore,
    }),
    agents: counted.agents,
  };
}

const byCount = (codes: ReadonlyMap<string, number>): Evidence['attempts'] =>
  [...codes].map(([code, count]) => ({ code, count })).toSorted((a, b) => b.count - a.count);

const makerOf = (directory: Directory, by: EvidenceBy): Maker =>
  by.kind === 'person'
    ? { ...by, name: short(nameOf(directory, by.id), 120) }
    : { kind: 'operator', stated: by.stated === null ? null : short(by.stated, 120) };

const requirementsOf = (
  { policy }: Making,
  { policies }: History,
  asked: readonly Requirement[],
): { readonly requirements: readonly Requirement[]; readonly from: 'policies' | 'asked' } => {
  const atEnd = requirementsAtEnd(policy, policies);
  return atEnd === undefined
    ? { requirements: asked, from: 'asked' }
    : { requirements: atEnd, from: 'policies' };
};

function completenessOf({ asked, entries, log }: Walked, rows: number): Completeness {
  const dense = entries === log.count;
  return {
    asked,
    rows,
    entries,
    dense,
    complete: dense && asked === rows,
    how: say`Every entry of the log has an index without gaps: from ${log.from} to ${log.to} there are ${log.count}, ${entries} were read, and ${asked} of them are of type action.asked, one for each row. Anybody can count them again with “countersign log verify” or in the tiles that the checkpoints cover.`,
  };
}

/** The command that makes the same again, where the configuration is. */
function commandOf({ fromMs, toMs, samples }: EvidenceQuery, asOf: number): string {
  const chosen =
    samples === null
      ? ''
      : samples.kind === 'rows'
        ? ` --samples ${samples.rows.join(',')}`
        : ` --sample-count ${samples.count} --number ${samples.number}`;
  return `countersign evidence --from ${rfc3339(fromMs)} --to ${rfc3339(toMs)} --as-of ${asOf}${chosen}`;
}
