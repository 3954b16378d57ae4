/** What pages may know of how this gate is configured: names and kinds out of settings that hold secrets. */
import { stat } from 'node:fs/promises';
import { serverShown, type About } from '../app/about.ts';
import type { ReadBoard } from '../app/standing.ts';
import type { Settings } from '../config.ts';
import type { Clock } from '../ports/clock.ts';
import type { ServerSettings } from '../ports/settings.ts';
import type { ProviderSettings } from '../ports/sign-in.ts';
import { databaseFile } from '../store/sqlite-protocol.ts';

/** @param servers that are served now. */
export const aboutOf = (
  settings: Settings,
  of: {
    readonly gate: string;
    readonly board: ReadBoard;
    readonly channels: readonly string[];
    readonly servers: () => readonly ServerSettings[];
    /** That people can sign in with now. */
    readonly providers: () => readonly ProviderSettings[];
    readonly clock: Clock;
  },
): About => ({
  gate: of.gate,
  board: of.board,
  channels: of.channels,
  get providers() {
    return of.providers().map(({ id, name, issuer }) => ({ id, name, issuer }));
  },
  servers: () => of.servers().map(serverShown),
  timezone: settings.timezone,
  payloadsMs: settings.log.payloadsMs,
  driftMs: driftSince(of.clock.nowMs(), performance.now(), of.clock),
  store: async () => {
    const { store } = settings;
    if (store.kind !== 'sqlite') return { kind: 'PostgreSQL', bytes: null };
    return { kind: 'SQLite, embedded', bytes: await sizeOf(store.directory) };
  },
});

const driftSince =
  (startedMs: number, steadyMs: number, clock: Clock): (() => number) =>
  () =>
    clock.nowMs() - startedMs - (performance.now() - steadyMs);

/** Of the database with its write-ahead log; null where it cannot be told. */
async function sizeOf(directory: string): Promise<number | null> {
  const file = databaseFile(directory);
  const sizes = await Promise.all(
    [file, `${file}-wal`].map((one) =>
      stat(one).then(
        (found) => found.size,
        () => 0,
      ),
    ),
  );
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return bytes === 0 ? null : bytes;
}
