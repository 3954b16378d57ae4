/**
 * `npm run conformance`: the official suite against our upstream alone and against the gate in front of it, in both revisions, side by
 * side. Exits 1 unless the gate passes every check that its upstream passes alone, whatever checks Host and Origin, and the tasks
 * scenarios; what is known not to be so is in expected.ts, with reasons.
 *
 *     npm run conformance -- [--revision 2025-11-25|2026-07-28] [--scenario NAME] [--upstream-only]
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { people, startTestGate } from '../support/gate.ts';
import { known, type Known } from './expected.ts';
import { startFront } from './front.ts';
import { revisions, runSuite, type Check, type Findings, type Revision } from './suite.ts';
import { startUpstream } from './upstream.ts';

/** That an upstream asks the agent's own model or user must be permitted tool by tool (src/enforce/mcp/questions.ts). */
const asking = [
  'test_sampling',
  'test_elicitation',
  'test_elicitation_sep1034_defaults',
  'test_elicitation_sep1330_enums',
  'test_input_required_result_capabilities',
  'test_input_required_result_elicitation',
  'test_input_required_result_list_roots',
  'test_input_required_result_multi_round',
  'test_input_required_result_multiple_inputs',
  'test_input_required_result_request_state',
  'test_input_required_result_sampling',
  'test_input_required_result_tampered_state',
  'test_streaming_elicitation',
  'confirm_delete',
  'multi_input',
  'test_tool_with_task',
];

const permitAll = [
  '@id("all") @title("Agents may act") permit (principal, action, resource);',
  ...asking.map(
    (tool) => `@id("ask.${tool}") permit (principal, action == Action::"fixture___${tool}:input", resource);`,
  ),
].join('\n');

/** These must pass at the gate whatever the upstream does. */
const own = (scenario: string): boolean =>
  scenario === 'dns-rebinding-protection' || scenario.startsWith('tasks-');

interface Row {
  readonly revision: Revision;
  readonly scenario: string;
  readonly alone: readonly Check[];
  /** Null: the upstream alone was asked for. */
  readonly gated: readonly Check[] | null;
}

interface Problem {
  readonly text: string;
  readonly known: Known | undefined;
}

const passed = (checks: readonly Check[]): number =>
  checks.filter(({ status }) => status === 'SUCCESS').length;
const bad = (checks: readonly Check[]): readonly Check[] =>
  checks.filter(({ status }) => status !== 'SUCCESS' && status !== 'INFO');

/** How often each check passed: some are made several times. */
function passesOf(checks: readonly Check[]): ReadonlyMap<string, number> {
  const count = new Map<string, number>();
  for (const { id, status } of checks) count.set(id, (count.get(id) ?? 0) + (status === 'SUCCESS' ? 1 : 0));
  return count;
}

/** What is wrong with one row; each is looked for among what is known. */
function problemsOf({ revision, scenario, alone, gated }: Row): readonly Problem[] {
  const found = (check: string | null): Known | undefined =>
    known.find((one) => one.revision === revision && one.scenario === scenario && one.check === check);
  if (passed(alone) === 0) return [{ text: 'nothing was checked', known: found(null) }];
  // The upstream checks neither Host nor Origin: there the gate is to be better than it.
  const owed = scenario === 'dns-rebinding-protection' ? [] : bad(alone);
  const problems: Problem[] = owed.map(({ id, status, errorMessage }) => ({
    text: `the upstream alone: ${id} ${status}: ${errorMessage ?? ''}`,
    known: undefined,
  }));
  if (gated === null) return problems;
  const at = passesOf(gated);
  for (const [id, times] of passesOf(alone)) {
    const missing = times - (at.get(id) ?? 0);
    if (missing <= 0) continue;
    const said = gated.find((check) => check.id === id && check.status !== 'SUCCESS');
    const why = said === undefined ? 'was not checked' : `${said.status}: ${said.errorMessage ?? ''}`;
    problems.push({ text: `${id} (${missing} of ${times}) ${why}`, known: found(id) });
  }
  for (const { id, status, errorMessage } of bad(gated)) {
    if ((passesOf(alone).get(id) ?? 0) > 0) continue;
    const required = own(scenario) ? ' (required of the gate itself)' : '';
    problems.push({ text: `${id} ${status}: ${errorMessage ?? ''}${required}`, known: found(id) });
  }
  return problems;
}

