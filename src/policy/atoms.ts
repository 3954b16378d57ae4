/**
 * What conditions ask of single values: each value of the request that they read (a *place*), and the comparisons (*atoms*)
 * in which they read it. Where a place is read in atoms only, with everything else as it is, the verdict can change only where one
 * of these atoms does; that is what lets a counterfactual speak of a whole range (counterfactual.ts).
 */
import { partsOf, type Condition, type EntityName, type Expression } from './expression.ts';
import { valueOf, type Scene } from './interpret.ts';
import { Unclear, type Value } from './value.ts';

/** A value of the request: `context.input.rows`, `resource.classification`. */
export interface Place {
  readonly root: 'input' | 'system' | 'recent' | 'resource' | 'principal';
  /** Steps below the root; never empty. */
  readonly names: readonly string[];
}

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** One question about the value at a place; the other side has the value that it has in the scene. */
export type Atom =
  | { readonly kind: 'compare'; readonly operator: Comparison; readonly value: Value }
  | { readonly kind: 'like'; readonly pattern: readonly (string | null)[] }
  | { readonly kind: 'oneOf'; readonly values: readonly Value[] }
  /** The place is a set. */
  | { readonly kind: 'contains'; readonly values: readonly Value[] }
  | { readonly kind: 'empty' | 'present' | 'true' };

export interface Read {
  readonly place: Place;
  readonly atoms: readonly Atom[];
  /** Also read in a way that is no atom, so that only single values can be spoken of. */
  readonly opaque: boolean;
}

/** `principal in Group::"g"`. */
export interface Membership {
  readonly who: 'principal' | 'resource';
  readonly group: EntityName;
}

export interface Asked {
  /** By `placeKey`, in the order of reading. */
  readonly reads: ReadonlyMap<string, Read>;
  readonly memberships: readonly Membership[];
}

export const placeKey = ({ root, names }: Place): string => JSON.stringify([root, ...names]);

/** The place that an expression is, or null. */
export function placeOf(expression: Expression): Place | null {
  const names: string[] = [];
  let here = expression;
  while (here.op === 'attribute') {
    names.unshift(here.name);
    here = here.left;
  }
  if (here.op !== 'variable') return null;
  if (here.name === 'resource' || here.name === 'principal')
    return names.length === 0 ? null : { root: here.name, names };
  const [root, ...below] = names;
  if (here.name !== 'context' || below.length === 0) return null;
  return root === 'input' || root === 'system' || root === 'recent' ? { root, names: below } : null;
}

/** Whether one place is the other, or inside it, or around it. */
export const overlaps = (a: Place, b: Place): boolean =>
  a.root === b.root &&
  a.names.slice(0, b.names.length).every((name, index) => name === b.names[index] || index >= b.names.length);

/** Everything that these conditions ask, in this scene. */
export function asked(conditions: Iterable<Condition>, scene: Scene): Asked {
  const collector = new Collector(scene);
  for (const { body } of conditions) collector.visit(body, true);
  return collector;
}

const flipped: Readonly<Record<Comparison, Comparison>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};
const isComparison = (name: string): name is Comparison => Object.hasOwn(flipped, name);

interface Growing {
  readonly place: Place;
  readonly atoms: Atom[];
  opaque: boolean;
}

class Collector implements Asked {
  readonly reads = new Map<string, Growing>();
  readonly memberships: Membership[] = [];
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** `isTruth`: what stands here decides as a Bool. */
  visit(expression: Expression, isTruth: boolean): void {
    const place = placeOf(expression);
    if (place !== null) {
      const read = this.#read(place);
      if (isTruth) read.atoms.push({ kind: 'true' });
      else read.opaque = true;
      return;
    }
    if (expression.op === 'binary') this.#binary(expression);
    else if (expression.op === 'if') {
      this.visit(expression.test, true);
      this.visit(expression.yes, isTruth);
      this.visit(expression.no, isTruth);
    } else if (expression.op === 'unary') this.#unary(expression);
    else if (expression.op === 'has') this.#has(expression);
    else if (expression.op === 'like')
      this.#atom(expression.left, { kind: 'like', pattern: expression.pattern });
    else if (expression.op === 'is') this.#is(expression);
    else for (const part of partsOf(expression)) this.visit(part, false);
  }

