/**
 * What is known of where people were told of an approval, and of channels that fail, so that no silence is hidden: copies in
 * chats, notices that wait because they failed, and those that were given up. Whoever shows it has asked first whether its
 * reader may read the approval: places have names that say something.
 */
import type { Post } from '../core/chat.ts';
import type { ApprovalId, GroupId } from '../core/ids.ts';
import type { Failing } from '../ports/chats.ts';
import type { Failed } from '../ports/overview.ts';
import type { Store } from '../ports/store.ts';
import { asks } from './failing.ts';

/** `failing`: it is tried again. `given_up`: it is not. Else as of the copy. */
export type ToldState = Post['state'] | 'failing' | 'given_up';

/** One copy, or one channel that fails. */
export interface ToldWhere {
  readonly channel: string;
  /** Null for a person's own place, and for a channel as a whole. */
  readonly group: GroupId | null;
  /** The place, as configured; null for a person's own, and for a channel as a whole. */
  readonly to: string | null;
  readonly state: ToldState;
  /** Whether the whole action can be read there; null where nothing is there, or a note. */
  readonly whole: boolean | null;
  /** Since when it stands so: it was posted, it waits, it was given up. */
  readonly atMs: number;
  /** Why it fails; null where it does not. Holds no secret. */
  readonly detail: string | null;
  readonly tries: number | null;
  /** When it is tried again. */
  readonly nextMs: number | null;
  /** Channels that were told instead. */
  readonly instead: readonly string[];
}

/** Cards and notes to people first, oldest first; then a line for each channel that fails. What one person opened for themself is theirs. */
export async function toldWhere(
  { store }: { readonly store: Store },
  approval: ApprovalId,
): Promise<readonly ToldWhere[]> {
  const [posts, failing, failures] = await Promise.all([
    store.postsOf(approval),
    store.failingNotices(approval),
    store.failuresOf(approval),
  ]);
  const channels = [...new Set([...failing, ...failures.filter((one) => one.next === null)].map(channelOf))];
  return [
    ...posts.filter(isItsOwnLine).map(postWhere),
    ...channels.map((channel) => {
      const of = <T extends { readonly channel: string }>(all: readonly T[]): readonly T[] =>
        all.filter((one) => one.channel === channel);
      return failureWhere(channel, of(failing), of(failures));
    }),
  ];
}

/** A reply stands below its card, whose line says where. */
const isItsOwnLine = ({ kind, group }: Post): boolean =>
  kind === 'card' || (kind === 'note' && group === null);

const channelOf = ({ channel }: { readonly channel: string }): string => channel;

const postWhere = ({ channel, kind, group, to, state, whole, atMs }: Post): ToldWhere => ({
  channel,
  group,
  // A person's own place is named by their account.
  to: group === null ? null : to,
  state,
  // A note tells of the outcome; the action was never to be read there.
  whole: state === 'posted' && kind === 'card' ? whole : null,
  atMs,
  detail: null,
  tries: null,
  nextMs: null,
  instead: [],
});

/** At least one of both is there: what waits says more than what was given up before. */
function failureWhere(channel: string, failing: readonly Failing[], failures: readonly Failed[]): ToldWhere {
  const newest = failing.toSorted((a, b) => b.attempts - a.attempts || b.sinceMs - a.sinceMs)[0];
  const last = failures.at(-1);
  const next = failures.flatMap((one) => one.next ?? []);
  const known = {
    channel,
    group: null,
    to: null,
    whole: null,
    instead: [...new Set(next)],
  };
  return newest === undefined
    ? {
        ...known,
        state: 'given_up',
        atMs: last?.atMs ?? 0,
        detail: last?.detail ?? null,
        tries: last?.attempts ?? null,
        nextMs: null,
      }
    : {
        ...known,
        state: 'failing',
        atMs: Math.min(...failing.map((one) => one.sinceMs)),
        detail: newest.detail,
        tries: newest.attempts,
        nextMs: Math.min(...failing.map((one) => one.dueAtMs)),
      };
}

/** A channel that could not tell people of approvals for which they are waited for. */
export interface Silent {
  readonly channel: string;
  readonly sinceMs: number;
  /** Why the one that was tried last failed. */
  readonly detail: string;
  /** Each once. */
  readonly approvals: readonly ApprovalId[];
}

/** Of the approvals that `counts` says, by channel. An agent's callback tells no people. */
export async function silentOn(
  { store }: { readonly store: Store },
  counts: (approval: ApprovalId) => boolean,
): Promise<readonly Silent[]> {
  const all = (await store.failingNotices()).filter(
    ({ channel, kind, approval }) => channel !== 'callback' && asks(kind) && counts(approval),
  );
  return [...Map.groupBy(all, channelOf)].map(([channel, failing]) => ({
    channel,
    sinceMs: Math.min(...failing.map((one) => one.sinceMs)),
    // The one that is due last was tried last.
    detail: failing.toSorted((a, b) => b.dueAtMs - a.dueAtMs)[0]?.detail ?? '',
    approvals: [...new Set(failing.map((one) => one.approval))],
  }));
}
