/**
 * How people and agents prove who they are: providers, issuers, settings of signing in. Whoever could put one in could be
 * anybody, so that none is used that is not accepted. What goes, and what asks for more, is in force at once.
 */
import type { AcceptedServers, Difference, Touched } from '../config-change.ts';
import { asAgentId, asGroupId } from '../ids.ts';
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { duration } from '../time.ts';
import { besides, keysOf, literal, sameJson, sides } from './words.ts';

/** What they are called among what is accepted: by the id of a provider, the URL of an issuer. */
export const providerName = (id: string): string => `provider ${id}`;
export const issuerName = (issuer: string): string => `issuer ${issuer}`;

/** Settings by name, each with what is tighter. Times in milliseconds. */
export const signInSettings = {
  'sessions.idle': 'less',
  'sessions.absolute': 'less',
  'limits.coolOff': 'more',
  signInLinks: 'false',
  'passkeys.allowVirtualAuthenticator': 'false',
} as const;

export type SignInSetting = keyof typeof signInSettings;

const isSetting = (name: string): name is SignInSetting => Object.hasOwn(signInSettings, name);

/** Whether a way to sign in may be used as it was found. */
export const isAcceptedSignIn = ({ signIn = {} }: AcceptedServers, name: string, found: JsonValue): boolean =>
  Object.hasOwn(signIn, name) && sameJson(signIn[name], found);

type Named = Readonly<Record<string, unknown>>;

const valueOf = (all: Named, name: string): unknown =>
  Object.hasOwn(all, name) ? (all[name] ?? null) : null;

/** Changes of a provider or an issuer never tighten: what looks like less for one may be more for another. */
function isTighter(name: string, was: unknown, is: unknown): boolean {
  if (is === null) return was !== null && /^(?:provider|issuer) /.test(name);
  if (!isSetting(name)) return false;
  switch (signInSettings[name]) {
    case 'less':
      return typeof was === 'number' && typeof is === 'number' && is < was;
    case 'more':
      return typeof was === 'number' && typeof is === 'number' && is > was;
    case 'false':
      return was === true && is === false;
  }
}

export function signInDifferences(accepted: AcceptedServers, found: AcceptedServers): readonly Difference[] {
  const [before, after] = [all(accepted), all(found)];
  return keysOf(before, after).flatMap((id): readonly Difference[] => {
    const [was, is] = [valueOf(before, id), valueOf(after, id)];
    if (sameJson(was, is)) return [];
    const tightens = isTighter(id, was, is);
    return [
      {
        what: 'sign-in',
        id,
        ...sides([was, is]),
        tightens,
        says: wordsOf(id, was, is),
        touches: touched(was, is),
      },
    ];
  });
}

/** Accepted, with only what tightens of what was found; absent where none was ever accepted. */
export function tighterSignIn(
  { signIn }: AcceptedServers,
  found: AcceptedServers,
): Pick<AcceptedServers, 'signIn'> {
  if (signIn === undefined) return {};
  const now = found.signIn ?? {};
  const kept = Object.entries(signIn).flatMap(([name, was]): readonly (readonly [string, JsonValue])[] => {
    const is = valueOf(now, name);
    if (!isTighter(name, was, is)) return [[name, was]];
    // Found values are JSON; null is one that is gone.
    return is === null ? [] : [[name, is as JsonValue]];
  });
  return { signIn: Object.fromEntries(kept) };
}

/** With whatever else is accepted beside servers and operations. */
const all = (one: AcceptedServers): Named => ({
  ...one.signIn,
  ...besides(one, ['servers', 'operations', 'signIn']),
});

function wordsOf(id: string, was: unknown, is: unknown): string {
  if (isSetting(id) && is !== null) {
    const said = (value: unknown): string => (typeof value === 'number' ? duration(value) : literal(value));
    return `sets ${id} to ${said(is)}${was === null ? '' : ` (was ${said(was)})`}`;
  }
  if (id === 'timezone')
    return `sets the time zone that policies read to ${literal(is)}${was === null ? '' : ` (was ${literal(was)})`}`;
  const verb = was === null ? 'adds' : is === null ? 'removes' : 'changes';
  return `${verb} how people or agents sign in: ${id}`;
}

/** Whoever says who comes into a group, or which workload is an agent, is tied to that group or agent. */
function touched(was: unknown, is: unknown): readonly Touched[] {
  const [before, after] = [was, is].map((one) => (isObject(one) ? one : {}));
  if (before === undefined || after === undefined) return [];
  const [groupsBefore, groupsAfter] = [groupsIn(before), groupsIn(after)];
  const [agentsBefore, agentsAfter] = [agentsIn(before), agentsIn(after)];
  // Where anything else differs, everything that it says is somebody else's word now.
  const others = (name: string, inside: string): boolean =>
    !sameJson(rest(before, name, inside), rest(after, name, inside));
  const groups = others('groups', 'map');
  const agents = others('agents', '');
  return [
    ...keysOf(groupsBefore, groupsAfter)
      .filter((id) => groups || !sameJson(groupsBefore[id] ?? null, groupsAfter[id] ?? null))
      .map((id): Touched => ({ what: 'group', id: asGroupId(id) })),
    ...keysOf(agentsBefore, agentsAfter)
      .filter((id) => agents || !sameJson(agentsBefore[id] ?? null, agentsAfter[id] ?? null))
      .map((id): Touched => ({ what: 'agent', id: asAgentId(id) })),
  ];
}

const isObject = (value: unknown): value is JsonObject =>
  // What is accepted and found is JSON (core/config-change.ts).
  value !== null && value !== undefined && isJsonObject(value as JsonValue);

/** Without one field, or without one field of that field. */
function rest(one: JsonObject, name: string, inside: string): unknown {
  const field = one[name];
  const without = besides(one, [name]);
  return inside !== '' && isObject(field) ? { ...without, [name]: besides(field, [inside]) } : without;
}

/** What of the provider comes into each of our groups. */
function groupsIn({ groups }: JsonObject): Readonly<Record<string, readonly string[]>> {
  const map = isObject(groups) ? groups['map'] : undefined;
  const pairs = Object.entries(isObject(map) ? map : {}).flatMap(([theirs, ours]) =>
    isJsonArray(ours) ? ours.map((group): Pair => [textOf(group), theirs]) : [],
  );
  return byKey(pairs);
}

/** What makes a token each agent's. */
function agentsIn({ agents }: JsonObject): Readonly<Record<string, readonly string[]>> {
  const list = agents !== undefined && isJsonArray(agents) ? agents.filter(isJsonObject) : [];
  return byKey(list.map((one): Pair => [textOf(one['agent']), literal(one)]));
}

type Pair = readonly [key: string, value: string];

const textOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');

const byKey = (pairs: readonly Pair[]): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    [...Map.groupBy(pairs, ([key]) => key)].map(([key, own]) => [
      key,
      own.map(([, value]) => value).toSorted(),
    ]),
  );
