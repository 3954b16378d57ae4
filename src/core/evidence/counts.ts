/** The population counted, row by row. */
import {
  checkNames,
  listedMax,
  outcomes,
  runs,
  unsaidMax,
  type CheckName,
  type CheckResult,
  type Counts,
  type PopulationRow,
} from './model-rows.ts';

export interface Counting {
  add(row: PopulationRow): void;
  done(): Counts;
}

const results: readonly CheckResult[] = ['passed', 'failed', 'unknown', 'not_applicable'];

/** A number for each name, from 0. */
const zeros = <Name extends string>(names: readonly Name[]): Record<Name, number> =>
  // Every name has its number, so it is a record of them.
  Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;

export function createCounting(): Counting {
  const byOutcome = zeros(outcomes);
  const byRun = zeros(runs);
  const byEnforcement = zeros(['mediated', 'cooperative', 'unknown']);
  const byCheck = Object.fromEntries(checkNames.map((name) => [name, zeros(results)])) as Record<
    CheckName,
    Record<CheckResult, number>
  >; // as above
  const failed: Counts['failed'][number][] = [];
  const unsaid = Object.fromEntries(checkNames.map((name) => [name, [] as number[]])) as Record<
    CheckName,
    number[]
  >; // as above
  const flags = zeros(['rows', 'observed', 'underGlass', 'erased', 'hidden', 'gates', 'ranCooperative']);
  return {
    add(row) {
      flags.rows += 1;
      byOutcome[row.outcome] += 1;
      byRun[row.run] += 1;
      byEnforcement[row.enforcement ?? 'unknown'] += 1;
      if (row.mode === 'observe') flags.observed += 1;
      if (row.glass !== null) flags.underGlass += 1;
      if (row.erased) flags.erased += 1;
      if (row.hidden) flags.hidden += 1;
      if (row.askedBy === 'gate' || row.askedBy === 'person') flags.gates += 1;
      if (row.enforcement === 'cooperative' && row.startedIndex !== null) flags.ranCooperative += 1;
      for (const { name, result } of row.checks) {
        byCheck[name][result] += 1;
        if (result === 'unknown' && unsaid[name].length < unsaidMax) unsaid[name].push(row.row);
        if (result === 'failed' && failed.length < listedMax)
          failed.push({ row: row.row, index: row.index, check: name });
      }
    },
    done: () => ({ ...flags, byOutcome, byRun, byEnforcement, byCheck, failed, unsaid }),
  };
}
