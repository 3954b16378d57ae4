/** The log in a store, beside a running gate or without one. Reads only. */
import type { LogStore, StoredCheckpoint } from '../../ports/log-store.ts';
import type { Sha256Hex } from '../../core/ids.ts';
import type { LoggedEntry } from './line.ts';
import { problem, type Problem } from './problem.ts';
import type { LogSource } from './source.ts';

/** What is read of a store. */
export type StoreReads = Pick<
  LogStore,
  'rawEntries' | 'leaves' | 'tile' | 'newestCheckpoint' | 'checkpointCovering' | 'checkpoints' | 'logKeys'
> & {
  /** Number of entries, and the last head. */
  head(): Promise<{ readonly size: number; readonly head: Sha256Hex }>;
};

/** Entries that are read at a time beyond the tree. */
const pageMax = 1000;

export function storeSource(store: StoreReads, place: string): LogSource {
  const origins = async (): Promise<readonly string[]> => [
    ...new Set((await store.logKeys()).flatMap((key) => (key.origin === null ? [] : [key.origin]))),
  ];
  async function* of(origin: string): AsyncGenerator<StoredCheckpoint> {
    for (let size = 0; ;) {
      const one = await store.checkpointCovering(size, origin);
      if (one === undefined) return;
      yield one;
      size = one.size + 1;
    }
  }
  return {
    place,
    newest: async () =>
      (await store.newestCheckpoint()) ?? 'The store has no checkpoint yet: nothing was published.',
    checkpoints: async function* () {
      yield* merged((await origins()).map(of));
    },
    keys: () => store.logKeys(),
    async segment(n, width) {
      const first = n * 256;
      const [entries, leaves, tile] = await Promise.all([
        store.rawEntries(first, width),
        store.leaves(first, width),
        store.tile(0, n),
      ]);
      const signed = new Map(leaves.map((leaf) => [leaf.index, leaf]));
      const rows = entries
        .filter((one) => one.index < first + width)
        .map((one): LoggedEntry => {
          const leaf = signed.get(one.index);
          const { index, statement, pae, atMs, type, head } = one;
          // Without a leaf its key is none that the log names, and that is what is said of it.
          return {
            index,
            statement,
            pae,
            keyId: leaf?.keyId ?? '',
            signature: leaf?.signature ?? '',
            row: { atMs, type, head },
          };
        });
      return { n, width, entries: { kind: 'rows', rows }, bundle: null, tile };
    },
    tile: async (level, n) => store.tile(level, n),
    rest: async function* (from) {
      for (let next = from; ;) {
        const page = await store.rawEntries(next, pageMax);
        for (const { index, statement, pae, atMs, type, head } of page)
          yield { index, statement, pae, row: { atMs, type, head } };
        if (page.length < pageMax) return;
        next = (page.at(-1)?.index ?? next) + 1;
      }
    },
    own: async ({ size }) => ({ problems: await ownOf(store, size, await origins()), warnings: [] }),
  };
}

/** Facts that stand beside the log in rows of their own. */
async function ownOf(
  store: StoreReads,
  size: number,
  origins: readonly string[],
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const head = await store.head();
  if (head.size < size)
    problems.push(
      problem(
        'row',
        head.size,
        `The store says that it has ${head.size} entries, and a checkpoint covers ${size}.`,
      ),
    );
  // Those of names that the log never had are not among the checkpoints that are looked at.
  for (const { origin } of await store.checkpoints(pageMax))
    if (!origins.includes(origin))
      problems.push(
        problem(
          'checkpoint',
          null,
          `The store keeps a checkpoint of ${origin}, which is no name of this log.`,
        ),
      );
  return problems;
}

/** Several rows of checkpoints, each the smallest first, as one. */
async function* merged(rows: readonly AsyncGenerator<StoredCheckpoint>[]): AsyncGenerator<StoredCheckpoint> {
  const heads = await Promise.all(rows.map((row) => row.next()));
  for (;;) {
    let least: { readonly at: number; readonly one: StoredCheckpoint } | undefined;
    for (const [at, head] of heads.entries())
      if (head.done !== true && (least === undefined || head.value.size < least.one.size))
        least = { at, one: head.value };
    const row = least === undefined ? undefined : rows[least.at];
    if (least === undefined || row === undefined) return;
    yield least.one;
    heads[least.at] = await row.next();
  }
}
