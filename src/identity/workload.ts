/**
 * Workload tokens: JWTs of configured issuers, such as Kubernetes service accounts, CI systems and clouds, in place of a
 * bearer token of the gate's own. The signature is checked with the issuer's published keys, then issuer, audience, times and
 * type, and only then is a claim believed.
 *
 * Promise: a token is used here and goes nowhere else: not into the log, not upstream.
 */
import { isDeepStrictEqual } from 'node:util';
import { decodeJwt, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import type { Directory, Principal } from '../core/directory.ts';
import type { PersonId } from '../core/ids.ts';
import { isJsonObject, jsonLimits, type JsonObject } from '../core/json.ts';
import { readJson } from '../core/read-json.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Clock } from '../ports/clock.ts';
import type { Issuer } from '../ports/sign-in.ts';
import { speakerOf, subjectsOf, type NobodyWhy } from './issuer.ts';
import { createKeys, KeysUnavailable } from './jwks.ts';

/**
 * Signatures that whoever verifies cannot make. Never `none`, and no HMAC: with a shared secret the gate could write what it
 * believes, and a public key taken for one is known to everybody (RFC 8725 §2.1).
 */
export const algorithms = [
  'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519',
] as const; // prettier-ignore

/** How far the clocks of issuer and gate may be apart. */
export const toleranceSec = 30;
/** The longest life of a workload token: one that leaks is soon worth nothing. */
export const lifeSecMax = 24 * 3600;
/** Characters of a token; longer ones do not fit into what Node takes as headers anyway. */
export const tokenCharsMax = 12_288;

/** What a JWT of another kind calls itself is refused: a logout token or a signed request is no proof of who calls. */
const types: ReadonlySet<string | undefined> = new Set([undefined, 'jwt', 'at+jwt']);

/** Three parts in base64url (RFC 7515 §7.1); the third is there, or it is not signed. */
const compactForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

export interface WorkloadParts {
  /** Asked anew for each token: what is accepted may change. */
  readonly issuers: () => readonly Issuer[];
  /** The gate's public origin: the audience where none is configured. */
  readonly origin: string;
  readonly clock: Clock;
  readonly directory: () => Promise<Directory>;
  /** Whose account this is at an OpenID provider, by (iss, sub); ended accounts too. */
  readonly accountOf?: (issuer: string, subject: string) => Promise<PersonId | undefined>;
  /** Told what operators should read, such as that keys cannot be fetched. */
  readonly say?: (line: string) => void;
}

type Why =
  | NobodyWhy
  | 'malformed'
  | 'issuer'
  | 'algorithm'
  | 'signature'
  | 'type'
  | 'expired'
  | 'early'
  | 'claims'
  | 'lifetime'
  | 'audience';

/** What a caller is told: enough for whoever set it up, nothing about the keys, agents or people of this gate. */
const words: Readonly<Record<Why, string>> = {
  malformed: 'This token cannot be read.',
  issuer: 'Tokens of this issuer are not accepted here.',
  algorithm: 'Tokens with this signature algorithm are not accepted here.',
  signature: 'The signature of this token is not one of its issuer.',
  type: 'This is a token for another use.',
  expired: 'This token has expired.',
  early: 'This token is not valid yet.',
  claims: 'This token lacks a claim that is needed, or has one of a wrong type.',
  lifetime: 'This token is good for longer than 24 hours, which is not accepted.',
  audience: 'This token is for another audience.',
  no_agent: 'No agent here has the claims of this token.',
  two_agents: 'The claims of this token are those of more than one agent here.',
  unknown_actor: 'An actor of this token is not known here.',
  unknown_subject: 'Whom this token is for is not known here.',
  chain_too_long: 'This token has too many actors.',
  inactive: 'Somebody whom this token names is not active here.',
};

/** Whether a text may be a workload token; anything else is nothing here. */
export const isCompact = (token: string): boolean => compactForm.test(token);

/**
 * Answers who speaks with a workload token.
 * @param resource the URL that is called: `ORIGIN`, or `ORIGIN/mcp/SERVER`. A token for another MCP server is refused.
 */
export type Workloads = (token: string, resource: string) => Promise<Result<Principal, Refusal>>;

export function createWorkloads(parts: WorkloadParts): Workloads {
  const issuerOf = issuersOf(parts);
  return async (token, resource) => {
    if (token.length > tokenCharsMax) return no('malformed');
    const named = issuerNamed(token);
    if (named === undefined) return no('malformed');
    const known = issuerOf(named);
    if (known === undefined) return no('issuer');
    const { issuer } = known;
    const verified = await verify(parts, known, token, resource).catch(whyOf);
    if (typeof verified === 'string') return no(verified);
    if ('code' in verified) return err(verified);
    // What was taken away or changed while its keys were fetched is not believed either.
    if (!isDeepStrictEqual(issuerOf(named)?.issuer, issuer)) return no('issuer');
    const accounts = await accountsOf(parts, issuer, verified.claims);
    const speaker = speakerOf(issuer, verified.claims, { directory: await parts.directory(), accounts });
    if (!speaker.ok) return no(speaker.error);
    const { agent, chain } = speaker.value;
    const subject = textIn(verified.claims, 'sub');
    return ok({
      kind: 'agent',
      id: agent,
      via: { kind: 'workload', issuer: issuer.issuer, subject },
      ...(chain === undefined ? {} : { chain }),
    });
  };
}

interface Known {
  readonly issuer: Issuer;
  readonly key: JWTVerifyGetKey;
}

/** Answers an issuer as it is accepted now, with its keys, which are kept for as long as they are found at the same place. */
function issuersOf({ issuers, clock, say }: WorkloadParts): (named: string) => Known | undefined {
  const made = new Map<string, Known>();
  return (named) => {
    const issuer = issuers().find((one) => one.issuer === named);
    if (issuer === undefined) {
      made.delete(named);
      return undefined;
    }
    const before = made.get(named);
    const same = before !== undefined && isDeepStrictEqual(before.issuer.keys, issuer.keys);
    const known = { issuer, key: same ? before.key : createKeys(issuer, clock, say) };
    made.set(named, known);
    return known;
  };
}

const no = (why: Why): Result<never, Refusal> => err(refuse('unauthenticated', words[why], { token: why }));

/** What the token says before anything of it is believed: only to find the keys that it must be signed with. */
function issuerNamed(token: string): string | undefined {
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}

type Verified = { readonly claims: JsonObject };

async function verify(
  { clock, origin }: WorkloadParts,
  { issuer, key }: Known,
  token: string,
  resource: string,
): Promise<Verified | Why> {
  const nowMs = clock.nowMs();
  const { protectedHeader } = await jwtVerify(token, key, {
    algorithms: [...algorithms],
    issuer: issuer.issuer,
    requiredClaims: ['exp', 'aud'],
    clockTolerance: toleranceSec,
    currentDate: new Date(nowMs),
  });
  if (!typeFits(protectedHeader.typ, issuer)) return 'type';
  // The bytes whose signature was checked, read as strictly as an action: no claim is there twice.
  const read = readJson(Buffer.from(token.split('.')[1] ?? '', 'base64url'), jsonLimits);
  if (!read.ok || !isJsonObject(read.value)) return 'claims';
  const claims = read.value;
  return (
    wrongTimes(claims, nowMs / 1000) ?? wrongAudience(claims, issuer, { origin, resource }) ?? { claims }
  );
}

/** Media types have no case, and may leave out `application/` (RFC 7515 §4.1.9). */
function typeFits(typ: unknown, { accessTokens }: Issuer): boolean {
  if (typ !== undefined && typeof typ !== 'string') return false;
  const type = typ?.toLowerCase().replace(/^application\//, '');
  return accessTokens ? type === 'at+jwt' : types.has(type);
}

/** jose has looked at `exp` and `nbf`; how long it is good for is ours to bound. */
function wrongTimes({ exp, iat, nbf }: JsonObject, nowSec: number): Why | undefined {
  if (typeof exp !== 'number' || (iat !== undefined && typeof iat !== 'number')) return 'claims';
  if (iat !== undefined && iat > nowSec + toleranceSec) return 'early';
  const begins = Math.min(iat ?? nowSec, typeof nbf === 'number' ? nbf : nowSec, nowSec);
  return exp - begins > lifeSecMax + toleranceSec ? 'lifetime' : undefined;
}

/**
 * `aud` must be the configured audience, or the very MCP server that is called (RFC 8707 §2), and nobody else's beside it:
 * whoever else a token is for could use it here.
 */
function wrongAudience(
  { aud }: JsonObject,
  issuer: Issuer,
  at: { readonly origin: string; readonly resource: string },
): Why | undefined {
  const all: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const configured = issuer.audience ?? at.origin;
  const ours = (one: unknown): boolean =>
    typeof one === 'string' && (one === configured || one.startsWith(`${at.origin}/mcp/`));
  const here = (one: unknown): boolean => one === configured || one === at.resource;
  return all.length > 0 && all.every(ours) && all.some(here) ? undefined : 'audience';
}

async function accountsOf(
  { accountOf }: WorkloadParts,
  issuer: Issuer,
  claims: JsonObject,
): Promise<ReadonlyMap<string, PersonId>> {
  const accounts = new Map<string, PersonId>();
  if (accountOf === undefined) return accounts;
  for (const subject of subjectsOf(issuer, claims)) {
    const person = await accountOf(issuer.issuer, subject);
    if (person !== undefined) accounts.set(subject, person);
  }
  return accounts;
}

const textIn = (claims: JsonObject, name: string): string | null => {
  const value = claims[name];
  return typeof value === 'string' ? value.slice(0, 256) : null;
};

/** Why verification failed; what is none of the token's doing is a refusal of its own. */
function whyOf(error: unknown): Why | Refusal {
  if (error instanceof KeysUnavailable)
    return refuse(
      'upstream_unavailable',
      'The keys of this token’s issuer cannot be had now; try again later.',
    );
  // A published key that cannot be used: Web Crypto says so in its own way.
  if (error instanceof DOMException || error instanceof TypeError) return 'signature';
  if (!(error instanceof errors.JOSEError)) throw error;
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported)
    return 'algorithm';
  if (error instanceof errors.JWTClaimValidationFailed) return error.claim === 'nbf' ? 'early' : 'claims';
  if (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSInvalid ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JWSSignatureVerificationFailed
  )
    return 'signature';
  return 'malformed';
}
