/**
 * An issuer's public keys (RFC 7517), fetched when they are needed and kept for a while. Everything about it has a limit:
 * nobody can make the gate fetch more than once within the cool-down, however many tokens with unknown keys they send.
 */
import { createLocalJWKSet, errors, type JWTVerifyGetKey, type LocalJWKSet } from 'jose';
import type { Clock } from '../ports/clock.ts';
import type { KeysAt } from '../ports/sign-in.ts';

/** How long one fetch may take. */
export const fetchMs = 5000;
/** How much of an answer is read; sets with certificates in them have some 30 KiB. */
export const keySetBytesMax = 262_144;
export const keysMax = 100;
/** After a fetch, whether it worked or not, there is none for so long. */
export const coolDownMs = 30_000;
/** Keys are fetched anew when they are older. */
export const freshMs = 10 * 60_000;
/** Keys that could not be fetched anew are good for so long: an issuer that withdraws a key wants it to be gone. */
export const keptMs = 60 * 60_000;

/** The keys are not to be had: nothing is known of the token. Its message is for operators. */
export class KeysUnavailable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KeysUnavailable';
  }
}

export interface KeysOf {
  readonly issuer: string;
  readonly keys: KeysAt;
}

/** Answers the key of a token's header; throws {@link KeysUnavailable}, or jose's errors where there is none. */
export function createKeys(
  { issuer, keys: at }: KeysOf,
  clock: Clock,
  say: (line: string) => void = () => undefined,
): JWTVerifyGetKey {
  if (at.kind === 'text') {
    let known: LocalJWKSet | undefined;
    return (header, token) => (known ??= createLocalJWKSet(keySetOf(at.text)))(header, token);
  }
  let known: LocalJWKSet | undefined;
  let knownAtMs = 0;
  let triedAtMs: number | undefined;
  let fetching: Promise<void> | undefined;
  const fetchNow = async (): Promise<void> => {
    triedAtMs = clock.nowMs();
    try {
      const url = at.kind === 'url' ? new URL(at.url) : await keysUrlOf(issuer);
      const text = await textAt(url);
      if (text === undefined) throw new KeysUnavailable('its keys are not there (HTTP 404)');
      known = createLocalJWKSet(keySetOf(text));
      knownAtMs = clock.nowMs();
    } catch (error) {
      say(`The issuer ${issuer}: ${why(error)}. Its tokens cannot be checked with new keys.`);
    } finally {
      fetching = undefined;
    }
  };
  const refresh = async (): Promise<void> => {
    const rests = triedAtMs !== undefined && clock.nowMs() - triedAtMs < coolDownMs;
    if (fetching === undefined && !rests) fetching = fetchNow();
    await fetching;
  };
  return async (header, token) => {
    if (known === undefined || clock.nowMs() - knownAtMs >= freshMs) await refresh();
    const before = usable();
    try {
      return await before(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await refresh();
      const now = usable();
      if (now === before) throw error;
      return now(header, token);
    }
  };

  function usable(): LocalJWKSet {
    if (known === undefined) throw new KeysUnavailable('its keys were never fetched');
    if (clock.nowMs() - knownAtMs >= keptMs) throw new KeysUnavailable('its keys are too old');
    return known;
  }
}

/** Where an issuer says that its keys are. Only at its own origin: elsewhere the operator has to say it (`jwks`). */
async function keysUrlOf(issuer: string): Promise<URL> {
  const base = new URL(issuer);
  const path = base.pathname.replace(/\/$/, '');
  // OpenID Connect Discovery 1.0 §4.1 appends, RFC 8414 §3.1 inserts.
  const places = [
    `${path}/.well-known/openid-configuration`,
    `/.well-known/oauth-authorization-server${path}`,
  ];
  for (const place of places) {
    const text = await textAt(new URL(place, base.origin));
    if (text === undefined) continue;
    const said = JSON.parse(text) as unknown;
    const { issuer: named, jwks_uri: uri } = isRecord(said) ? said : {};
    if (named !== issuer) throw new KeysUnavailable('its metadata names another issuer');
    const url = typeof uri === 'string' ? URL.parse(uri) : null;
    if (url === null) throw new KeysUnavailable('its metadata names no jwks_uri');
    if (url.origin !== base.origin)
      throw new KeysUnavailable(
        `its metadata puts its keys at ${url.origin}; if they belong there, say so with jwks`,
      );
    return url;
  }
  throw new KeysUnavailable('it has no metadata; say with jwks where its keys are');
}

/** The text at a URL; undefined where there is none (404). Follows no redirect: what answers is what was configured. */
async function textAt(url: URL): Promise<string | undefined> {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(fetchMs),
    headers: { accept: 'application/json, application/jwk-set+json' },
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    if (response.status === 404) return undefined;
    throw new KeysUnavailable(`${url.origin} answered HTTP ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > keySetBytesMax)
      throw new KeysUnavailable(`${url.origin} answered more than ${keySetBytesMax} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}

/** Reads a key set; throws where it is none. What is no public key in it is never used (jose imports public keys only). */
export function keySetOf(text: string): { keys: { kty: string }[] } {
  const value = JSON.parse(text) as unknown;
  const keys = isRecord(value) ? value['keys'] : undefined;
  if (!Array.isArray(keys) || keys.length > keysMax)
    throw new KeysUnavailable(`its key set is none, or has more than ${keysMax} keys`);
  // Symmetric keys verify nothing here: whoever verifies could sign.
  const all = keys.filter((one): one is { kty: string } => isRecord(one) && typeof one['kty'] === 'string');
  return { keys: all.filter((one) => one.kty !== 'oct') };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What failed, without what was read: that is another's text. */
function why(error: unknown): string {
  if (error instanceof KeysUnavailable) return error.message;
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${fetchMs / 1000} s`;
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause) return `it cannot be reached (${String(cause.code)})`;
  if (error instanceof TypeError) return 'it cannot be reached, or answered with a redirect';
  return 'what it answered could not be read';
}
