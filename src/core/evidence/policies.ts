/** The policy texts that were in force in the period, and who accepted each. */
import type { PolicyVersion } from './model-sections.ts';
import { acceptedByOf, digestHolds, setsOf, type Versions } from './versions.ts';

/** @param lines what changed with a version, for those whose entries do not say it */
export function policyVersions(
  versions: Versions<'policies'>,
  lines: ReadonlyMap<number, readonly string[]>,
): readonly PolicyVersion[] {
  const last = versions.at(-1);
  const sets = setsOf(versions);
  return versions.map((one) => ({
    version: one.version,
    ...acceptedByOf(one.entry, { lines: lines.get(one.version) ?? [] }),
    digest: one.digest,
    digestHolds: digestHolds(one),
    set: sets.get(one.version) ?? null,
    atStart: one.atStart,
    atEnd: one === last,
    texts: one.body?.policies ?? null,
  }));
}
