/** What was in force in a period, read from the log and from the versions that its entries name; and what policies changed in words. */
import type { Part } from '../core/command-config.ts';
import { emptyDirectory } from '../core/directory.ts';
import { differenceOf } from '../core/config-change/compare.ts';
import type { PolicyItem } from '../core/config-change.ts';
import type { Entry } from '../core/entry.ts';
import type { Grounds } from '../core/evidence/case-entries.ts';
import {
  digestHolds,
  digestIn,
  inForceAt,
  ownersOf,
  setsOf,
  versionIn,
  type History,
  type Version,
  type Versions,
} from '../core/evidence/versions.ts';
import { asPersonId, type PersonId } from '../core/ids.ts';
import type { JsonValue } from '../core/json.ts';
import { short, type Shown } from '../core/render/shown.ts';
import type { Requirement } from '../core/verdict.ts';
import type { PolicyEngine } from '../ports/policy.ts';
import type { Store } from '../ports/store.ts';
import { typesSpanMax } from '../ports/evidence.ts';

/** Versions of one part whose bodies are read; of more the evidence says only that they were. */
export const bodiesMax = 500;

/** Indexes, from inclusive, to exclusive. */
export interface Indexes {
  readonly from: number;
  readonly to: number;
}

/** All entries of some types in a range, in pieces; `max` of them. */
export async function entriesOf(
  store: Pick<Store, 'entriesOfTypes'>,
  types: readonly Entry['type'][],
  range: Indexes,
  max: number,
): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  for (let { from } = range; from < range.to && found.length < max;) {
    const page = await store.entriesOfTypes(types, { from, to: range.to }, 1000);
    found.push(...page.map(({ entry }) => entry));
    const last = page.at(-1);
    from = page.length === 1000 && last !== undefined ? last.entry.index + 1 : from + typesSpanMax;
  }
  return found.slice(0, max);
}

export async function historyOf(store: Store, range: Indexes): Promise<History> {
  const [policies, directory, servers] = [
    await versionsOf(store, 'policies', range),
    await versionsOf(store, 'directory', range),
    await versionsOf(store, 'servers', range),
  ];
  return { policies, directory, servers };
}

async function versionsOf<P extends Part>(store: Store, what: P, range: Indexes): Promise<Versions<P>> {
  const versions: Version<P>[] = [];
  const before = await store.acceptedBefore(what, range.from);
  if (before !== undefined)
    versions.push(
      versionOf(what, before.entry, {
        version: before.version,
        known: before.entry !== null,
        body: before.body,
        atStart: true,
      }),
    );
  const entries = await entriesOf(store, [`${what}.accepted`], range, Number.MAX_SAFE_INTEGER);
  for (const entry of entries) {
    const version = versionIn(entry);
    const found =
      version === null || versions.length >= bodiesMax
        ? undefined
        : await store.acceptedVersion(what, version);
    versions.push(
      versionOf(what, entry, {
        version: version ?? (versions.at(-1)?.version ?? 0) + 1,
        known: version !== null,
        body: found?.body ?? null,
        atStart: false,
      }),
    );
  }
  return versions;
}

function versionOf<P extends Part>(
  what: P,
  entry: Entry | null,
  of: Pick<Version<P>, 'version' | 'known' | 'atStart'> & { readonly body: JsonValue },
): Version<P> {
  const digest = entry === null ? null : digestIn(entry);
  // Only a value of this type is accepted as this part (AcceptCommand).
  const body = of.body as unknown as Version<P>['body'];
  const altered = digestHolds({ body, digest }) === 'no';
  return { ...of, entry, digest, altered, body: altered && what !== 'policies' ? null : body };
}

/** What rows are made with. */
export function groundsOf(
  history: History,
  glasses: ReadonlyMap<string, { readonly openedIndex: number; readonly closedIndex: number | null }>,
): Grounds {
  const [sets, owners] = [setsOf(history.policies), ownersOf(history.directory)];
  const names = namesIn(history);
  return {
    policyAt(index) {
      const found = inForceAt(history.policies, index);
      return found?.known === true ? { version: found.version, set: sets.get(found.version) ?? null } : null;
    },
    ownersAt(agent, index) {
      const found = inForceAt(history.directory, index);
      return found?.known === true ? (owners.get(found.version)?.get(agent) ?? null) : null;
    },
    nameOf: (person) => names.get(person) ?? short(person, 120),
    glassOf: (id) => glasses.get(id) ?? null,
  };
}

/** By the newest directory that has them. */
function namesIn({ directory }: History): ReadonlyMap<PersonId, Shown> {
  return new Map(
    directory.flatMap(({ body }) =>
      (body?.people ?? []).map(({ id, name }) => [asPersonId(id), short(name, 120)] as const),
    ),
  );
}

/** Items of a set; undefined where it cannot be parsed. */
function itemsOf(
  policy: Pick<PolicyEngine, 'items'>,
  version: Version<'policies'> | undefined,
): readonly PolicyItem[] | undefined {
  if (version?.body == null) return undefined;
  try {
    return policy.items(version.body);
  } catch {
    // Accepted by a program that read it otherwise: the text is told, and nothing is made of it.
    return undefined;
  }
}

/** What each version of the policies changed, in lines; nothing for those that cannot be compared. */
export function policyLines(
  policy: Pick<PolicyEngine, 'items'>,
  versions: Versions<'policies'>,
): ReadonlyMap<number, readonly string[]> {
  const lines = new Map<number, readonly string[]>();
  const rest = { directory: emptyDirectory, servers: { servers: [], operations: [] } };
  let before = itemsOf(policy, versions[0]);
  for (const [at, version] of versions.entries()) {
    if (at === 0) continue;
    const items = itemsOf(policy, version);
    const was = versions[at - 1]?.body ?? null;
    if (before !== undefined && items !== undefined)
      lines.set(
        version.version,
        differenceOf(
          { ...rest, policies: was, items: before },
          { ...rest, policies: version.body, items },
        ).map((one) => one.says),
      );
    before = items;
  }
  return lines;
}

/** The requirements of the set in force at the end; undefined where they cannot be read. */
export const requirementsAtEnd = (
  policy: Pick<PolicyEngine, 'items'>,
  versions: Versions<'policies'>,
): readonly Requirement[] | undefined =>
  itemsOf(policy, versions.at(-1))?.flatMap(({ requirement }) => (requirement === null ? [] : [requirement]));
