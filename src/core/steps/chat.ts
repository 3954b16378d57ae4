/** Copies of approvals in chats and presses there, written down. What a press may do is decided by core/review.ts alone. */
import type { Click, Post } from '../chat.ts';
import type {
  FallBackCommand,
  FinishClickCommand,
  RecordClickCommand,
  WritePostCommand,
} from '../command-chat.ts';
import { aboutNothing } from '../entry.ts';
import type { Loaded, Needs, Step } from '../loaded.ts';
import { refuse } from '../refusal.ts';
import { ok } from '../result.ts';
import { data, done, entryOf, nothing, refused, stale } from './common.ts';

export const postNeeds = ({ post }: WritePostCommand): Needs => ({
  rows: 'case',
  by: 'approval',
  id: post.approval,
  post: post.id,
});

/** A post that has arrived once keeps what it is of; an id is never another copy's. */
export function writePost({ post, showing, over }: WritePostCommand, loaded: Loaded): Step {
  const held = loaded.case;
  if (held?.approval == null) return refused(refuse('not_found', 'There is no such approval.'));
  const before = loaded.post ?? null;
  if (before !== null && !sameCopy(before, post))
    return refused(refuse('not_permitted', 'This is the id of another copy.', { post: post.id }));
  if (post.digest !== held.asked.digest)
    return refused(refuse('digest_mismatch', 'This copy is of another action.', { post: post.id }));
  // One of two gates that begin the same copy gets it.
  if (over !== undefined && over !== (before?.updatedAtMs ?? null)) return stale;
  const arrives = post.state === 'posted' && post.at !== null && before?.state !== 'posted';
  return {
    ...done,
    writes: [
      ...(showing === null ? [] : [{ row: 'showing', showing, approval: post.approval } as const]),
      // From the time when it arrived: until then it was being sent, for as long as the platform was away.
      { row: 'post', post: arrives ? { ...post, atMs: loaded.nowMs } : arrived(before, post) } as const,
    ],
    entries: arrives
      ? [
          entryOf(
            held,
            'notice.posted',
            { kind: 'gate' },
            {
              channel: post.channel,
              kind: post.kind,
              group: post.group,
              to: post.to,
              at: post.at,
              shown: post.shown,
              whole: post.whole,
            },
          ),
        ]
      : [],
  };
}

const arrived = (before: Post | null, post: Post): Post =>
  before?.state === 'posted' ? { ...post, atMs: before.atMs } : post;

const sameCopy = (a: Post, b: Post): boolean =>
  a.approval === b.approval && a.channel === b.channel && a.kind === b.kind && a.to === b.to;

export const clickNeeds = (id: Click['id']): Needs => ({ rows: 'nothing', click: id });

/** Answers the press as it is recorded: its outcome is there where it was carried out before. */
export function recordClick({ click }: RecordClickCommand, loaded: Loaded): Step {
  const before = loaded.click ?? null;
  if (before !== null) return { ...nothing, answer: ok({ kind: 'click', click: before, isNew: false }) };
  const now: Click = { ...click, atMs: loaded.nowMs, doneAtMs: null, outcome: null };
  return {
    answer: ok({ kind: 'click', click: now, isNew: true }),
    writes: [{ row: 'click', click: now }],
    entries: [],
    notices: [],
  };
}

export function finishClick(command: FinishClickCommand, loaded: Loaded): Step {
  const before = loaded.click ?? null;
  if (before === null) return refused(refuse('not_found', 'Nothing like this was pressed.'));
  if (before.doneAtMs !== null)
    return { ...nothing, answer: ok({ kind: 'click', click: before, isNew: false }) };
  const click: Click = { ...before, doneAtMs: loaded.nowMs, outcome: command.outcome };
  return {
    answer: ok({ kind: 'click', click, isNew: false }),
    writes: [{ row: 'click', click }],
    entries:
      command.refused === null
        ? []
        : [
            {
              type: 'click.refused',
              by: { kind: 'gate' },
              about: aboutNothing,
              subject: null,
              data: data({
                channel: click.channel,
                verb: click.verb,
                code: command.outcome,
                account: click.account,
                at: click.at,
                post: click.post,
                ...command.refused,
              }),
            },
          ],
    notices: [],
  };
}

export const fallBackNeeds = ({ approval }: FallBackCommand): Needs => ({
  rows: 'case',
  by: 'approval',
  id: approval,
});

/** The next channel is told from now on; the one that fails goes on trying. */
export function fallBack(command: FallBackCommand, loaded: Loaded): Step {
  const held = loaded.case;
  if (held?.approval == null) return refused(refuse('not_found', 'There is no such approval.'));
  const { approval, notice, from, to, detail, attempts } = command;
  return {
    ...done,
    entries: [
      entryOf(
        held,
        'notice.failed',
        { kind: 'gate' },
        { channel: from, kind: notice, attempts, detail, next: to },
      ),
    ],
    notices: [{ kind: notice, approval, callback: false, only: { channel: to, insteadOf: from } }],
  };
}
