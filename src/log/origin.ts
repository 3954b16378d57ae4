/**
 * What a log calls itself: a bare host name, and `r2.NAME`, `r3.NAME` … where it cannot go on under the name before without
 * signing two different logs of one size.
 */

/** The host name of the gate's public address, as it stands in a URL. */
export const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, '');

/** How a log is called the n-th time, from 1. */
export const originAt = (base: string, generation: number): string =>
  generation <= 1 ? base : `r${generation}.${base}`;

/** Which time that is; 0: it is another log's name. */
export function generationOf(base: string, origin: string): number {
  if (origin === base) return 1;
  const generation = Number(/^r([2-9]|[1-9]\d{1,5})\./.exec(origin)?.[1] ?? 0);
  return originAt(base, generation) === origin ? generation : 0;
}
