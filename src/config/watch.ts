/**
 * Tells when the configuration or the policies folder has changed and has then been quiet for a moment, or has not been for two seconds. The system's watcher
 * makes it quick; looking again every second makes it certain (network file systems, editors that replace files, folders that
 * come and go). Never throws: what cannot be looked at is itself a state that may change.
 */
import { watch as watchSystem, type FSWatcher } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from './secrets.ts';

/** How often the files are looked at without any sign. */
const lookAgainMs = 1000;
/** How long nothing may change before what is there is proposed: an editor writes several times. */
const quietMs = 300;
/** How long it is waited for that at most: whoever never stops writing must not keep others' changes from being read. */
const restlessMs = 2000;

/** What is watched: single files, and the files right in some folders. */
export interface Watched {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/**
 * Calls back after each change since this call, one call at a time; a change during a call brings another.
 * @param since stamps of files by path, as they were when somebody read them: a change since then is told as well.
 */
export async function watchFiles(
  watched: () => Watched,
  changed: () => Promise<void>,
  since: ReadonlyMap<string, string> = new Map(),
): Promise<{ stop(): Promise<void> }> {
  const watcher = new Watcher(watched, changed);
  await watcher.start(since);
  return { stop: () => watcher.stop() };
}

class Watcher {
  readonly #watched: () => Watched;
  readonly #changed: () => Promise<void>;
  #seen = '';
  #system: FSWatcher[] = [];
  #quiet: NodeJS.Timeout | undefined;
  /** When the first change came that is not told yet, on the monotonic clock; null where there is none. */
  #restlessSince: number | null = null;
  #again: NodeJS.Timeout | undefined;
  #looking = false;
  #lookOnceMore = false;
  #stopped = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(watched: () => Watched, changed: () => Promise<void>) {
    this.#watched = watched;
    this.#changed = changed;
  }

  async start(since: ReadonlyMap<string, string>): Promise<void> {
    this.#seen = await fingerprint(this.#watched(), since);
    this.#listen();
    void this.#look();
  }

  /** Resolves when no call is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#quiet);
    clearTimeout(this.#again);
    this.#deafen();
    await this.#turn;
  }

  #deafen(): void {
    for (const one of this.#system) one.close();
    this.#system = [];
  }

  /** Folders only: an editor that replaces a file would leave a watcher of the file itself behind with the old one. */
  #listen(): void {
    this.#deafen();
    const { files, folders } = this.#watched();
    for (const folder of new Set([...files.map((file) => dirname(file)), ...folders])) {
      try {
        const one = watchSystem(folder, { persistent: false }, () => void this.#look());
        one.on('error', () => one.close());
        this.#system.push(one);
      } catch {
        // The folder is not there, or the system has no watchers left: looking every second must do.
      }
    }
  }

  async #look(): Promise<void> {
    if (this.#looking) {
      this.#lookOnceMore = true;
      return;
    }
    this.#looking = true;
    const now = await fingerprint(this.#watched());
    this.#looking = false;
    if (this.#stopped) return;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => void this.#look(), lookAgainMs).unref();
    if (this.#seen !== now) {
      clearTimeout(this.#quiet);
      const atMs = performance.now();
      this.#restlessSince ??= atMs;
      const left = Math.max(0, this.#restlessSince + restlessMs - atMs);
      this.#quiet = setTimeout(() => this.#fire(), Math.min(quietMs, left)).unref();
    }
    this.#seen = now;
    if (this.#lookOnceMore) {
      this.#lookOnceMore = false;
      void this.#look();
    }
  }

  #fire(): void {
    this.#restlessSince = null;
    this.#listen();
    // What it throws is for whoever gave the callback to handle; the next change must still be told.
    const call = (): Promise<void> => (this.#stopped ? Promise.resolve() : this.#changed());
    this.#turn = this.#turn.then(call).catch(() => undefined);
  }
}

/** What would differ after any change of what is watched. */
export async function fingerprint(
  { files, folders }: Watched,
  since: ReadonlyMap<string, string> = new Map(),
): Promise<string> {
  const inside = await Promise.all(folders.map(async (folder) => listed(folder)));
  const all = [...files, ...inside.flat()];
  const stamps = await Promise.all(
    all.map(async (file) => `${file} ${since.get(file) ?? (await stampOf(file))}`),
  );
  return stamps.join('\n');
}

async function listed(folder: string): Promise<readonly string[]> {
  try {
    return [folder, ...(await readdir(folder)).toSorted().map((name) => join(folder, name))];
  } catch {
    return [folder];
  }
}

/** What would differ after a write: size, times and inode; or why there is nothing to see. Never rejects. */
export async function stampOf(file: string): Promise<string> {
  try {
    const { size, mtimeNs, ctimeNs, ino } = await stat(file, { bigint: true });
    return `${size} ${mtimeNs} ${ctimeNs} ${ino}`;
  } catch (error) {
    return codeOf(error);
  }
}
