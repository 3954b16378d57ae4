/** What was in force and when: versions of policies, directory and servers with the entries that accepted them. */
import { canonicalize } from '../canonical.ts';
import type { How, Part } from '../command-config.ts';
import type { AcceptedPolicies, AcceptedServers } from '../config-change.ts';
import type { Directory } from '../directory.ts';
import type { Entry } from '../entry.ts';
import type { AgentId, Digest, PersonId } from '../ids.ts';
import { asDigest } from '../ids.ts';
import type { JsonValue } from '../json.ts';
import { policyDigest } from '../policy-digest.ts';
import { line, short, type Shown } from '../render/shown.ts';
import { sha256Hex } from '../sha256.ts';
import type { AcceptedBy, PolicyVersion } from './model-sections.ts';
import { countAt, namesAt, peopleAt, personAt, textAt, timeOf } from './read.ts';

interface Bodies {
  readonly policies: AcceptedPolicies;
  readonly directory: Directory;
  readonly servers: AcceptedServers;
}

/** One accepted version of a part. */
export interface Version<P extends Part> {
  readonly version: number;
  /** False: its entry was erased, so that which version it was is a guess. */
  readonly known: boolean;
  /** Its entry; null where the log does not have it any more. */
  readonly entry: Entry | null;
  /** Null: the store has it no more, or it is another than the log says (but for policies, whose text is then shown as such). */
  readonly body: Bodies[P] | null;
  /** What the store has is not what the log says was accepted. */
  readonly altered: boolean;
  /** As its entry says. */
  readonly digest: Digest | null;
  /** It was in force when the period began. */
  readonly atStart: boolean;
}

/** Versions of a part, oldest first: what was in force at the start, and what came in the period. */
export type Versions<P extends Part> = readonly Version<P>[];

export interface History {
  readonly policies: Versions<'policies'>;
  readonly directory: Versions<'directory'>;
  readonly servers: Versions<'servers'>;
}

/** The version of an entry `….accepted`; null where it does not say. */
export const versionIn = ({ data }: Pick<Entry, 'data'>): number | null => countAt(data, 'version');

export const digestIn = ({ data }: Pick<Entry, 'data'>): Digest | null => {
  const digest = textAt(data, 'digest');
  return digest === null ? null : asDigest(digest);
};

/**
 * What was in force just before an entry. Null: none is known. What is in force from the start of the period counts from before its
 * first entry.
 */
export function inForceAt<P extends Part>(versions: Versions<P>, index: number): Version<P> | null {
  return (
    versions.findLast(({ atStart, entry }) => atStart || (entry !== null && entry.index < index)) ?? null
  );
}

/** Whether the body is the one whose digest the log has. */
export function digestHolds({
  body,
  digest,
}: Pick<Version<Part>, 'body' | 'digest'>): PolicyVersion['digestHolds'] {
  if (body === null || digest === null) return 'unknown';
  // Accepted bodies are JSON by construction (core/config-change.ts).
  const made = `sha256:${sha256Hex(canonicalize(body as unknown as JsonValue))}`;
  return made === digest ? 'yes' : 'no';
}

/** What verdicts name each policy set by; made once for each version whose text is the one that the log has. */
export function setsOf(versions: Versions<'policies'>): ReadonlyMap<number, Digest> {
  return new Map(
    versions.flatMap((one) =>
      one.body === null || digestHolds(one) !== 'yes' ? [] : [[one.version, policyDigest(one.body)] as const],
    ),
  );
}

/** Owners of agents, by directory version; as above. */
export function ownersOf(
  versions: Versions<'directory'>,
): ReadonlyMap<number, ReadonlyMap<AgentId, readonly PersonId[]>> {
  return new Map(
    versions.flatMap((one) =>
      one.body === null || digestHolds(one) !== 'yes'
        ? []
        : [[one.version, new Map(one.body.agents.map((agent) => [agent.id, agent.owners]))] as const],
    ),
  );
}

const howWords: Readonly<Record<How, string>> = {
  first: 'the first, into an empty store; nobody was asked',
  found: 'as found: the company is one person, so nobody else could be asked',
  tightened: 'only what tightens was taken over; nobody was asked',
  reviewed: 'approved by people',
  machine: 'accepted at the machine, without anybody’s approval',
};

/** Longest line of what changed, in characters. */
const lineCharsMax = 300;

/** @param lines what changed, where the entry does not say so itself */
export function acceptedByOf(
  entry: Entry | null,
  nameLess: { readonly lines: readonly string[] },
): AcceptedBy {
  const data = entry?.data ?? {};
  const how = textAt(data, 'how');
  const known = how !== null && Object.hasOwn(howWords, how);
  // Own keys of `howWords` are all that `How` has.
  const named = known ? (how as How) : null;
  const proposedBy = personAt(data, 'author') ?? personAt(data, 'madeBy');
  const acceptedBy = [...new Set(peopleAt(data, 'people') ?? [])];
  const said = namesAt(data, 'changes') ?? nameLess.lines;
  return {
    how: named,
    howWords: named === null ? line('how is not known') : line(howWords[named]),
    proposedBy,
    acceptedBy,
    secondPerson: secondPerson(named, proposedBy, acceptedBy),
    approval: entry?.about.approval ?? null,
    atMs: entry === null ? null : timeOf(entry),
    index: entry?.index ?? null,
    changes: said.map((one): Shown => short(one, lineCharsMax)),
  };
}

/** Of two who accepted it, one is somebody else than its maker, whoever that is. */
function secondPerson(
  how: How | null,
  maker: PersonId | null,
  acceptedBy: readonly PersonId[],
): AcceptedBy['secondPerson'] {
  if (how === null) return 'unknown';
  if (how !== 'reviewed') return 'no';
  if (maker === null) return acceptedBy.length >= 2 ? 'yes' : 'unknown';
  return acceptedBy.some((one) => one !== maker) ? 'yes' : 'no';
}
