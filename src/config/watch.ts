/**
 * Tells when the configuration or the policies folder has changed and has then been quiet for a moment. The system's watcher
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

/** What is watched: single files, and the files right in some folders. */
export interface Watched {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** Calls back after each change, one call at a time; a change during a call brings another. */
export function watchFiles(watched: () => Watched, changed: () => Promise<void>): { stop(): Promise<void> } {
  const watcher = new Watcher(watched, changed);
  watcher.start();
  return { stop: () => watcher.stop() };
}

class Watcher {
  readonly #watched: () => Watched;
  readonly #changed: () => Promise<void>;
  #seen: string | undefined;
  #system: FSWatcher[] = [];
  #quiet: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #looking = false;
  #lookOnceMore = false;
  #stopped = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(watched: () => Watched, changed: () => Promise<void>) {
    this.#watched = watched;
    this.#changed = changed;
  }

  start(): void {
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
    if (this.#seen !== undefined && this.#seen !== now) {
      clearTimeout(this.#quiet);
      this.#quiet = setTimeout(() => this.#fire(), quietMs).unref();
    }
    this.#seen = now;
    if (this.#lookOnceMore) {
      this.#lookOnceMore = false;
      void this.#look();
    }
  }

  #fire(): void {
    this.#listen();
    // What it throws is for whoever gave the callback to handle; the next change must still be told.
    const call = (): Promise<void> => (this.#stopped ? Promise.resolve() : this.#changed());
    this.#turn = this.#turn.then(call).catch(() => undefined);
  }
}

/** What would differ after a write: names, sizes, times and inodes. */
async function fingerprint({ files, folders }: Watched): Promise<string> {
  const inside = await Promise.all(folders.map(async (folder) => listed(folder)));
  const all = [...files, ...inside.flat()];
  return (await Promise.all(all.map(stamp))).join('\n');
}

async function listed(folder: string): Promise<readonly string[]> {
  try {
    return [folder, ...(await readdir(folder)).toSorted().map((name) => join(folder, name))];
  } catch {
    return [folder];
  }
}

async function stamp(file: string): Promise<string> {
  try {
    const { size, mtimeNs, ctimeNs, ino } = await stat(file, { bigint: true });
    return `${file} ${size} ${mtimeNs} ${ctimeNs} ${ino}`;
  } catch (error) {
    return `${file} ${codeOf(error)}`;
  }
}
