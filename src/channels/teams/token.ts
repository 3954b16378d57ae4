/**
 * The door for what Teams sends. The SDK has one of its own (teams.apps 2.1.0), which also takes tokens that Entra issued in any
 * directory, with whatever `serviceUrl` and tenant the body claims; so it never sees a request that has not passed here.
 *
 * Promises: what passes was signed by the connector's key for Teams, for our bot, now, and says the same of where it comes from
 * as its token (origin.ts). All else is one 401 to whoever sent it; why, the operator is told, once a minute for each cause.
 */
import { errors, importJWK, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { readJson } from '../../core/read-json.ts';
import { counted } from '../../core/render/shown.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { TeamsSettings } from '../../ports/channel-settings.ts';
import type { Clock } from '../../ports/clock.ts';
import { createKeys, type Keys } from './keys.ts';
import { judgeOrigin, type Foreign } from './origin.ts';

/** Activities are smaller: what people type into a card is bounded, a message of theirs by Teams (28 KB). */
export const activityBytesMax = 262_144;
/** Tokens of the connector have some 1,000 characters. */
const tokenCharsMax = 8192;
/** How far the connector's clock may be from ours. */
export const leewaySeconds = 60;
/** How often an operator is told of one cause. */
const toldMs = 60_000;

export type Unheard =
  | Foreign
  | 'it has no token'
  | 'its token names no key'
  | 'its token is signed with a key that is none of the connector’s'
  | 'its token is not signed as the connector signs (RS256)'
  | 'its token’s signature is wrong'
  | 'its token is of another issuer'
  | 'its token is for somebody else'
  | 'its token has expired, or is not valid yet'
  | 'its token is none'
  | 'its body is too large, or no JSON object';

/** The body of a request that passed. */
export type Door = (request: Request) => Promise<Result<JsonObject, Unheard>>;

export function createDoor(settings: TeamsSettings, clock: Clock, say: (line: string) => void): Door {
  const check = createCheck(settings, clock, createKeys(settings.cloud.jwksUrl, clock, say));
  const told = new Map<Unheard, { atMs: number; since: number }>();
  return async (request) => {
    const checked = await check(request);
    if (checked.ok) return checked;
    const last = told.get(checked.error);
    const nowMs = clock.nowMs();
    if (last !== undefined && nowMs - last.atMs < toldMs) last.since += 1;
    else {
      told.set(checked.error, { atMs: nowMs, since: 0 });
      const more =
        last === undefined || last.since === 0 ? '' : ` (and ${counted(last.since, 'time')} before)`;
      say(`Teams: a request to the bot was turned away: ${checked.error}${more}.`);
    }
    return checked;
  };
}

function createCheck(settings: TeamsSettings, clock: Clock, keys: Keys): Door {
  const keyOf: JWTVerifyGetKey = async ({ kid }) => {
    if (typeof kid !== 'string' || kid === '') throw new Unsigned('its token names no key');
    const key = await keys(kid);
    // A key says for which channels it signs: a token of Web Chat's would speak for anybody in Teams.
    if (key === undefined || (key.endorsements !== null && !key.endorsements.includes('msteams')))
      throw new Unsigned('its token is signed with a key that is none of the connector’s');
    return importJWK({ kty: key.kty, n: key.n, e: key.e }, 'RS256');
  };
  return async (request) => {
    const token = bearerOf(request);
    if (token === null) return err('it has no token');
    // Before the body is read: nobody makes the gate hold what has no token.
    const claims = await claimsOf(token, keyOf, settings, clock);
    if (!claims.ok) return claims;
    const body = await bodyOf(request);
    if (body === null) return err('its body is too large, or no JSON object');
    const foreign = judgeOrigin(body, claims.value['serviceurl'], settings);
    return foreign === null ? ok(body) : err(foreign);
  };
}

class Unsigned extends Error {
  readonly reason: Unheard;
  constructor(reason: Unheard) {
    super(reason);
    this.name = 'Unsigned';
    this.reason = reason;
  }
}

function bearerOf(request: Request): string | null {
  const header = request.headers.get('authorization') ?? '';
  return header.length > tokenCharsMax ? null : (/^Bearer ([\w.-]+)$/i.exec(header)?.[1] ?? null);
}

async function claimsOf(
  token: string,
  keyOf: JWTVerifyGetKey,
  { clientId, cloud }: TeamsSettings,
  clock: Clock,
): Promise<Result<Readonly<Record<string, unknown>>, Unheard>> {
  try {
    const { payload } = await jwtVerify(token, keyOf, {
      algorithms: ['RS256'],
      issuer: cloud.issuer,
      audience: clientId,
      clockTolerance: leewaySeconds,
      currentDate: new Date(clock.nowMs()),
      requiredClaims: ['exp', 'serviceurl'],
    });
    // An audience of several is for somebody else as well.
    return payload.aud === clientId ? ok(payload) : err('its token is for somebody else');
  } catch (error) {
    return err(reasonOf(error));
  }
}

function reasonOf(error: unknown): Unheard {
  if (error instanceof Unsigned) return error.reason;
  if (error instanceof errors.JWTExpired) return 'its token has expired, or is not valid yet';
  if (error instanceof errors.JOSEAlgNotAllowed)
    return 'its token is not signed as the connector signs (RS256)';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its token’s signature is wrong';
  if (error instanceof errors.JWTClaimValidationFailed)
    switch (error.claim) {
      case 'iss':
        return 'its token is of another issuer';
      case 'aud':
        return 'its token is for somebody else';
      case 'nbf':
      case 'exp':
        return 'its token has expired, or is not valid yet';
    }
  return 'its token is none';
}

/** Read to its limit and no further; null where it is larger, or not what activities are. */
async function bodyOf(request: Request): Promise<JsonObject | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > activityBytesMax) return null;
      chunks.push(chunk);
    }
  } catch {
    return null; // whoever sent it went away
  }
  const read = readJson(Buffer.concat(chunks), { bytesMax: activityBytesMax });
  return read.ok && isJsonObject(read.value) ? read.value : null;
}
