/**
 * One OpenID provider, by `openid-client`: authorization code with PKCE, state, nonce, `iss` of the answer (RFC 9207) and
 * `auth_time`. The signature of the ID token is verified with the provider's keys even though it comes over TLS, and only by
 * asymmetric algorithms. The only file that talks to a provider.
 *
 * Promises: nothing is asked of the provider before somebody signs in, so that the gate starts without it; every wait has a
 * limit; what goes wrong is a refusal that names neither a token nor a code.
 */
import * as client from 'openid-client';
import type { GroupId } from '../core/ids.ts';
import { refuse, type Refusal } from '../core/refusal.ts';
import { err, ok, type Result } from '../core/result.ts';
import { visibleLine } from '../core/visible.ts';
import type { ProviderSettings } from '../ports/sign-in.ts';
import type { AccountKey } from '../core/accounts.ts';
import { chatAccountOf } from './chat-accounts.ts';

/** One answer of a provider, its body included. */
export const providerMs = 10_000;
/** UTF-8 bytes of one answer: metadata, keys, tokens. */
export const providerBytesMax = 1024 * 1024;
/** How long what a provider says of itself is believed. */
const metadataMs = 3_600_000;
/** How far clocks may differ, in seconds. */
const toleranceSec = 60;
/** Characters of what an account is shown by, and of a subject (OpenID Connect Core §2: 255 ASCII characters). */
const displayMax = 200;
const subjectMax = 255;
/** Values of a groups claim that are read. */
const claimedMax = 10_000;

/** Signatures that only the provider can make; `none` and the HMACs are not among them. */
const algorithms: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** What binds an answer to its request. */
export interface Binding {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Seconds. */
  readonly maxAgeSec: number;
}

/** What a provider vouches for. */
export interface Vouch {
  readonly subject: string;
  readonly display: string;
  readonly authAtMs: number;
  readonly groups: readonly GroupId[] | null;
  /** Verified; null where it is not, or where nothing may be made of it. */
  readonly email: string | null;
  /** The same person's account of a chat, where this provider keeps both; null: none. */
  readonly chat: AccountKey | null;
}

export interface Provider {
  readonly settings: ProviderSettings;
  /** Where the browser goes. @param anew the provider must ask for the proof again. */
  begin(binding: Binding, redirectUri: string, anew: boolean): Promise<Result<URL, Refusal>>;
  /** @param answer our redirect URI with the parameters that the provider sent. */
  finish(answer: URL, binding: Binding): Promise<Result<Vouch, Refusal>>;
}

export function createProvider(settings: ProviderSettings): Provider {
  let known: { readonly fromMs: number; readonly config: Promise<client.Configuration> } | undefined;
  const configuration = (): Promise<client.Configuration> => {
    const nowMs = Date.now();
    if (known === undefined || Math.abs(nowMs - known.fromMs) > metadataMs) {
      const config = discover(settings);
      const mine = { fromMs: nowMs, config };
      known = mine;
      // Asked again by whoever comes next.
      config.catch(() => {
        if (known === mine) known = undefined;
      });
    }
    return known.config;
  };
  return {
    settings,
    begin: (binding, redirectUri, anew) =>
      guarded(settings, async () => {
        const challenge = await client.calculatePKCECodeChallenge(binding.verifier);
        return client.buildAuthorizationUrl(await configuration(), {
          redirect_uri: redirectUri,
          scope: settings.scopes.join(' '),
          state: binding.state,
          nonce: binding.nonce,
          code_challenge: challenge,
          code_challenge_method: 'S256',
          // With it the provider must say when somebody proved themself (OpenID Connect Core §3.1.2.1).
          max_age: String(binding.maxAgeSec),
          ...(anew ? { prompt: 'login' } : {}),
        });
      }),
    finish: (answer, binding) =>
      guarded(settings, async () => {
        const tokens = await client.authorizationCodeGrant(await configuration(), answer, {
          expectedState: binding.state,
          expectedNonce: binding.nonce,
          pkceCodeVerifier: binding.verifier,
          maxAge: binding.maxAgeSec,
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (claims === undefined) throw new TypeError('no ID token');
        return vouchOf(settings, claims);
      }),
  };
}

async function discover(settings: ProviderSettings): Promise<client.Configuration> {
  const { issuer, clientId, clientSecret } = settings;
  const insecure = issuer.startsWith('http:');
  const found = await client.discovery(new URL(issuer), clientId, undefined, undefined, {
    timeout: providerMs / 1000,
    [client.customFetch]: boundedFetch,
    ...(insecure ? { execute: [client.allowInsecureRequests] } : {}),
  });
  const metadata = found.serverMetadata();
  const signed = (metadata.id_token_signing_alg_values_supported ?? ['RS256']).filter((one) =>
    algorithms.includes(one),
  );
  if (signed.length === 0) throw new TypeError('no usable signature algorithm');
  const methods = metadata.token_endpoint_auth_methods_supported;
  const basic = methods === undefined || methods.includes('client_secret_basic');
  const config = new client.Configuration(
    // Metadata is JSON, and came as JSON.
    JSON.parse(
      JSON.stringify({ ...metadata, id_token_signing_alg_values_supported: signed }),
    ) as client.ServerMetadata,
    clientId,
    { [client.clockTolerance]: toleranceSec },
    basic ? client.ClientSecretBasic(clientSecret) : client.ClientSecretPost(clientSecret),
  );
  config.timeout = providerMs / 1000;
  config[client.customFetch] = boundedFetch;
  if (insecure) client.allowInsecureRequests(config);
  client.enableNonRepudiationChecks(config);
  return config;
}

type FetchInit = NonNullable<Parameters<typeof fetch>[1]>;

/** Follows no redirect, and reads no more than a provider has to say. */
const boundedFetch: client.CustomFetch = async (url, options) => {
  const { body, headers, method, signal } = options;
  const limit = AbortSignal.timeout(providerMs);
  const init: FetchInit = {
    method,
    headers,
    // The library's own body type is one that fetch takes.
    ...(body == null ? {} : { body: body as NonNullable<FetchInit['body']> }),
    redirect: 'manual',
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
  };
  const response = await fetch(url, init);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > providerBytesMax) throw new TypeError('the answer is too large');
    chunks.push(chunk);
  }
  return new Response(bytes === 0 ? null : Buffer.concat(chunks), {
    status: response.status,
    headers: response.headers,
  });
};

