/**
 * Times in which no gate wrote anything: nothing passed through this one, and what it would have said of that time it did not. Of
 * several gates one that starts while others run ends no downtime.
 */
import type { Entry } from '../entry.ts';
import type { Scope } from './model-sections.ts';
import { countAt, timeOf } from './read.ts';

export interface DowntimeFold {
  add(entry: Entry): void;
  done(): Pick<Scope, 'downtimes' | 'longestSilence'>;
}

/** What a start writes before it says that it started, at most. */
const startingEntriesMax = 5000;
/** Longest silences that are remembered until it is known which of them were downtimes. */
const silencesMax = 50;

type Light = Pick<Entry, 'index' | 'type'> & { readonly atMs: number };

/** @param before the last entry before the range; null: there is none */
export function createDowntimes(before: Entry | null): DowntimeFold {
  const downtimes: Scope['downtimes'][number][] = [];
  const silences: { readonly ms: number; readonly fromIndex: number }[] = [];
  /** Ends of downtimes: the entry before them is where one began. */
  const ended = new Set<number>();
  let recent: Light[] = before === null ? [] : [lightOf(before)];
  return {
    add(entry) {
      const now = lightOf(entry);
      const last = recent.at(-1);
      if (last !== undefined) noteSilence(silences, { ms: now.atMs - last.atMs, fromIndex: last.index });
      // Beside others that ran nothing was down.
      if (entry.type === 'gate.started' && (countAt(entry.data, 'others') ?? 0) === 0) {
        // The first entry that the start wrote; an older program does not say it.
        const after = countAt(entry.data, 'after') ?? entry.index;
        const since = recent.findLast((one) => one.index < after);
        if (since !== undefined) {
          ended.add(since.index);
          downtimes.push({
            sinceMs: since.atMs,
            sinceIndex: since.index,
            untilMs: now.atMs,
            untilIndex: now.index,
            clean: since.type === 'gate.stopped',
            lost: countAt(entry.data, 'lost'),
          });
        }
      }
      recent.push(now);
      if (recent.length > startingEntriesMax * 2) recent = recent.slice(-startingEntriesMax);
    },
    done: () => ({
      downtimes,
      longestSilence: silences.find((one) => !ended.has(one.fromIndex)) ?? null,
    }),
  };
}

const lightOf = (entry: Entry): Light => ({ index: entry.index, type: entry.type, atMs: timeOf(entry) });

/** The longest first. */
function noteSilence(
  silences: { readonly ms: number; readonly fromIndex: number }[],
  one: { readonly ms: number; readonly fromIndex: number },
): void {
  const least = silences.at(-1);
  if (silences.length >= silencesMax && least !== undefined && one.ms <= least.ms) return;
  const place = silences.findIndex((other) => other.ms < one.ms);
  silences.splice(place === -1 ? silences.length : place, 0, one);
  if (silences.length > silencesMax) silences.pop();
}
