/**
 * The exact action, literally: what would run, field by field, and the whole input. Masked are only secrets' values;
 * everything else is there, and what could not be shown is said (`whole: false`), so that it cannot be approved.
 */
import type { Action } from '../action.ts';
import type { Asked } from '../case.ts';
import { maskSecrets, maskText } from '../secrets.ts';
import { fieldsOf, type Field } from './field.ts';
import { exactLimits, writeJson, type Line } from './json-lines.ts';
import { notesOn, notesOnText, type Note } from './notes.ts';
import { line, shortDigest, type Shown } from './shown.ts';

export interface Exact {
  /** Operation, resource and target; who asks is in `ForWhom`, the agent's words apart, the salt nowhere. */
  readonly fields: readonly Field[];
  readonly input: readonly Line[];
  readonly notes: readonly Note[];
  /** False where the input is larger than one can be shown and read; it then cannot be approved here. */
  readonly whole: boolean;
  /** What it holds is not the reader's to see; then it is not whole either. */
  readonly hidden?: true;
  /** It was erased: the index of the entry that says so. Then it is hidden too. */
  readonly erased?: number;
  /** The digest that a review of this names. */
  readonly digest: Shown;
  readonly shortDigest: Shown;
}

export function exactOf(asked: Pick<Asked, 'action' | 'digest' | 'veiled' | 'erased'>): Exact {
  const { action, digest, veiled: hidden = false, erased } = asked;
  const written = writeJson(maskSecrets(action.input));
  const fields = fieldsOf([
    ['operation', action.operation, true],
    ['resource', `${action.resource.type}::${JSON.stringify(maskText(action.resource.id))}`, true],
    ...targetRows(action),
  ]);
  const fieldChars =
    fields.reduce((sum, field) => sum + field.value.length, 0) +
    (action.reason ?? '').length +
    (action.session ?? '').length;
  return {
    fields,
    input: written.lines,
    notes: hidden ? [] : [...namedNotes(action), ...notesOn(action.input)],
    // The rest of the action must be readable as well.
    whole: !hidden && written.whole && fieldChars <= exactLimits.charsMax,
    ...(hidden ? { hidden } : {}),
    ...(erased === undefined ? {} : { erased }),
    digest: line(digest),
    shortDigest: shortDigest(digest),
  };
}

function targetRows(action: Action): readonly (readonly [string, string, boolean])[] {
  const { target } = action;
  switch (target.kind) {
    case 'mcp':
      return [
        ['runs at', `MCP server ${target.server}, tool ${target.tool}; ${runsWords(action)}`, false],
        [
          'pinned',
          `tool ${hash(target.definition)}  profile ${hash(target.profile)}  server ${hash(target.upstream)}`,
          true,
        ],
      ];
    case 'http':
      return [
        ['runs at', runsWords(action), false],
        ['pinned', `declaration ${hash(target.declaration)}  profile ${hash(target.profile)}`, true],
      ];
  }
}

/** Never blurred (design §2). */
function runsWords({ enforcement }: Action): string {
  switch (enforcement) {
    case 'mediated':
      return 'the gate runs it and sees the outcome (mediated)';
    case 'cooperative':
      return 'the agent’s own process runs it and reports the outcome (cooperative)';
  }
}

/** The start of a hash; the digest below covers all of it. */
const hash = (whole: string): string => whole.slice(0, 12);

/** Operation and resource can be the agent's words too. */
function namedNotes(action: Action): readonly Note[] {
  const named: readonly (readonly [string, string])[] = [
    ['operation', action.operation],
    ['resource', action.resource.id],
  ];
  return named.flatMap(([name, text]) => notesOnText(text).map((note) => ({ ...note, path: line(name) })));
}