/** An ID token that has been verified, as what the gate makes of it. */
function vouchOf(settings: ProviderSettings, claims: client.IDToken): Vouch {
  const { sub, auth_time: authTime } = claims;
  if (sub === '' || sub.length > subjectMax || typeof authTime !== 'number')
    throw new TypeError('sub or auth_time');
  const email =
    typeof claims['email'] === 'string' && claims['email_verified'] === true ? claims['email'] : null;
  const named = [claims['preferred_username'], email, claims['name']].find(
    (one) => typeof one === 'string' && one.trim() !== '',
  );
  return {
    subject: sub,
    display: visibleLine(typeof named === 'string' ? named : sub).slice(0, displayMax),
    authAtMs: authTime * 1000,
    groups: groupsOf(settings, claims),
    email: settings.linkByEmail ? email : null,
    chat: chatAccountOf(settings.issuer, claims),
  };
}

/** Those of ours that the claim names. A claim that is missing, or no list of texts, names none: less is safe. */
function groupsOf({ groups }: ProviderSettings, claims: client.IDToken): readonly GroupId[] | null {
  if (groups === null) return null;
  const claim: unknown = Object.hasOwn(claims, groups.claim) ? claims[groups.claim] : undefined;
  const names: readonly unknown[] = Array.isArray(claim) ? claim.slice(0, claimedMax) : [claim];
  const ours = names.flatMap((name) =>
    typeof name === 'string' && Object.hasOwn(groups.map, name) ? (groups.map[name] ?? []) : [],
  );
  return [...new Set(ours)];
}

/** Names of errors in the evidence: letters, never a value. */
const codeForm = /^[A-Za-z0-9_]{1,60}$/;

const named = (value: unknown): string =>
  typeof value === 'string' && codeForm.test(value) ? value : 'unknown';

/** Turns what the library throws into a refusal: the provider's doing, or no answer at all. */
async function guarded<Value>(
  { id, name }: ProviderSettings,
  ask: () => Promise<Value>,
): Promise<Result<Value, Refusal>> {
  try {
    return ok(await ask());
  } catch (error) {
    const who = visibleLine(name);
    if (error instanceof client.AuthorizationResponseError)
      return err(
        refuse('unauthenticated', `${who} did not sign you in (${named(error.error)}).`, {
          provider: id,
          why: named(error.error),
        }),
      );
    if (error instanceof client.ResponseBodyError && error.status < 500)
      return err(
        refuse(
          'unauthenticated',
          `${who} did not take what your browser brought back (${named(error.error)}); sign in again.`,
          { provider: id, why: named(error.error) },
        ),
      );
    if (isNoAnswer(error))
      return err(
        refuse(
          'upstream_unavailable',
          `${who} does not answer, so nobody can sign in with it now; try again.`,
          {
            provider: id,
            why: 'no answer',
          },
        ),
      );
    return err(
      refuse('unauthenticated', `What came back from ${who} does not prove who you are; sign in again.`, {
        provider: id,
        why: named(error instanceof Error && 'code' in error ? error.code : undefined),
      }),
    );
  }
}

/** Whether the provider could not be asked: the network, a time limit, an error of its own. */
function isNoAnswer(error: unknown): boolean {
  for (let one: unknown = error, depth = 0; one instanceof Error && depth < 5; one = one.cause, depth += 1) {
    if (one.name === 'TimeoutError' || one.name === 'AbortError') return true;
    if (one instanceof TypeError && one.message === 'fetch failed') return true;
    if (one instanceof client.ResponseBodyError && one.status >= 500) return true;
    if ('code' in one && one.code === 'OAUTH_RESPONSE_IS_NOT_CONFORM') return true;
  }
  return false;
}
