/** One statement, read: whether it is the entry that it should be, and the few facts of it that the other checks need. */
import { canonicalize } from '../../core/canonical.ts';
import { entryTypes, predicateType, statementType, type EntryType } from '../../core/entry.ts';
import type { JsonObject, JsonValue } from '../../core/json.ts';

/** What is kept of an entry while others are looked at. */
export interface EntryFacts {
  readonly index: number;
  readonly atMs: number;
  readonly type: EntryType;
  /** The id of a person or an agent; null: the gate, or who has the machine. */
  readonly by: string | null;
  readonly action: string | null;
  readonly approval: string | null;
  /** Of an entry about no action: the head of the chain before it, as its statement says. */
  readonly headBefore: string | null;
  /** Of an entry about an action: the SHA-256 of the action's canonical bytes. */
  readonly subject: string | null;
  /** Only of types that a later check reads, and only what it reads. */
  readonly data: JsonObject;
}

const types: ReadonlySet<string> = new Set(entryTypes);
const sha256 = /^[0-9a-f]{64}$/;

const objectOf = (value: JsonValue | undefined): JsonObject | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? // Not an array, so an object.
      (value as JsonObject)
    : undefined;
const textOf = (value: JsonValue | undefined): string | null => (typeof value === 'string' ? value : null);

/** Reads a statement that should be the entry of this index; a sentence where it is not. */
export function readStatement(statement: string, index: number): EntryFacts | string {
  let read: JsonValue;
  try {
    // JSON.parse answers JSON.
    read = JSON.parse(statement) as JsonValue;
  } catch {
    return 'is not JSON';
  }
  const top = objectOf(read);
  const predicate = objectOf(top?.['predicate']);
  if (top === undefined || predicate === undefined) return 'is no statement of an entry';
  if (top['_type'] !== statementType || top['predicateType'] !== predicateType || predicate['v'] !== 1)
    return 'is of another format than this program knows';
  if (!hasOneText(read, statement)) return 'is not in its canonical form, so it can be read in two ways';
  const { at, type } = predicate;
  if (predicate['index'] !== index)
    return `says that it is entry ${JSON.stringify(predicate['index'] ?? null)}`;
  const atMs = typeof at === 'string' ? Date.parse(at) : NaN;
  if (Number.isNaN(atMs) || new Date(atMs).toISOString() !== at) return 'has no time';
  if (typeof type !== 'string' || !types.has(type)) return 'is of a type that this program does not know';
  const subjects = top['subject'];
  const subject = Array.isArray(subjects) && subjects.length === 1 ? objectOf(subjects[0]) : undefined;
  const digest = textOf(objectOf(subject?.['digest'])?.['sha256']);
  const about = objectOf(predicate['about']);
  const data = objectOf(predicate['data']);
  if (digest === null || !sha256.test(digest) || about === undefined || data === undefined)
    return 'lacks its subject, or what it is about';
  const name = subject?.['name'];
  if (name !== 'action' && name !== 'log') return 'has a subject of an unknown kind';
  const entryType = type as EntryType; // one of the set
  return {
    index,
    atMs,
    type: entryType,
    by: textOf(objectOf(predicate['by'])?.['id']),
    action: textOf(about['action']),
    approval: textOf(about['approval']),
    headBefore: name === 'log' ? digest : null,
    subject: name === 'action' ? digest : null,
    data: readOf(entryType, data),
  };
}

/** Whether a text is the canonical one of what was read from it. */
function hasOneText(read: JsonValue, text: string): boolean {
  // What is nested too deep for either is in no form of ours.
  try {
    // Quicker, and enough: no white space, no second key of a name, no other form of a number or a letter. It differs from the
    // canonical text only where a key is a number, because those come first in JavaScript.
    return JSON.stringify(read) === text || canonicalize(read) === text;
  } catch {
    return false;
  }
}

/** What the later checks read of an entry's data. */
function readOf(type: EntryType, data: JsonObject): JsonObject {
  const some = (...keys: readonly string[]): JsonObject =>
    Object.fromEntries(
      keys.flatMap((key): readonly (readonly [string, JsonValue])[] => {
        const value = data[key];
        return value === undefined ? [] : [[key, value]];
      }),
    );
  if (type === 'action.asked')
    return {
      ...some('digest', 'mode', 'glass', 'enforcement'),
      effect: objectOf(data['verdict'])?.['effect'] ?? null,
    };
  if (type === 'approval.opened') {
    const list = (key: string): readonly JsonValue[] => {
      const value = data[key];
      // Array.isArray loses the element's type.
      return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
    };
    const quorums = list('requirements').map((one) => Number(objectOf(one)?.['quorum'] ?? 1));
    return {
      ...some('digest'),
      quorum: Math.max(1, ...quorums),
      conflict: list('conflict').map((one) => objectOf(one)?.['person'] ?? null),
    };
  }
  if (type === 'approval.approved') return some('digest', 'people');
  if (type === 'review.recorded') return some('digest', 'decision');
  if (type === 'execution.started') return some('digest', 'grant');
  if (type === 'execution.succeeded' || type === 'execution.failed') return some('late');
  if (type === 'key.begun' || type === 'key.ended' || type === 'payloads.erased' || type === 'log.opened')
    return data;
  return {};
}
