/**
 * Gates on a primary and a synchronous standby, with all that goes wrong: `SEED=7 ACTIONS=2000 npm run test:cluster`; `SEEDS=10`
 * runs as many seeds, from SEED on, or, without SEED, as many that are any besides those that always run. KEEP=1 keeps what a run
 * leaves: the gates' and servers' output, what clients wrote down, what took effect.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { clusterRun, type Ran } from './support/run.ts';

/**
 * Seeds that always run. One that found something comes here, with what it found; with others' packets it may need a few runs to
 * find it again, so whatever it found has a test of its own besides.
 */
const kept: readonly number[] = [1];

const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const actions = number('ACTIONS', 2000);
const gates = number('GATES', 3);
const given = process.env['SEED'];
const seeds =
  given === undefined
    ? [...kept, ...Array.from({ length: number('SEEDS', 1) }, () => randomInt(2, 1_000_000_000))]
    : Array.from({ length: number('SEEDS', 1) }, (_, at) => Number(given) + at);

/** At most so many sentences of what is wrong; of those that differ only in ids, one. */
const shownMax = 25;

function shown(problems: readonly string[]): string {
  const kinds = new Map<string, readonly string[]>();
  for (const one of problems) {
    const kind = one.replaceAll(/(?:act|apr|exe)_[0-9a-z]+|\d+/g, '');
    kinds.set(kind, [...(kinds.get(kind) ?? []), one]);
  }
  const lines = [...kinds.values()].map((same) => `${same.length} × ${same[0] ?? ''}`);
  return lines.slice(0, shownMax).join('\n');
}

function told({ counts, ledger, ms, faults }: Ran): string {
  const { wakes } = ledger;
  const at = (share: number): number => wakes[Math.floor(wakes.length * share)] ?? Number.NaN;
  const woken = wakes.length === 0 ? '' : `; woken p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
  const noted = [...ledger.counts].map(([what, times]) => `${what} ${times}`).join(', ');
  return `${Math.round(ms / 1000)} s, ${faults.length} faults, ${JSON.stringify(counts)}${woken}; ${noted}`;
}

for (const seed of seeds)
  test(`seed ${seed}: ${actions} actions at ${gates} gates: nothing acknowledged is lost, nothing runs twice or unapproved, the log verifies`, async () => {
    console.log(`seed ${seed} (again: SEED=${seed} ACTIONS=${actions} npm run test:cluster)`);
    const ran = await clusterRun({ seed, actions, gates });
    console.log(`seed ${seed}: ${told(ran)}`);
    assert.ok(ran.counts.executions > actions / 4, 'a run without runs shows nothing');
    const again = `SEED=${seed} ACTIONS=${actions} npm run test:cluster`;
    assert.ok(
      ran.problems.length === 0,
      `${ran.problems.length} problems; again: ${again}\n${shown(ran.problems)}`,
    );
  });
