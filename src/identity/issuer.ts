/**
 * Who a verified workload token speaks for: exactly one agent by its claims, and whoever it acts for by its `act` chain
 * (RFC 8693 §4.1). Pure: no I/O, no clock. All that a token names must be known, or it speaks for nobody.
 */
import type { Chain } from '../core/directory.ts';
import type { Delegate } from '../core/action.ts';
import { isActiveAgent, personIn, type Directory } from '../core/directory.ts';
import type { AgentId, PersonId } from '../core/ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { AgentClaims, Issuer } from '../ports/sign-in.ts';

/** Why a token speaks for nobody. */
export type NobodyWhy =
  | 'no_agent'
  | 'two_agents'
  | 'unknown_actor'
  | 'unknown_subject'
  | 'chain_too_long'
  /** Known, and deactivated or no longer there. */
  | 'inactive';

export interface Speaker {
  readonly agent: AgentId;
  /** Absent where the agent acts for nobody. */
  readonly chain?: Chain;
}

/** Actors inside each other; a chain that is longer is refused. */
export const actorsMax = 8;

/** People by what a token calls them: see {@link subjectsOf}. */
export type Accounts = ReadonlyMap<string, PersonId>;

/** The values of `sub` in a token that may be people's accounts at this issuer. */
export function subjectsOf(issuer: Issuer, claims: JsonObject): readonly string[] {
  if (issuer.people !== null && issuer.people.claim !== 'sub') return [];
  const all = [claims, ...(actorsOf(claims) ?? [])].map((one) => one['sub']);
  return [...new Set(all.filter((one) => typeof one === 'string'))];
}

/** @param claims of a token whose signature, issuer, audience and times were found good. */
export function speakerOf(
  issuer: Issuer,
  claims: JsonObject,
  world: { readonly directory: Directory; readonly accounts: Accounts },
): Result<Speaker, NobodyWhy> {
  const actors = actorsOf(claims);
  if (actors === undefined) return err('unknown_actor');
  if (actors.length > actorsMax) return err('chain_too_long');
  const [own = claims, ...earlier] = actors;
  const agent = agentOf(issuer, own);
  if (!agent.ok) return agent;
  const links: Delegate[] = [];
  for (const actor of earlier) {
    const link = linkOf(issuer, actor, world.accounts);
    if (link === undefined) return err('unknown_actor');
    links.unshift(link); // the outermost acted last (RFC 8693 §4.1)
  }
  const subject =
    actors.length > 0
      ? linkOf(issuer, claims, world.accounts)
      : starterOf(issuer, claims, agent.value, world.accounts);
  if (subject === undefined) return err('unknown_subject');
  const chain: Chain = {
    startedBy: subject?.kind === 'person' ? subject.id : null,
    delegation: subject?.kind === 'agent' ? [subject, ...links] : links,
  };
  if (!allActive(world.directory, agent.value, chain)) return err('inactive');
  return ok(subject === null ? { agent: agent.value } : { agent: agent.value, chain });
}

/** The actors, the one that speaks first; undefined where one is none. */
function actorsOf(claims: JsonObject): readonly JsonObject[] | undefined {
  const actors: JsonObject[] = [];
  for (let act: JsonValue | undefined = claims['act']; act !== undefined;) {
    if (!isJsonObject(act)) return undefined;
    // An actor that another issuer vouches for: this one cannot know who that is.
    const { iss } = act;
    if (iss !== undefined && iss !== claims['iss']) return undefined;
    actors.push(act);
    if (actors.length > actorsMax) return actors;
    act = act['act'];
  }
  return actors;
}

/** The one agent whose claims these are. */
function agentOf(issuer: Issuer, claims: JsonObject): Result<AgentId, NobodyWhy> {
  const found = new Set(issuer.agents.filter((one) => fits(one.claims, claims)).map((one) => one.agent));
  const [agent] = found;
  if (agent === undefined) return err('no_agent');
  return found.size === 1 ? ok(agent) : err('two_agents');
}

const fits = (wanted: AgentClaims['claims'], claims: JsonObject): boolean => {
  const names = Object.keys(wanted);
  return (
    names.length > 0 && names.every((name) => Object.hasOwn(claims, name) && claims[name] === wanted[name])
  );
};

/** A link of a chain: one person or one agent, and never one of each. */
function linkOf(issuer: Issuer, claims: JsonObject, accounts: Accounts): Delegate | undefined {
  const person = personOf(issuer, claims, accounts);
  const agent = agentOf(issuer, claims);
  if (person === 'two' || (person !== undefined && agent.ok)) return undefined;
  if (person !== undefined) return { kind: 'person', id: person };
  return agent.ok ? { kind: 'agent', id: agent.value } : undefined;
}

/** The person that some claims name; `two` where configuration and account say two. */
function personOf(issuer: Issuer, claims: JsonObject, accounts: Accounts): PersonId | 'two' | undefined {
  const { claim, ids } = issuer.people ?? { claim: 'sub', ids: new Map<string, PersonId>() };
  const said = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  // Providers number their accounts as text or as numbers.
  const value = typeof said === 'number' ? String(said) : said;
  if (typeof value !== 'string') return undefined;
  const configured = ids.get(value);
  const linked = claim === 'sub' ? accounts.get(value) : undefined;
  return configured !== undefined && linked !== undefined && configured !== linked
    ? 'two'
    : (configured ?? linked);
}

/**
 * Whom a token without actors is for: null where it is the agent's own, undefined where it should name somebody and does not.
 * A token for a person, obtained by an agent (RFC 9068 with a resource owner), is one that this person started.
 */
function starterOf(
  issuer: Issuer,
  claims: JsonObject,
  agent: AgentId,
  accounts: Accounts,
): Delegate | null | undefined {
  const person = personOf(issuer, claims, accounts);
  if (person === 'two') return undefined;
  if (person !== undefined) return { kind: 'person', id: person };
  if (issuer.people === null) return null;
  const { claim } = issuer.people;
  const own = issuer.agents.some(
    (one) => one.agent === agent && Object.hasOwn(one.claims, claim) && fits(one.claims, claims),
  );
  return own ? null : undefined;
}

const allActive = (directory: Directory, agent: AgentId, { startedBy, delegation }: Chain): boolean =>
  isActiveAgent(directory, agent) &&
  (startedBy === null || personIn(directory, startedBy) !== undefined) &&
  delegation.every((link) =>
    link.kind === 'agent' ? isActiveAgent(directory, link.id) : personIn(directory, link.id) !== undefined,
  );
