/**
 * Everything that a run starts, ended by its own process id however the test ends: by returning, by a failure, by the runner's
 * SIGTERM. Folders that were made go with it.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';

const started = new Set<number>();
const folders = new Set<string>();

/** Sends SIGKILL to one process; what has ended by itself is none. */
function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone.
  }
}

/** Ids of the processes that this one started and that still run (Linux). */
function childrenOf(pid: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        // The command's name is in parentheses and may hold anything; the parent is the second word behind it.
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** kill -9 of a process and of all that it started: as when its machine goes. */
export function killWhole(pid: number): void {
  end(pid, 'SIGSTOP'); // so that it starts nothing more, and mends nothing
  for (const child of childrenOf(pid)) end(child, 'SIGKILL');
  end(pid, 'SIGKILL');
}

/** From here on this process is ended with us. */
export function endsWithUs(pid: number): void {
  started.add(pid);
}

/** It has ended: its number may be somebody else's by and by. */
export function hasEnded(pid: number): void {
  started.delete(pid);
}

/** Removed at the end, if it is still there. */
export function goesWithUs(folder: string): void {
  folders.add(folder);
}

/** Ends and removes what is left. Keeps folders where `KEEP` is set, for looking at what a seed did. */
export function endAll(): void {
  for (const pid of started) killWhole(pid);
  started.clear();
  if (process.env['KEEP'] === undefined)
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  folders.clear();
}

process.once('exit', endAll);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  process.once(signal, () => {
    endAll();
    process.exit(1);
  });
