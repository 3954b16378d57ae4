/**
 * How people and agents sign in, as a part of what is accepted: without secrets, so that it can be kept, compared and shown; and
 * what of it is believed now. A provider or an issuer is believed where the files say what was accepted, and nowhere else.
 */
import { canonicalize } from '../core/canonical.ts';
import type { AcceptedServers } from '../core/config-change.ts';
import {
  isAcceptedSignIn,
  issuerName,
  providerName,
  type SignInSetting,
} from '../core/config-change/sign-in.ts';
import type { GroupId } from '../core/ids.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { sha256Hex } from '../core/sha256.ts';
import {
  claimableOf,
  peopleDefaults,
  type Issuer,
  type ProviderSettings,
  type SignInSettings,
} from '../ports/sign-in.ts';

/** What is believed now. */
export interface SignInNow extends SignInSettings {
  /** Issuers that are configured otherwise than accepted: their tokens are refused. */
  readonly waitingIssuers: readonly string[];
}

/** All that a configuration says of it, by name; never a secret. Lists that mean a set are sorted, so that their order says nothing. */
export function acceptableSignIn({
  people,
  issuers,
  allowVirtualAuthenticator,
}: SignInSettings): Readonly<Record<string, JsonValue>> {
  const settings: Readonly<Record<SignInSetting, JsonValue>> = {
    'sessions.idle': people.idleMs,
    'sessions.absolute': people.absoluteMs,
    'limits.coolOff': people.coolOffMs,
    signInLinks: people.signInLinks,
    'passkeys.allowVirtualAuthenticator': allowVirtualAuthenticator,
  };
  return {
    ...settings,
    ...Object.fromEntries(people.providers.map((one) => [providerName(one.id), providerJson(one)])),
    ...Object.fromEntries(issuers.map((one) => [issuerName(one.issuer), issuerJson(one)])),
  };
}

/** Its client secret proves the gate to the provider and nobody to the gate: another one changes nobody's rights. */
function providerJson(provider: ProviderSettings): JsonObject {
  // Taken apart, so that whatever is added to a provider later is compared as well.
  const { id: _id, clientSecret: _secret, scopes, groups, ...rest } = provider;
  return { ...rest, scopes: scopes.toSorted(), groups };
}

function issuerJson({ issuer: _issuer, keys, agents, people, ...rest }: Issuer): JsonObject {
  return {
    ...rest,
    // Somebody may have put a private key into it.
    keys: keys.kind === 'text' ? { kind: 'text', sha256: sha256Hex(keys.text) } : keys,
    agents: agents.map(({ agent, claims }) => ({ agent, claims })).toSorted(byText),
    people: people === null ? null : { claim: people.claim, ids: Object.fromEntries(people.ids) },
  };
}

function byText(a: JsonObject, b: JsonObject): number {
  const [one, other] = [canonicalize(a), canonicalize(b)];
  return one < other ? -1 : one > other ? 1 : 0;
}

/** What is believed where a proposal says nothing of it: nobody but those of the gate's own tokens and links. */
const unsaid: SignInNow = {
  people: peopleDefaults,
  issuers: [],
  allowVirtualAuthenticator: false,
  waitingIssuers: [],
};

/** What is accepted and found alike; of settings the tighter one, so that what was just found tighter need not be recorded first. */
export function signInNow(accepted: AcceptedServers, found: SignInSettings | undefined): SignInNow {
  if (found === undefined) return unsaid;
  const { people, issuers } = found;
  const believed = (provider: ProviderSettings): boolean =>
    isAcceptedSignIn(accepted, providerName(provider.id), providerJson(provider));
  const trusted = (issuer: Issuer): boolean =>
    isAcceptedSignIn(accepted, issuerName(issuer.issuer), issuerJson(issuer));
  const ms = (name: SignInSetting, now: number, tighter: (...all: readonly number[]) => number): number => {
    const was = accepted.signIn?.[name];
    return typeof was === 'number' ? tighter(was, now) : now;
  };
  return {
    people: {
      providers: people.providers.filter(believed),
      waiting: people.providers
        .filter((one) => !believed(one))
        .map((one) => ({
          id: one.id,
          issuer: issuerOf(accepted, one.id) === one.issuer ? one.issuer : null,
        })),
      idleMs: ms('sessions.idle', people.idleMs, Math.min),
      absoluteMs: ms('sessions.absolute', people.absoluteMs, Math.min),
      coolOffMs: ms('limits.coolOff', people.coolOffMs, Math.max),
      signInLinks: people.signInLinks && accepted.signIn?.['signInLinks'] === true,
    },
    issuers: issuers.filter(trusted),
    allowVirtualAuthenticator:
      found.allowVirtualAuthenticator && accepted.signIn?.['passkeys.allowVirtualAuthenticator'] === true,
    waitingIssuers: issuers.filter((one) => !trusted(one)).map((one) => one.issuer),
  };
}

function acceptedProvider({ signIn = {} }: AcceptedServers, id: string): JsonObject {
  const name = providerName(id);
  const value = Object.hasOwn(signIn, name) ? signIn[name] : undefined;
  return value !== undefined && isJsonObject(value) ? value : {};
}

const issuerOf = (accepted: AcceptedServers, id: string): JsonValue | undefined =>
  acceptedProvider(accepted, id)['issuer'];

/**
 * What may stay of what providers claimed: groups that were accepted and that the files still say. While a change of a provider
 * waits, nobody loses a group that both say.
 */
export const claimsKept = (
  accepted: AcceptedServers,
  { people }: SignInSettings,
): readonly { readonly provider: string; readonly groups: readonly GroupId[] }[] =>
  people.providers
    .filter((one) => issuerOf(accepted, one.id) === one.issuer)
    .map((one) => {
      const was = acceptedGroups(accepted, one.id);
      return { provider: one.issuer, groups: claimableOf(one).filter((group) => was.has(group)) };
    });

function acceptedGroups(accepted: AcceptedServers, id: string): ReadonlySet<string> {
  const { groups } = acceptedProvider(accepted, id);
  const map = groups !== undefined && isJsonObject(groups) ? groups['map'] : undefined;
  const lists = map !== undefined && isJsonObject(map) ? Object.values(map) : [];
  return new Set(
    lists.flatMap((one) => (isJsonArray(one) ? one.filter((group) => typeof group === 'string') : [])),
  );
}
