/**
 * Groups that a provider claims: taken over when somebody signs in with it. What is gone is gone at once; what is new counts for
 * approving after the cool-off, or once a second person has confirmed it. Each change is an entry and a new directory.
 */
import { refusesConfirming, type Membership } from '../claims.ts';
import type { ConfirmMembershipCommand, DropClaimsCommand } from '../command-people.ts';
import type { By } from '../case.ts';
import { aboutNothing, type EntryDraft } from '../entry.ts';
import type { GroupId, PersonId } from '../ids.ts';
import type { Loaded, Step, Write } from '../loaded.ts';
import { noteOf } from '../note.ts';
import { refuse } from '../refusal.ts';
import { rfc3339 } from '../time.ts';
import { data, done, refused } from './common.ts';

/** Groups of one person that one provider may claim at a time; the rest is left out, in their order. */
export const claimedGroupsMax = 200;

type How = 'claimed' | 'lost' | 'confirmed';

const changedEntry = (
  by: By,
  how: How,
  { person, group, provider, countsFromMs }: Membership,
): EntryDraft => ({
  type: 'membership.changed',
  by,
  about: aboutNothing,
  subject: null,
  data: data({
    person,
    group,
    provider,
    how,
    ...(how === 'lost' ? {} : { countsFrom: rfc3339(countsFromMs) }),
  }),
});

const noteFor = (how: How, { person, group, provider, countsFromMs }: Membership, atMs: number): Write => ({
  row: 'note',
  note: noteOf({
    person,
    kind: `group.${how}`,
    body: { group, provider, ...(how === 'lost' ? {} : { countsFromMs }) },
    atMs,
  }),
});

interface Claims {
  readonly writes: readonly Write[];
  readonly entries: readonly EntryDraft[];
}

const none: Claims = { writes: [], entries: [] };

const nextDirectory = (loaded: Loaded): Write => ({
  row: 'directoryVersion',
  version: loaded.versions.directory + 1,
});

/** What follows for one person from what one provider says now. @param say `groups` null: it is not asked, and nothing changes. */
export function claimed(
  person: PersonId,
  provider: string,
  say: { readonly groups: readonly GroupId[] | null; readonly coolOffMs: number },
  loaded: Loaded,
): Claims {
  if (say.groups === null) return none;
  const groups = new Set(say.groups.slice(0, claimedGroupsMax));
  const rows = (loaded.memberships ?? []).filter((one) => one.person === person && one.provider === provider);
  const lost = rows.filter((one) => !groups.has(one.group));
  const known = new Set(rows.map((one) => one.group));
  const fresh = [...groups]
    .filter((group) => !known.has(group))
    .map((group): Membership => ({
      person,
      group,
      provider,
      atMs: loaded.nowMs,
      countsFromMs: loaded.nowMs + say.coolOffMs,
      confirmedBy: null,
    }));
  if (lost.length === 0 && fresh.length === 0) return none;
  const { nowMs } = loaded;
  return {
    writes: [
      ...lost.flatMap((membership): Write[] => [
        { row: 'membershipEnded', membership },
        noteFor('lost', membership, nowMs),
      ]),
      ...fresh.flatMap((membership): Write[] => [
        { row: 'membership', membership },
        noteFor('claimed', membership, nowMs),
      ]),
      nextDirectory(loaded),
    ],
    entries: [
      ...lost.map((one) => changedEntry({ kind: 'gate' }, 'lost', one)),
      ...fresh.map((one) => changedEntry({ kind: 'gate' }, 'claimed', one)),
    ],
  };
}

/** An admin who is somebody else says that a claimed group is right: it counts at once. */
export function confirmMembership(command: ConfirmMembershipCommand, loaded: Loaded): Step {
  const { person, group, provider, by, way } = command;
  const row = (loaded.memberships ?? []).find(
    (one) => one.person === person && one.group === group && one.provider === provider,
  );
  if (row === undefined) return refused(refuse('not_found', 'There is no such claimed membership.'));
  const refusal = refusesConfirming(by, way?.countsFromMs ?? 0, person, loaded);
  if (refusal !== undefined) return refused(refusal);
  if (row.countsFromMs <= loaded.nowMs) return done;
  const membership = { ...row, countsFromMs: loaded.nowMs, confirmedBy: by };
  return {
    ...done,
    writes: [
      { row: 'membership', membership },
      noteFor('confirmed', membership, loaded.nowMs),
      nextDirectory(loaded),
    ],
    entries: [changedEntry({ kind: 'person', id: by }, 'confirmed', membership)],
  };
}

/** At start, and with each change of providers: what one claimed that it may not claim now, as configured, is gone. */
export function dropClaims(command: DropClaimsCommand, loaded: Loaded): Step {
  const kept = new Map(command.keep.map((one) => [one.provider, new Set(one.groups)]));
  const lost = (loaded.memberships ?? []).filter((one) => kept.get(one.provider)?.has(one.group) !== true);
  if (lost.length === 0) return done;
  return {
    ...done,
    writes: [
      ...lost.flatMap((membership): Write[] => [
        { row: 'membershipEnded', membership },
        noteFor('lost', membership, loaded.nowMs),
      ]),
      nextDirectory(loaded),
    ],
    entries: lost.map((one) => changedEntry({ kind: 'gate' }, 'lost', one)),
  };
}
