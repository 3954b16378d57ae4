/** A store with a published log, and what verifies it: for log.ts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSettings } from '../src/config.ts';
import { aboutNothing, type EntryDraft } from '../src/core/entry.ts';
import { openLog, type RunningLog } from '../src/main/log.ts';
import type { Store } from '../src/ports/store.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import { fileOf } from './process.ts';

export interface KeptLog {
  readonly store: Store;
  readonly log: RunningLog;
  close(): Promise<void>;
}

const config = 'url: http://bench.test\ndata: ./data\nroles: { auditors: audit }\n';

/** A store in a folder whose log is published. */
export async function openKept(folder: string): Promise<KeptLog> {
  const file = join(folder, 'countersign.yaml');
  writeFileSync(file, config);
  const settings = parseSettings(config, file);
  if (!settings.ok) throw new Error(JSON.stringify(settings.error));
  const clock = { nowMs: () => Date.now() };
  const store = await openSqlite({ directory: join(folder, 'data'), channels: [], clock });
  const say = (): void => undefined;
  const log = await openLog(settings.value, { store, clock, origin: 'http://bench.test', say });
  return {
    store,
    log,
    async close() {
      await log.stop();
      await store.close();
    },
  };
}

/** Entries of one command, and commands on their way at once. */
const perRecord = 100;
const atOnce = 64;

export interface Filled extends KeptLog {
  readonly folder: string;
  /** Entries, all published. */
  readonly entries: number;
  readonly built: { readonly publishedPerSecond: number; readonly peakMb: number };
}

/** Writes so many entries with the store's own commands, and waits until the tree holds them. */
export async function largeLog(folder: string, entries: number): Promise<Filled> {
  const kept = await openKept(folder);
  const draft = (n: number): EntryDraft => ({
    type: 'gate.started',
    by: { kind: 'gate' },
    about: aboutNothing,
    subject: null,
    data: { n, filler: 'x'.repeat(600) },
  });
  const from = performance.now();
  for (let n = 0; n < entries;) {
    const batch: Promise<unknown>[] = [];
    for (let one = 0; one < atOnce && n < entries; one += 1, n += perRecord)
      batch.push(
        kept.store.change({
          kind: 'record',
          entries: Array.from({ length: perRecord }, (_, at) => draft(n + at)),
        }),
      );
    await Promise.all(batch);
  }
  const { size } = await kept.store.head();
  while (((await kept.store.newestCheckpoint())?.size ?? 0) < size)
    await new Promise((resolve) => setTimeout(resolve, 100));
  const seconds = (performance.now() - from) / 1000;
  return {
    ...kept,
    folder,
    entries: size,
    built: { publishedPerSecond: size / seconds, peakMb: peakMbOf('self') },
  };
}

/** The most memory that a process had resident; 0 where the system does not say. */
function peakMbOf(pid: number | 'self'): number {
  try {
    const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(line?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

export interface Verified {
  readonly seconds: number;
  readonly peakMb: number;
}

/** `countersign log verify` over the store of a folder; throws where it does not say that all is well. */
export async function verifyWhole(folder: string): Promise<Verified> {
  const from = performance.now();
  const child = spawn(
    process.execPath,
    [fileOf('../src/cli.ts'), 'log', 'verify', '--config', join(folder, 'countersign.yaml')],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => (said += part.toString()));
  let peakMb = 0;
  const look = setInterval(() => (peakMb = Math.max(peakMb, peakMbOf(child.pid ?? 0))), 100);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(look);
  if (code !== 0) throw new Error(`log verify: ${said.slice(-500)}`);
  return { seconds: (performance.now() - from) / 1000, peakMb };
}
