/** A copy of the log in a folder, as a source (folder-files.ts has the forms of its files). */
import { join } from 'node:path';
import type { LogKey } from '../../core/log-key.ts';
import { tilePath } from '../tiles.ts';
import { bytesOf, checkpointOfLine, entriesName, newestOf, textOf } from './folder-files.ts';
import { ownOfFolder } from './folder-own.ts';
import { problem } from './problem.ts';
import type { LogSource } from './source.ts';

export function folderSource(folder: string, place: string): LogSource {
  const at = (name: string): string => join(folder, ...name.split('/'));
  return {
    place,
    async newest() {
      const bytes = await bytesOf(at('checkpoint'));
      return bytes === undefined
        ? `There is no file “checkpoint” in ${place}: it is no copy of a log.`
        : newestOf(bytes);
    },
    checkpoints: async function* () {
      const text = textOf((await bytesOf(at('checkpoints.jsonl'))) ?? new Uint8Array());
      for (const [number, line] of text.split('\n').slice(0, -1).entries())
        yield (
          checkpointOfLine(line) ??
          problem(
            'checkpoint',
            null,
            `Line ${number + 1} of checkpoints.jsonl is not in the form that it was written in.`,
          )
        );
    },
    async keys() {
      const text = textOf((await bytesOf(at('keys.json'))) ?? new Uint8Array());
      try {
        const read: unknown = JSON.parse(text);
        // `own` compares the whole text with what these keys are written as, and `whole.ts` each with its entries.
        const { keys } = read as { readonly keys: readonly LogKey[] };
        return keys.filter((key) => typeof key.id === 'string' && typeof key.spki === 'string');
      } catch {
        return [];
      }
    },
    async segment(n, width) {
      const [bytes, bundle, tile] = await Promise.all([
        bytesOf(at(entriesName(n))),
        bytesOf(at(tilePath('entries', n, width))),
        bytesOf(at(tilePath(0, n, width))),
      ]);
      return { n, width, entries: { kind: 'lines', bytes }, bundle, tile: exact(tile, width) };
    },
    tile: async (level, n, width) => exact(await bytesOf(at(tilePath(level, n, width))), width),
    rest: async function* () {
      // A copy ends with its checkpoint.
    },
    own: (newest) => ownOfFolder(folder, newest),
  };
}

/** A file that is longer than its tile is no tile. */
const exact = (tile: Uint8Array | undefined, width: number): Uint8Array | undefined =>
  tile?.length === width * 32 ? tile : undefined;
