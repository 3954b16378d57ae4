/** Runs the official conformance suite against one URL and reads what it found. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of the specification, each with a frozen set of scenarios. */
export const revisions = ['2025-11-25', '2026-07-28'] as const;
export type Revision = (typeof revisions)[number];

export interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
}

/** Scenario → its checks, in the order in which they were made. */
export type Findings = ReadonlyMap<string, readonly Check[]>;

const program = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
);

/** A run of all scenarios takes 15 s. */
const runMsMax = 180_000;

/** `only`: one scenario instead of all that the revision requires. The suite's own output is kept in the folder. */
export async function runSuite(
  url: string,
  revision: Revision,
  folder: string,
  only?: string,
): Promise<Findings> {
  mkdirSync(folder, { recursive: true });
  const which =
    only === undefined ? ['--requirements', revision] : ['--scenario', only, '--spec-version', revision];
  const child = spawn(process.execPath, [program, 'server', '--url', url, ...which, '-o', folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => said.push(part));
  }
  const late = setTimeout(() => child.kill('SIGKILL'), runMsMax);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(late);
  writeFileSync(join(folder, 'output.txt'), said.join(''));
  const findings = findingsIn(folder);
  // It exits 1 for failed checks as well: those are findings.
  if (code === null || findings.size === 0)
    throw new Error(`The suite did not run: ${said.join('').slice(-2000)}`);
  return findings;
}

/** The suite writes `server-SCENARIO-TIME/checks.json`. */
function findingsIn(folder: string): Findings {
  const found = new Map<string, readonly Check[]>();
  for (const name of readdirSync(folder)) {
    const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name)?.[1];
    if (scenario === undefined) continue;
    // The suite's own format, as far as it is read here.
    const checks = JSON.parse(readFileSync(join(folder, name, 'checks.json'), 'utf8')) as readonly Check[];
    found.set(scenario, checks);
  }
  return found;
}
