/**
 * A pipe to an upstream that is a process of ours (MCP transport "stdio"). The process gets PATH, HOME and what the
 * configuration names, and nothing else of the gate's environment; it is never given to a shell.
 *
 * The official SDK's StdioClientTransport is not used: it adds LOGNAME, SHELL, TERM and USER to every environment, and it
 * gives parsed messages only, so that numbers beyond 2^53 in a result would be changed on their way to the agent.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as after } from 'node:timers/promises';
import type { Upstream } from '../../ports/settings.ts';
import { readLines } from './lines.ts';
import { keyOf, readIncoming, type RequestId } from './message.ts';
import { messageBytesMax, messageOf, type Log, type Pipe, type PipeEvents } from './pipe.ts';

/** How long a process may take to end by itself, and again after SIGTERM, before the next, harder step. */
const graceMs = 2000;
/** How often is looked whether what a process left behind has ended. */
const lookMs = 25;
/** Longest line of a process's standard error that is passed on, in UTF-16 units. */
const stderrCharsMax = 1000;
/** How many such lines a process may write before the rest is dropped. */
const stderrLinesMax = 1000;

/** On Windows a process without these does not start. */
const inherited =
  process.platform === 'win32'
    ? ['PATH', 'Path', 'HOME', 'USERPROFILE', 'SYSTEMROOT', 'SystemRoot']
    : ['PATH', 'HOME'];

/** All that a process of an upstream gets to see. */
export function environmentOf(upstream: Upstream & { readonly kind: 'command' }): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of inherited) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return { ...env, ...upstream.env };
}

/** Starts the process. A command that cannot be started is told by `closed`. */
export function openProcess(
  upstream: Upstream & { readonly kind: 'command' },
  on: PipeEvents,
  log: Log,
): Pipe {
  const [command = '', ...args] = upstream.argv;
  // A group of its own: what the command starts in turn (npx does) ends with it, and Ctrl-C in the gate's terminal is the gate's.
  const child = spawn(command, args, {
    cwd: upstream.cwd,
    env: environmentOf(upstream),
    stdio: ['pipe', 'pipe', 'pipe'],
    shell: false,
    windowsHide: true,
    detached: process.platform !== 'win32',
  });
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => void endGroup(child).then(resolve));
  });
  const inFlight = new Map<string, RequestId>();
  let over: string | undefined;
  const end = (detail: string): void => {
    if (over !== undefined) return;
    over = detail;
    for (const id of inFlight.values()) on.failed(id, { kind: 'lost', detail });
    inFlight.clear();
    on.closed(detail);
  };
  const lines = readLines(messageBytesMax, (line) => {
    if (over !== undefined || line.trim() === '') return;
    const incoming = readIncoming(line);
    if (incoming.length === 0) log('wrote a line to standard output that is no message');
    for (const one of incoming) {
      if ((one.kind === 'result' || one.kind === 'error') && one.id !== null) inFlight.delete(keyOf(one.id));
      on.message(one, null);
    }
  });
  child.stdout.on('data', (chunk: Uint8Array) => {
    if (lines.push(chunk)) return;
    end('it wrote a message that is too large');
    void stop(child, gone);
  });
  child.stdin.on('error', () => undefined); // told by `exit`
  child.on('error', (error) => end(`it could not be started: ${messageOf(error)}`));
  // Not `exit`: what the process wrote before it ended is still read first.
  child.on('close', (code, signal) =>
    end(`its process ended (${signal ?? `exit code ${code ?? 'unknown'}`})`),
  );
  relayErrors(child, log);
  const write = (text: string): Promise<void> =>
    new Promise((resolve) => {
      if (over === undefined) child.stdin.write(`${text}\n`, () => resolve());
      else resolve();
    });
  return {
    request: (id, text) => {
      if (over !== undefined) return on.failed(id, { kind: 'unsent', detail: over });
      inFlight.set(keyOf(id), id);
      void write(text);
    },
    forget: (id) => void inFlight.delete(keyOf(id)),
    tell: write,
    agreed: () => undefined,
    close: () => {
      end('the gate closed it');
      return stop(child, gone);
    },
  };
}

function relayErrors(child: ChildProcess, log: Log): void {
  let left = stderrLinesMax;
  const lines = readLines(messageBytesMax, (line) => {
    left -= 1;
    if (left >= 0) log(line.slice(0, stderrCharsMax));
    if (left === 0) log('(further lines are dropped)');
  });
  child.stderr?.on('data', (chunk: Uint8Array) => {
    if (!lines.push(chunk)) child.stderr?.destroy();
  });
}

/**
 * Closes its standard input, then asks, then forces it to end (MCP lifecycle, shutdown).
 * @param gone resolves when it has ended, and its group with it.
 */
async function stop(child: ChildProcess, gone: Promise<void>): Promise<void> {
  const running = (): boolean =>
    child.exitCode === null && child.signalCode === null && child.pid !== undefined;
  if (child.pid === undefined) return; // was never started
  child.stdin?.end();
  const ended = new Promise<void>((resolve) => {
    if (running()) child.once('exit', () => resolve());
    else resolve();
  });
  await withinGrace(ended);
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!running()) break;
    signalGroup(child, signal);
    await withinGrace(ended);
  }
  if (!running()) await gone;
}

async function withinGrace(ended: Promise<void>): Promise<void> {
  const timer = new AbortController();
  const late = after(graceMs, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([ended, late]);
  timer.abort();
}

function signalGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    if (process.platform === 'win32' || child.pid === undefined) child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    child.kill(signal); // the group is gone already, or never was
  }
}

/**
 * Ends what a process that has just ended leaves behind in its group, as wrappers do. Asked at once, because while any of it
 * lives no other process can get the group's id, and later one might: once the group was seen empty it is never signalled.
 */
async function endGroup({ pid }: ChildProcess): Promise<void> {
  if (process.platform === 'win32' || pid === undefined) return;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!reaches(-pid, signal)) return;
    for (let leftMs = graceMs; leftMs > 0; leftMs -= lookMs) {
      await after(lookMs);
      if (!reaches(-pid, 0)) return;
    }
  }
}

/** Signals a process, or a group by its negative; false where there is none, or none of ours. */
function reaches(pid: number, signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