async function findings(options: Options, folder: string): Promise<readonly Row[]> {
  const upstream = await startUpstream();
  const front = await startFront();
  const gate = options.upstreamOnly
    ? null
    : await startTestGate({
        config: `${people}url: ${front.origin}\nservers: { fixture: { url: '${upstream.url}' } }\n`,
        policies: permitAll,
      });
  try {
    if (gate !== null) front.passTo(gate.gate().url, await gate.token('agent', 'crm-bot'));
    const rows: Row[] = [];
    for (const revision of options.revisions) {
      const of = (name: string, url: string): Promise<Findings> =>
        runSuite(url, revision, join(folder, `${revision}-${name}`), options.scenario);
      const alone = await of('upstream', upstream.url);
      const gated = gate === null ? null : await of('gate', `${front.origin}/mcp/fixture`);
      for (const scenario of new Set([...alone.keys(), ...(gated?.keys() ?? [])])) {
        rows.push({
          revision,
          scenario,
          alone: alone.get(scenario) ?? [],
          gated: gated === null ? null : (gated.get(scenario) ?? []),
        });
      }
    }
    return rows;
  } finally {
    await gate?.stop();
    await front.stop();
    await upstream.stop();
  }
}

const score = (checks: readonly Check[] | null): string =>
  checks === null ? '' : `${passed(checks)}/${bad(checks).length}`;

function print(rows: readonly Row[]): void {
  const line = (...cells: readonly string[]): void =>
    console.log(
      cells
        .map((cell, at) => cell.padEnd([12, 48, 10, 10][at] ?? 0))
        .join('')
        .trimEnd(),
    );
  line('revision', 'scenario', 'upstream', 'gate', 'passed / not passed');
  for (const row of rows) {
    const problems = problemsOf(row);
    const open = problems.some((one) => one.known === undefined);
    const verdict = open ? 'NOT AS ITS UPSTREAM' : problems.length > 0 ? 'known, see below' : '';
    line(row.revision, row.scenario, score(row.alone), score(row.gated), verdict);
  }
  for (const revision of new Set(rows.map((row) => row.revision))) {
    const these = rows.filter((row) => row.revision === revision);
    const all = (pick: (row: Row) => readonly Check[] | null): string =>
      score(these.flatMap((row) => pick(row) ?? []));
    const gated = these.some((row) => row.gated !== null) ? all((row) => row.gated) : '';
    line(
      revision,
      `${these.length} scenarios`,
      all((row) => row.alone),
      gated,
      '',
    );
  }
}

interface Options {
  readonly revisions: readonly Revision[];
  readonly scenario: string | undefined;
  readonly upstreamOnly: boolean;
}

function optionsOf(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      revision: { type: 'string' },
      scenario: { type: 'string' },
      'upstream-only': { type: 'boolean', default: false },
    },
  });
  const chosen = revisions.filter((one) => values.revision === undefined || values.revision === one);
  if (chosen.length === 0) throw new Error(`--revision takes ${revisions.join(' or ')}.`);
  return { revisions: chosen, scenario: values.scenario, upstreamOnly: values['upstream-only'] };
}

async function main(options: Options): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-conformance-'));
  const rows = await findings(options, folder);
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(rows, null, 2)}\n`);
  print(rows);
  const problems = rows.flatMap((row) => problemsOf(row).map((problem) => ({ row, problem })));
  const where = (row: Row): string => `${row.revision} ${row.scenario}`;
  const open = problems.filter(({ problem }) => problem.known === undefined);
  const agreed = problems.filter(({ problem }) => problem.known !== undefined);
  if (agreed.length > 0) console.log('\nKnown (expected.ts):');
  for (const { row, problem } of agreed)
    console.log(`  ${where(row)}: ${problem.text}\n    ${problem.known?.reason ?? ''}`);
  if (open.length > 0) console.log('\nNot passed:');
  for (const { row, problem } of open) console.log(`  ${where(row)}: ${problem.text}`);
  // Only a whole run can say that an entry is no longer true.
  const whole = options.scenario === undefined && !options.upstreamOnly;
  const stale = known.filter(
    (one) =>
      whole &&
      options.revisions.includes(one.revision) &&
      !agreed.some(({ problem }) => problem.known === one),
  );
  for (const one of stale)
    console.log(
      `\nexpected.ts says what is no longer so: ${one.revision} ${one.scenario} ${one.check ?? ''}`,
    );
  console.log(`\nAll that the suite said: ${folder}`);
  return open.length === 0 && stale.length === 0 ? 0 : 1;
}

process.exitCode = await main(optionsOf(process.argv.slice(2)));
