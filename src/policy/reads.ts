/**
 * Which fields of the context a policy reads. What no policy reads is never passed to Cedar: its size costs time, and its
 * values could only do harm.
 */
import { partsOf, type Condition, type Expression } from './expression.ts';

/** A tree of the fields that are read, from `context.input` down. */
export interface Reads {
  /** The value itself is used: compared, passed on. False where only its presence or its fields are. */
  readonly whole: boolean;
  readonly fields: ReadonlyMap<string, Reads>;
}

/** What conditions read of the request, besides principal and resource. */
export interface ReadSet {
  readonly input: Reads;
  /** Whether the answer may depend on the time: something of `context.system` is read. */
  readonly now: boolean;
  /** Of `context.system`; null where nothing is. */
  readonly system: Reads | null;
  /** Of `context.recent`; null where nothing is, and then nobody need count. */
  readonly recent: Reads | null;
}

/** Whether a value, or anything in the field of that name, is read. */
export const readsField = (reads: Reads | null, name: string): boolean =>
  reads !== null && (reads.whole || reads.fields.has(name));

interface Growing {
  whole: boolean;
  readonly fields: Map<string, Growing>;
}

const seed = (): Growing => ({ whole: false, fields: new Map() });

/** Everything that these conditions may read. */
export function readsOf(conditions: Iterable<Condition>): ReadSet {
  const context = seed();
  for (const { body } of conditions) collect(body, context);
  const system = context.fields.get('system') ?? null;
  return {
    input: context.fields.get('input') ?? seed(),
    now: system !== null,
    system,
    recent: context.fields.get('recent') ?? null,
  };
}

/** The dotted paths that end in a value or a test of presence, for messages and checks. */
export function* pathsOf(reads: Reads, above: readonly string[] = []): Generator<readonly string[]> {
  if (above.length > 0 && (reads.whole || reads.fields.size === 0)) yield above;
  for (const [name, below] of reads.fields) yield* pathsOf(below, [...above, name]);
}

function collect(expression: Expression, context: Growing): void {
  const path = pathFromContext(expression);
  if (path !== null) {
    const end = grow(context, path);
    if (expression.op !== 'has') end.whole = true;
    return;
  }
  for (const part of partsOf(expression)) collect(part, context);
}

/** The steps of `context.a.b`, or of `context.a has b`; null for what does not begin at the context. */
function pathFromContext(expression: Expression): readonly string[] | null {
  if (expression.op === 'variable') return expression.name === 'context' ? [] : null;
  if (expression.op !== 'attribute' && expression.op !== 'has') return null;
  const above = pathFromContext(expression.left);
  // `has` is a Bool: nothing is read below it.
  if (above === null || expression.left.op === 'has') return null;
  return expression.op === 'has' ? [...above, ...expression.names] : [...above, expression.name];
}

function grow(root: Growing, path: readonly string[]): Growing {
  let here = root;
  for (const step of path) {
    let next = here.fields.get(step);
    if (next === undefined) {
      next = seed();
      here.fields.set(step, next);
    }
    here = next;
  }
  return here;
}
