/**
 * The connector's public keys (RFC 7517), fetched when they are needed and kept for a while. Nobody can make the gate fetch more
 * than once within the cool-down, however many tokens with unknown keys they send.
 */
import type { Clock } from '../../ports/clock.ts';

/** How long one fetch may take: less than the platform waits for an answer. */
export const keysFetchMs = 3000;
/** How much of an answer is read; Microsoft's set, with certificates in it, has some 30 KiB. */
export const keySetBytesMax = 262_144;
export const keysMax = 100;
/** After a fetch, whether it worked or not, there is none for so long. */
export const keysCoolDownMs = 30_000;
/** Keys are fetched anew when they are older. */
export const keysFreshMs = 60 * 60_000;
/** Keys that could not be fetched anew are good for so long. Microsoft advises to ask once a day; its own SDK keeps them for five. */
export const keysKeptMs = 24 * 3_600_000;

export interface ConnectorKey {
  readonly kty: 'RSA';
  readonly n: string;
  readonly e: string;
  /** The channels that it may sign for; null where the key does not say. */
  readonly endorsements: readonly string[] | null;
}

/** The key of an id; undefined where there is none, or the keys are not to be had. */
export type Keys = (kid: string) => Promise<ConnectorKey | undefined>;

export function createKeys(url: string, clock: Clock, say: (line: string) => void): Keys {
  let known: ReadonlyMap<string, ConnectorKey> = new Map();
  let knownAtMs: number | undefined;
  let triedAtMs: number | undefined;
  let fetching: Promise<void> | undefined;
  const fetchNow = async (): Promise<void> => {
    triedAtMs = clock.nowMs();
    try {
      known = keysIn(JSON.parse(await textAt(url)) as unknown);
      knownAtMs = clock.nowMs();
    } catch {
      say(
        `Teams: the keys of its connector cannot be fetched from ${url}. What people press there cannot be checked.`,
      );
    } finally {
      fetching = undefined;
    }
  };
  const refresh = async (): Promise<void> => {
    const rests = triedAtMs !== undefined && clock.nowMs() - triedAtMs < keysCoolDownMs;
    if (fetching === undefined && !rests) fetching = fetchNow();
    await fetching;
  };
  const age = (): number => (knownAtMs === undefined ? Infinity : clock.nowMs() - knownAtMs);
  return async (kid) => {
    if (age() >= keysFreshMs || !known.has(kid)) await refresh();
    return age() >= keysKeptMs ? undefined : known.get(kid);
  };
}

/** RSA keys for signatures, by id. What is no such key is left out; throws where it is no key set. */
function keysIn(value: unknown): ReadonlyMap<string, ConnectorKey> {
  const { keys } = recordOf(value);
  if (!Array.isArray(keys) || keys.length > keysMax) throw new TypeError('no key set');
  const found = keys.flatMap((one): [string, ConnectorKey][] => {
    const { kid, kty, use, n, e, endorsements } = recordOf(one);
    const isOne = typeof kid === 'string' && typeof n === 'string' && typeof e === 'string';
    if (!isOne || kty !== 'RSA' || (use !== undefined && use !== 'sig')) return [];
    return [[kid, { kty, n, e, endorsements: textsIn(endorsements) }]];
  });
  return new Map(found);
}

const textsIn = (value: unknown): readonly string[] | null =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : null;

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
    ? // An object; its fields are read as unknown.
      (value as Readonly<Record<string, unknown>>)
    : {};

/** Follows no redirect: what answers is what was configured. */
async function textAt(url: string): Promise<string> {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(keysFetchMs),
    headers: { accept: 'application/json' },
  });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > keySetBytesMax) throw new RangeError('key set too large');
    chunks.push(chunk);
  }
  if (response.status !== 200) throw new TypeError(`HTTP ${response.status}`);
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}
