/**
 * What AWS CloudTrail recorded: files `{"Records": […]}`, as they are delivered to a bucket, gzip or not. The gate's id is the
 * source identity of the session, which nobody can change once it is set, or else the session's name. Records are read one
 * after another out of the stream.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { idIn, type TargetRow } from '../../core/reconcile.ts';
import { recordCharsMax, textOf } from './records.ts';
import { timeIn } from './time.ts';

/** Rows of one file. A record that is no JSON, or too long, is a row without a time. */
export async function* cloudtrailRows(
  bytes: AsyncIterable<Uint8Array>,
  file: number,
): AsyncGenerator<TargetRow> {
  let place = 0;
  for await (const text of recordTexts(textOf(bytes))) {
    place += 1;
    yield rowOf(parsed(text), { file, place });
  }
}

function parsed(text: string | null): JsonObject | undefined {
  if (text === null) return undefined;
  try {
    // JSON.parse answers JSON; only texts are read of it, so that numbers need no care.
    const value = JSON.parse(text) as JsonValue;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const unread = 'a record that could not be read';

function rowOf(
  record: JsonObject | undefined,
  at: { readonly file: number; readonly place: number },
): TargetRow {
  if (record === undefined) return { ...at, atMs: null, what: unread, who: null, named: null };
  const user = inside(record, 'userIdentity');
  const words = [textIn(record, 'eventSource'), textIn(record, 'eventName'), textIn(record, 'errorCode')];
  return {
    ...at,
    atMs: timeIn(textIn(record, 'eventTime') ?? ''),
    what: words.filter((word) => word !== null).join(' '),
    who: textIn(user, 'arn') ?? textIn(user, 'invokedBy') ?? textIn(user, 'type'),
    named: namedIn(record, user),
  };
}

/** Where an id may be left, the one that holds first; the first that has an id, or else the first that says anything. */
function namedIn(record: JsonObject, user: JsonObject | undefined): string | null {
  const asked = inside(record, 'requestParameters');
  const said = [
    textIn(inside(user, 'sessionContext'), 'sourceIdentity'),
    // `AROAEXAMPLE:SESSION` and `arn:aws:sts::123456789012:assumed-role/ROLE/SESSION`.
    textIn(user, 'principalId')?.split(':')[1] ?? null,
    textIn(user, 'arn')?.split('/').at(-1) ?? null,
    // The call that begins the session is the gate's or its agent's own.
    textIn(asked, 'sourceIdentity'),
    textIn(asked, 'roleSessionName'),
  ];
  return said.find((text) => idIn(text) !== null) ?? said.find((text) => text !== null) ?? null;
}

const inside = (value: JsonObject | undefined, name: string): JsonObject | undefined => {
  const found = value?.[name];
  return isJsonObject(found) ? found : undefined;
};
const textIn = (value: JsonObject | undefined, name: string): string | null => {
  const found = value?.[name];
  return typeof found === 'string' ? found : null;
};

/** Objects of the first array of an object, as texts; null for one that is too long. Reads no value itself: braces outside of strings count. */
async function* recordTexts(text: AsyncIterable<string>): AsyncGenerator<string | null> {
  let [depth, inText, escaped, held, tooLong] = [0, false, false, '', false];
  for await (const piece of text)
    for (const one of piece) {
      const within = depth >= 3;
      if (within && !tooLong) held += one;
      if (held.length > recordCharsMax) [held, tooLong] = ['', true];
      if (inText) {
        if (escaped) escaped = false;
        else if (one === '\\') escaped = true;
        else if (one === '"') inText = false;
      } else if (one === '"') inText = true;
      else if (one === '{' || one === '[') {
        depth += 1;
        if (depth === 3 && one === '{') held = one;
      } else if (one === '}' || one === ']') {
        depth -= 1;
        if (depth === 2 && one === '}') {
          yield tooLong ? null : held;
          [held, tooLong] = ['', false];
        }
      }
    }
  // A file that was cut off: what was begun counts as a row that cannot be read.
  if (depth >= 3) yield null;
}
