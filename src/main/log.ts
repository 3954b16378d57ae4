/** The transparency log of a gate: what publishes it, has it cosigned and stamped, and tells of it, out of the settings. */
import { randomUUID } from 'node:crypto';
import type { Settings } from '../config.ts';
import { keepCosigned } from '../log/cosigning.ts';
import { memoryIn } from '../log/given.ts';
import { keysFolder } from '../log/key-files.ts';
import { keysFrom } from '../log/keys.ts';
import { hostOf } from '../log/origin.ts';
import { keepPublished } from '../log/publish.ts';
import { keepStamped } from '../log/stamping.ts';
import { createTransparency } from '../log/transparency.ts';
import type { Clock } from '../ports/clock.ts';
import type { Meters } from '../ports/meters.ts';
import type { Store } from '../ports/store.ts';
import type { Transparency } from '../ports/transparency.ts';

export interface RunningLog {
  readonly transparency: Transparency;
  /** Publishes what is committed by now. */
  stop(): Promise<void>;
}

/** Where the keys of a store are, and what it remembers; null: it has no folder. */
export const keysFolderOf = ({ store }: Pick<Settings, 'store'>): string | null =>
  store.kind === 'sqlite' ? keysFolder(store.directory) : null;

/** Starts to publish; rejects where there are no keys that it may use. */
export async function openLog(
  settings: Settings,
  parts: {
    /** As it was opened: the log goes on where others may let nothing run. */
    readonly store: Store;
    readonly clock: Clock;
    readonly origin: string;
    readonly say: (line: string) => void;
    readonly meters?: Meters;
  },
): Promise<RunningLog> {
  const { store, clock } = parts;
  const { log } = settings;
  const folder = keysFolderOf(settings);
  const publisher = await keepPublished({
    store,
    clock,
    say: parts.say,
    keys: keysFrom(folder, log.keys),
    memory: memoryIn(folder),
    base: log.origin ?? hostOf(parts.origin),
    settings: log,
    // The folder is locked to one process; after a crash the next goes on at once.
    holder: folder === null ? randomUUID() : 'gate',
  });
  parts.meters?.gauge('tree_held', () => (publisher.holds ? 1 : 0));
  const { lateMs, witnesses, stamps } = log;
  const holds = (): boolean => publisher.holds;
  const cosigning = keepCosigned({ store, clock, witnesses, lateMs, holds, given: () => publisher.given });
  const stamping = stamps === null ? null : keepStamped({ store, clock, settings: stamps, lateMs, holds });
  return {
    transparency: createTransparency({ store, settings: log, publisher, cosigning, stamping }),
    async stop() {
      await Promise.all([cosigning.stop(), stamping?.stop()]);
      await publisher.stop();
    },
  };
}
