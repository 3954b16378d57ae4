/**
 * Reading cases. The action itself is kept once, as its canonical bytes: what is read back is parsed from the very text that
 * the digest was taken over.
 */
import type { Action } from '../core/action.ts';
import type { Approval, Case, Ending, Execution, Mode, Review, Seen } from '../core/case.ts';
import { asGlassId } from '../core/glass.ts';
import { asActionId, asDigest, asExecutionId, asPersonId, asSha256Hex } from '../core/ids.ts';
import type { JsonValue } from '../core/json.ts';
import type { Profile } from '../core/profile.ts';
import type { Verdict } from '../core/verdict.ts';
import { integer, integerOrNull, json, jsonOrNull, text, textOrNull } from './columns.ts';
import type { Row } from './driver.ts';

const columns = `
  a.id, a.ord, a.join_key, a.run, a.asked_at_ms, a.approval, a.grant_expires_at_ms, a.consumed_at_ms, a.grant_index, a.ending,
  a.digest, a.subject, a.verdict, a.profile, a.preview, a.look_before, a.canonical,
  a.mode, a.like_key, a.callback, a.amount, a.glass, a.trace,
  e.id AS execution_id, e.status, e.started_at_ms, e.ended_at_ms, e.outcome_by, e.detail, e.result,
  r.person_id, r.decision, r.digest AS review_digest, r.reason, r.unsafe, r.channel, r.at_ms,
  r.shown, r.via, r.proof, r.standing_in_for`;

/**
 * One statement, so that a case is read as it was at one moment: a row for each review, at least one for each case.
 * Rows `barred` only guard (schema.ts); they are nobody's word.
 */
export const selectCases = (where: string): string => `SELECT ${columns} FROM actions a
  LEFT JOIN executions e ON e.action_ord = a.ord
  LEFT JOIN reviews r ON r.approval_id = a.approval_id AND r.decision <> 'barred'
  WHERE ${where} ORDER BY a.ord DESC, r.ord`;

/** Where to find one case, by what names it. */
export const caseBy = {
  action: selectCases('a.id = $1'),
  approval: selectCases('a.approval_id = $1'),
  execution: selectCases('a.ord = (SELECT action_ord FROM executions WHERE id = $1)'),
  /** The newest that a repeat could join, or that makes it "after unknown"; others of the same key hide nothing. */
  joinKey: selectCases(`a.ord = (SELECT ord FROM actions
    WHERE join_key = $1 AND (approval_id IS NOT NULL OR state = 'unknown') ORDER BY ord DESC LIMIT 1)`),
} as const;

/** The cases of `selectCases`'s rows, in their order. */
export function casesOf(rows: readonly Row[]): readonly Case[] {
  const cases: Case[] = [];
  for (let at = 0; at < rows.length;) {
    const first = rows[at];
    if (first === undefined) break;
    const reviews: Review[] = [];
    let next = at;
    for (let row = rows[next]; row !== undefined && row['id'] === first['id']; row = rows[next]) {
      if (row['person_id'] !== null) reviews.push(reviewOf(row));
      next += 1;
    }
    cases.push(caseOf(first, reviews));
    at = next;
  }
  return cases;
}

function caseOf(row: Row, reviews: readonly Review[]): Case {
  const canonical = text(row, 'canonical');
  // The canonical text was made of an Action, or of what is left of one (erase-writes.ts).
  const { erased, ...action } = JSON.parse(canonical) as Action & { readonly erased?: number };
  const grantExpiresAtMs = integerOrNull(row, 'grant_expires_at_ms');
  return {
    // The casts: `insertCase` and `updateCase` wrote these columns from the same fields of a Case.
    asked: {
      id: asActionId(text(row, 'id')),
      action,
      ...(erased === undefined ? {} : { veiled: true as const, erased }),
      canonical,
      digest: asDigest(text(row, 'digest')),
      subject: asSha256Hex(text(row, 'subject')),
      joinKey: text(row, 'join_key'),
      likeKey: text(row, 'like_key'),
      // CHECKed by the schema.
      mode: text(row, 'mode') as Mode,
      ...glassIn(row),
      ...traceIn(row),
      callback: textOrNull(row, 'callback'),
      amount: integerOrNull(row, 'amount'),
      run: textOrNull(row, 'run'),
      verdict: verdictOf(json(row, 'verdict') as Verdict),
      profile: jsonOrNull(row, 'profile') as Profile | null,
      preview: jsonOrNull(row, 'preview') as Seen | null,
      before: jsonOrNull(row, 'look_before') as Seen | null,
      atMs: integer(row, 'asked_at_ms'),
    },
    approval: jsonOrNull(row, 'approval') as Approval | null,
    reviews,
    grant:
      grantExpiresAtMs === null
        ? null
        : {
            expiresAtMs: grantExpiresAtMs,
            consumedAtMs: integerOrNull(row, 'consumed_at_ms'),
            index: integer(row, 'grant_index'),
          },
    ending: jsonOrNull(row, 'ending') as Ending | null,
    execution: row['execution_id'] === null ? null : executionOf(row),
  };
}

/** The break-glass that it passed under; nothing where there was none. */
export const glassIn = (row: Row): Pick<Case['asked'], 'glass'> => {
  const glass = textOrNull(row, 'glass');
  return glass === null ? {} : { glass: asGlassId(glass) };
};

const traceIn = (row: Row): Pick<Case['asked'], 'trace'> => {
  const trace = textOrNull(row, 'trace');
  return trace === null ? {} : { trace };
};

/** What was judged before there were counts was judged without them. */
const verdictOf = (stored: Verdict): Verdict => ({ ...stored, recent: stored.recent ?? null });

const executionOf = (row: Row): Execution => ({
  id: asExecutionId(text(row, 'execution_id')),
  // CHECKed by the schema.
  status: text(row, 'status') as Execution['status'],
  startedAtMs: integer(row, 'started_at_ms'),
  endedAtMs: integerOrNull(row, 'ended_at_ms'),
  // Written from an Execution only.
  outcomeBy: textOrNull(row, 'outcome_by') as Execution['outcomeBy'],
  detail: textOrNull(row, 'detail'),
  // Written from a JsonValue.
  result: json(row, 'result') as JsonValue,
});

const reviewOf = (row: Row): Review => ({
  person: asPersonId(text(row, 'person_id')),
  ...standingInOf(textOrNull(row, 'standing_in_for')),
  // CHECKed by the schema, and `barred` is not selected.
  decision: text(row, 'decision') as Review['decision'],
  digest: asDigest(text(row, 'review_digest')),
  reason: textOrNull(row, 'reason'),
  unsafe: integer(row, 'unsafe') === 1,
  // Written from a Review only.
  channel: text(row, 'channel') as Review['channel'],
  atMs: integer(row, 'at_ms'),
  shown: shownOf(textOrNull(row, 'shown')),
  // Both are written from a Review only.
  via: jsonOrNull(row, 'via') as Review['via'],
  proof: jsonOrNull(row, 'proof') as Review['proof'],
});

const standingInOf = (person: string | null): Pick<Review, 'standingInFor'> =>
  person === null ? {} : { standingInFor: asPersonId(person) };

const shownOf = (hash: string | null): Review['shown'] => (hash === null ? null : asSha256Hex(hash));
