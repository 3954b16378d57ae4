/**
 * A change of who may do what, for people: how much of what kind, every difference in words, and literally what stands there
 * before and after. Made from the action's input, which the gate wrote (core/config-change/asking.ts) and the digest covers.
 */
import type { Action } from '../action.ts';
import { changeOperation } from '../gate.ts';
import { isGateAction } from '../gate-operations.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { nameOf } from '../conflict.ts';
import type { Directory } from '../directory.ts';
import { asPersonId } from '../ids.ts';
import { maskText } from '../secrets.ts';
import { diffLines, type DiffRow } from './diff.ts';
import { objectsIn } from './read.ts';
import { counted, line, lines, listed, say, type Shown } from './shown.ts';

export interface ChangeView {
  /** "policy export.customers". */
  readonly name: Shown;
  /** "removes Sam Lee (sam) from data-owners". */
  readonly says: Shown;
  /** It tightens, and so it is in force already. */
  readonly inForce: boolean;
  /** What stands there before and after, line by line; never empty where the two differ. */
  readonly rows: readonly { readonly kind: DiffRow['kind']; readonly text: Shown }[];
}

export interface ConfigChangeView {
  readonly kind: 'config';
  /** Where it comes from: who wrote it, who approved it elsewhere. */
  readonly origin: readonly Shown[];
  /** What waits first, then what is in force already. */
  readonly changes: readonly ChangeView[];
}

/** Whether an action is the gate's own about its configuration: no agent can ask for one that looks so. */
export const isConfigChange = (action: Pick<Action, 'agent' | 'operation'>): boolean =>
  isGateAction(action) && action.operation === changeOperation;

/** "Change who may do what: 2 policies and 1 person". */
export function configHeadline({ input }: Pick<Action, 'input'>): Shown {
  const changes = changesIn(input);
  const waiting = changes.filter((one) => one['inForce'] !== true);
  const told = waiting.length > 0 ? waiting : changes;
  const kinds = Map.groupBy(told, (one) => text(one['what']));
  const words = Object.entries(plurals).flatMap(([kind, many]) => {
    const ids = new Set((kinds.get(kind) ?? []).map((one) => text(one['id'])));
    return ids.size === 0 ? [] : [counted(ids.size, singular(kind), many)];
  });
  return words.length === 0 ? line('Change who may do what') : say`Change who may do what: ${listed(words)}`;
}

/** Kinds of differences in the order of the headline, and what several of each are called. */
const plurals: Readonly<Record<string, string>> = {
  policy: 'policies',
  person: 'people',
  'group membership': 'group memberships',
  agent: 'agents',
  role: 'roles',
  server: 'servers',
  operation: 'operations',
  'sign-in': 'ways to sign in',
  schema: 'schemas',
  entities: 'entities',
};

const singular = (kind: string): string =>
  kind === 'entities' ? 'entity' : kind === 'sign-in' ? 'way to sign in' : kind;

const changesIn = (input: JsonObject): readonly JsonObject[] => objectsIn(input['changes']);
const text = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');

export function configChangeView({ input }: Pick<Action, 'input'>, directory: Directory): ConfigChangeView {
  const changes = changesIn(input).map(changeView);
  return {
    kind: 'config',
    origin: originOf(input, directory),
    changes: [...changes.filter((one) => !one.inForce), ...changes.filter((one) => one.inForce)],
  };
}

function originOf(input: JsonObject, directory: Directory): readonly Shown[] {
  const { author, approver, through } = input;
  return [
    typeof author === 'string'
      ? say`Made by ${maskText(nameOf(directory, asPersonId(author)))} (${author}), who cannot approve it.`
      : line('Found on disk: who made it is not known, so two different people must accept it.'),
    ...(typeof approver === 'string'
      ? [say`Approved elsewhere by ${maskText(approver)}; that fills no place here.`]
      : []),
    ...(typeof through === 'string' ? [say`Said by ${maskText(through)}.`] : []),
  ];
}

function changeView(change: JsonObject): ChangeView {
  return {
    name: say`${text(change['what'])} ${maskText(text(change['id']))}`,
    says: line(maskText(text(change['says']))),
    inForce: change['inForce'] === true,
    rows: rowsOf(linesOf(change['before']), linesOf(change['after'])),
  };
}

/** Masked as a whole, because a secret may have several lines. */
const linesOf = (value: JsonValue | undefined): readonly string[] =>
  typeof value === 'string' ? maskText(value).split('\n') : [];

function rowsOf(before: readonly string[], after: readonly string[]): ChangeView['rows'] {
  const whole = (kind: 'gone' | 'new', all: readonly string[]): readonly DiffRow[] =>
    all.map((one) => ({ kind, text: one }));
  const rows = diffLines(before, after) ?? [...whole('gone', before), ...whole('new', after)];
  // Two texts that only a mask makes the same must not look as if nothing changed.
  const told: readonly DiffRow[] =
    rows.length > 0 ? rows : [{ kind: 'new', text: 'It differs only in what is masked here.' }];
  return told.map((row) => ({ kind: row.kind, text: lines(row.text)[0] ?? line('') }));
}