  #unary({ name, arg }: Expression & { readonly op: 'unary' }): void {
    if (name === 'isEmpty') this.#atom(arg, { kind: 'empty' });
    else this.visit(arg, name === '!');
  }

  #binary({ name, left, right }: Expression & { readonly op: 'binary' }): void {
    if (name === '&&' || name === '||') {
      this.visit(left, true);
      this.visit(right, true);
    } else if (name === 'in') this.#in(left, right);
    else if (isComparison(name)) {
      this.#side(left, right, (value) => ({ kind: 'compare', operator: name, value }));
      this.#side(right, left, (value) => ({ kind: 'compare', operator: flipped[name], value }));
    } else if (name === 'contains') {
      this.#side(right, left, (value) => ({ kind: 'oneOf', values: itemsIn(value) }));
      this.#side(left, right, (value) => ({ kind: 'contains', values: [value] }));
    } else if (name === 'containsAll' || name === 'containsAny')
      this.#side(left, right, (value) => ({ kind: 'contains', values: itemsIn(value) }), true);
    else {
      this.visit(left, false);
      this.visit(right, false);
    }
  }

  /** One side of a comparison: an atom where it is a place and the other side is a value that does not depend on it. */
  #side(side: Expression, other: Expression, atomOf: (value: Value) => Atom, alsoOther = false): void {
    const place = placeOf(side);
    if (place === null) this.visit(side, false);
    else {
      const read = this.#read(place);
      try {
        if (dependsOn(other, place)) read.opaque = true;
        else read.atoms.push(atomOf(valueOf(other, this.#scene)));
      } catch (error) {
        if (!(error instanceof Unclear)) throw error;
        read.opaque = true;
      }
    }
    if (alsoOther) this.visit(other, false);
  }

  #atom(side: Expression, atom: Atom): void {
    const place = placeOf(side);
    if (place === null) this.visit(side, false);
    else this.#read(place).atoms.push(atom);
  }

  #has({ left, names }: Expression & { readonly op: 'has' }): void {
    // `a has b.c` asks for `a.b` and for `a.b.c`.
    let here = left;
    for (const name of names) {
      here = { op: 'attribute', left: here, name };
      const place = placeOf(here);
      if (place !== null) this.#read(place).atoms.push({ kind: 'present' });
    }
    if (placeOf(left) === null && left.op !== 'variable') this.visit(left, false);
  }

  #is({ left, within }: Expression & { readonly op: 'is' }): void {
    if (within !== null) this.#in(left, within);
    else this.visit(left, false);
  }

  #in(left: Expression, right: Expression): void {
    const groups = right.op === 'set' ? right.items : [right];
    if (left.op === 'variable' && (left.name === 'principal' || left.name === 'resource')) {
      for (const group of groups)
        if (group.op === 'entity') this.memberships.push({ who: left.name, group: group.name });
    } else this.visit(left, false);
    this.visit(right, false);
  }

  #read(place: Place): Growing {
    const key = placeKey(place);
    let read = this.reads.get(key);
    if (read === undefined) {
      read = { place, atoms: [], opaque: false };
      this.reads.set(key, read);
    }
    return read;
  }
}

/** Whether an expression reads this place, something inside it, or what it is inside of. */
function dependsOn(expression: Expression, place: Place): boolean {
  const other = placeOf(expression);
  if (other !== null) return overlaps(other, place);
  return partsOf(expression).some((part) => dependsOn(part, place));
}

function itemsIn(value: Value): readonly Value[] {
  if (value.kind !== 'set') throw new Unclear();
  return value.items;
}
