/** One check by a verifier that is not ours, and what running programs needs. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { lastLine, type Debian } from './debian.ts';
import type { Fixture } from './fixture.ts';

export interface Place {
  readonly debian: Debian;
  /** Scratch, of this run. */
  readonly folder: string;
  readonly fixture: Fixture;
}

export interface Check {
  /** What is shown by it, in words. */
  readonly name: string;
  /** The package that verifies, whose version is told. */
  readonly verifier: string;
  /** Debian packages that it needs. */
  readonly packages: readonly string[];
  /** Commands of the machine that it runs. */
  readonly commands?: readonly string[];
  /** Rejects where what must hold does not. Answers what was done, in a few words. */
  run(place: Place): Promise<string>;
}

const execute = promisify(execFile);
/** One run of one verifier; one that hangs has failed. */
export const runMsMax = 60_000;

export interface Ran {
  readonly ok: boolean;
  /** What it said last. */
  readonly said: string;
}

/** Runs a program to its end. A program that cannot be started, or hangs, rejects: that is no verdict. */
export async function ran(
  file: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string; readonly timeout?: number } = {},
): Promise<Ran> {
  try {
    const { stdout } = await execute(file, args, {
      timeout: runMsMax,
      maxBuffer: 16 * 1_048_576,
      ...options,
    });
    return { ok: true, said: stdout.trim().split('\n').at(-1) ?? '' };
  } catch (error) {
    if (error instanceof Error && 'killed' in error && error.killed === true)
      throw new Error(`${file} did not end in time`, { cause: error });
    if (error instanceof Error && 'code' in error && typeof error.code === 'number')
      return { ok: false, said: lastLine(error) };
    throw error;
  }
}

/** What verifies must be taken; what was altered must not. */
export function mustHold(one: Ran, what: string): void {
  if (!one.ok) throw new Error(`${what} was refused: ${one.said}`);
}
export function mustFail(one: Ran, what: string): void {
  if (one.ok) throw new Error(`${what} was taken as good: ${one.said}`);
}
