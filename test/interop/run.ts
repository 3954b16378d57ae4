/**
 * The log and its receipts before verifiers that are not ours (`npm run test:interop`). One line for each check; what cannot be
 * fetched is skipped with its reason, and the closing line counts both, so that a run which verified nothing does not look like one
 * that did. A verifier that runs and disagrees is a failure.
 *
 * `--folder DIR` keeps what was fetched there, for the next run.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Check, Place } from './check.ts';
import { cosignChecks } from './cosign.ts';
import { debianIn, type Debian } from './debian.ts';
import { makeFixture } from './fixture.ts';
import { goChecks } from './go.ts';
import { witnessChecks } from './witness.ts';

const checks: readonly Check[] = [...cosignChecks, ...goChecks, ...witnessChecks];

const seconds = (sinceMs: number): string => `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const isCommand = (name: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));

/** Why a check cannot run; null where it can. */
async function missing(debian: Debian, { packages, commands = [] }: Check): Promise<string | null> {
  const command = commands.find((one) => !isCommand(one));
  return command === undefined ? debian.need(packages) : `there is no ${command} here`;
}

/** Answers whether it ran and held. */
async function ranCheck(place: Place, check: Check): Promise<'held' | 'failed' | 'skipped'> {
  const began = Date.now();
  const reason = await missing(place.debian, check);
  if (reason !== null) {
    say(`SKIP  ${check.name}: ${reason}`);
    return 'skipped';
  }
  try {
    const done = await check.run(place);
    say(
      `ok    ${check.name}: ${done} (${check.verifier} ${place.debian.versionOf(check.verifier)}, ${seconds(began)})`,
    );
    return 'held';
  } catch (error) {
    say(`FAIL  ${check.name}: ${error instanceof Error ? error.message : String(error)}`);
    return 'failed';
  }
}

async function main(kept: string | undefined): Promise<number> {
  const began = Date.now();
  const folder = await mkdtemp(join(tmpdir(), 'countersign-interop-'));
  const fetched = kept ?? join(folder, 'debian');
  await mkdir(fetched, { recursive: true });
  const fixture = await makeFixture(join(folder, 'log'));
  say(`a log of ${fixture.size} entries, made in ${seconds(began)}`);
  const counts = { held: 0, failed: 0, skipped: 0 };
  try {
    const place = { debian: await debianIn(fetched), folder, fixture };
    for (const check of checks) counts[await ranCheck(place, check)] += 1;
  } finally {
    await fixture.close();
    await rm(folder, { recursive: true, force: true });
  }
  say(
    `interop: ${counts.held + counts.failed} run, ${counts.skipped} skipped, ${counts.failed} failed, in ${seconds(began)}`,
  );
  return counts.failed === 0 ? 0 : 1;
}

const at = process.argv.indexOf('--folder');
process.exitCode = await main(at < 0 ? undefined : process.argv[at + 1]);
