/**
 * What every gate could do at the same moment is done by the one that is first: those that hear of it from another gate wait a
 * little, each for another time, and then mostly find it done. It saves work, and promises nothing: the store decides who does it.
 */
import type { Parts } from './parts.ts';

/** Whoever wrote what is to be done has this long to do it. */
const othersFirstMs = 100;
/** And no two of the others come at once. */
const spreadMs = 300;

/** How long to wait before doing what another gate has heard of too; 0 where no other gate can be. */
export function othersFirst({ store, random }: Pick<Parts, 'store' | 'random'>): number {
  return store.shared ? othersFirstMs + spreadMs * fraction(random) : 0;
}

/** The same of what no gate is nearer to, such as a time that has come. */
export function notAtOnce({ store, random }: Pick<Parts, 'store' | 'random'>): number {
  return store.shared ? spreadMs * fraction(random) : 0;
}

function fraction(random: Parts['random']): number {
  const [byte = 0] = random.bytes(1);
  return byte / 256;
}
