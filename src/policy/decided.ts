/**
 * Conditions that are decided before anything is asked: `true`, `x == x`, `rows > 10 && rows < 5`, an hour above 23. Promise: what is
 * called always or never true is; of most conditions nothing is known, and then nothing is said. No action is judged by this.
 */
import { asked, placeKey, type Atom, type Place } from './atoms.ts';
import { everyPart, type Condition, type Expression } from './expression.ts';
import { holds, isLike, type Scene } from './interpret.ts';
import { print } from './print.ts';
import { amountOf, isSame, plain, stringOf, Unclear, type Value } from './value.ts';

/** Alternatives that are looked at; of a longer condition nothing is said. */
const alternativesMax = 64;

/** What is known of the requests that a policy is for. */
export interface Known {
  /** Whether the value is always there. */
  readonly isRequired: (place: Place) => boolean;
  /** The least and the greatest number that can be there; null: it is no number, or nobody knows. */
  readonly range: (place: Place) => { readonly from: number; readonly to: number } | null;
  /** The entity types that a variable can have. */
  readonly types: (variable: 'principal' | 'resource') => ReadonlySet<string>;
}

/** Whether a condition's body is always or never true; null: it depends. */
export function decided(body: Expression, known: Known): boolean | null {
  if (neverAll([{ kind: 'when', body }], known)) return false;
  return neverAll([{ kind: 'unless', body }], known) ? true : null;
}

/** Whether these conditions can never be met together. */
export function neverAll(conditions: readonly Condition[], known: Known): boolean {
  let all: readonly Conjunction[] | null = [[]];
  for (const { kind, body } of conditions) all = product(all, alternatives(body, kind === 'when'));
  return all !== null && all.every((some) => isContradiction(some, known));
}

/** An expression without connectives, and what it would have to be. */
interface Literal {
  readonly leaf: Expression;
  readonly isTrue: boolean;
}
type Conjunction = readonly Literal[];

/** The ways in which an expression can be true (or false); null where there are too many. */
function alternatives(expression: Expression, isTrue: boolean): readonly Conjunction[] | null {
  if (expression.op === 'unary' && expression.name === '!') return alternatives(expression.arg, !isTrue);
  if (expression.op === 'if') {
    return sum(
      product(alternatives(expression.test, true), alternatives(expression.yes, isTrue)),
      product(alternatives(expression.test, false), alternatives(expression.no, isTrue)),
    );
  }
  if (expression.op === 'binary' && (expression.name === '&&' || expression.name === '||')) {
    const [left, right] = [alternatives(expression.left, isTrue), alternatives(expression.right, isTrue)];
    if ((expression.name === '&&') === isTrue) return product(left, right);
    // The right side is looked at only where the left one did not decide.
    return sum(left, product(alternatives(expression.left, !isTrue), right));
  }
  return [[{ leaf: expression, isTrue }]];
}

const bounded = (all: readonly Conjunction[]): readonly Conjunction[] | null =>
  all.length > alternativesMax ? null : all;
const sum = (a: readonly Conjunction[] | null, b: readonly Conjunction[] | null) =>
  a === null || b === null ? null : bounded([...a, ...b]);
const product = (a: readonly Conjunction[] | null, b: readonly Conjunction[] | null) =>
  a === null || b === null ? null : bounded(a.flatMap((one) => b.map((other) => [...one, ...other])));

function isContradiction(literals: Conjunction, known: Known): boolean {
  const places = new Map<string, { readonly place: Place; readonly atoms: (readonly [Atom, boolean])[] }>();
  for (const { leaf, isTrue } of literals) {
    const constant = constantOf(leaf, known);
    if (constant !== null) {
      if (constant !== isTrue) return true;
      continue;
    }
    const one = atomOf(leaf);
    if (one === null) continue;
    const key = placeKey(one.place);
    const held = places.get(key) ?? { place: one.place, atoms: [] };
    held.atoms.push([one.atom, isTrue]);
    places.set(key, held);
  }
  return [...places.values()].some(({ place, atoms }) => !canHold(place, atoms, known));
}

/** What a leaf is whatever is asked; null where it depends. */
function constantOf(leaf: Expression, known: Known): boolean | null {
  if (leaf.op === 'is' && leaf.left.op === 'variable' && leaf.within === null) {
    const { name } = leaf.left;
    if (name !== 'principal' && name !== 'resource') return null;
    const types = known.types(name);
    if (!types.has(leaf.type)) return false;
    return types.size === 1 ? true : null;
  }
  if (leaf.op === 'binary' && print(leaf.left) === print(leaf.right)) {
    if (leaf.name === '==' || leaf.name === '<=' || leaf.name === '>=') return true;
    if (leaf.name === '!=' || leaf.name === '<' || leaf.name === '>') return false;
  }
  if ([...everyPart(leaf)].some((part) => part.op === 'variable')) return null;
  try {
    return holds(leaf, nothing);
  } catch (error) {
    if (error instanceof Unclear) return null;
    throw error;
  }
}

const none: Value = { kind: 'record', entries: new Map() };
/** Only expressions without variables are evaluated in it. */
const nothing: Scene = {
  variables: { principal: none, action: none, resource: none, context: none },
  entities: new Map(),
};

/** The one place and atom that a leaf is; null for any other. */
function atomOf(leaf: Expression): { readonly place: Place; readonly atom: Atom } | null {
  const { reads, memberships } = asked([{ kind: 'when', body: leaf }], nothing);
  const [read, ...others] = [...reads.values()];
  const [atom, ...more] = read?.atoms ?? [];
  if (read === undefined || atom === undefined || others.length + more.length + memberships.length > 0)
    return null;
  return read.opaque ? null : { place: read.place, atom };
}

/** Whether any value makes all of these atoms what they would have to be; true also where nobody knows. */
function canHold(place: Place, atoms: readonly (readonly [Atom, boolean])[], known: Known): boolean {
  const values = samples(
    atoms.map(([atom]) => atom),
    known.range(place),
  );
  if (values === null) return true;
  if (values.some((value) => atoms.every(([atom, isTrue]) => isOf(atom, value) === isTrue))) return true;
  // Not there at all: then only its absence can be asked for.
  return !known.isRequired(place) && atoms.every(([atom, isTrue]) => atom.kind === 'present' && !isTrue);
}

/** Values that tell these atoms apart as well as all values do; null where there is no such list. */
function samples(
  atoms: readonly Atom[],
  range: { readonly from: number; readonly to: number } | null,
): readonly Value[] | null {
  const named = atoms.filter((atom) => atom.kind !== 'present');
  if (named.length === 0) return [plain(true)];
  const constants = named.flatMap((atom) =>
    atom.kind === 'compare' ? [atom.value] : atom.kind === 'oneOf' ? atom.values : [],
  );
  if (named.every((atom) => atom.kind === 'true') || constants.some((one) => one.kind === 'bool'))
    return constants.every((one) => one.kind === 'bool') ? [plain(true), plain(false)] : null;
  if (named.some((atom) => atom.kind === 'contains' || atom.kind === 'empty' || atom.kind === 'true'))
    return null;
  const patterns = named.flatMap((atom) => (atom.kind === 'like' ? [atom.pattern] : []));
  if (constants.every((one) => one.kind === 'long') && patterns.length === 0 && range !== null) {
    const numbers = constants.flatMap((one) => {
      const mark = Number(amountOf(one));
      return [mark - 1, mark, mark + 1];
    });
    return [range.from, range.to, ...numbers]
      .filter((one) => Number.isSafeInteger(one) && one >= range.from && one <= range.to)
      .map(plain);
  }
  if (!constants.every((one) => one.kind === 'string') || patterns.length > 1) return null;
  const used = new Set([...constants.map(stringOf), ...patterns.flat()].join(''));
  const other = Array.from('zqxjkvwy0123456789').find((one) => !used.has(one)) ?? '~';
  const fresh = other.repeat(9);
  const matches = patterns.map((pattern) => plain(pattern.map((part) => part ?? fresh).join('')));
  return [...constants, plain(fresh), ...matches];
}

function isOf(atom: Atom, value: Value): boolean {
  switch (atom.kind) {
    case 'present':
      return true;
    case 'true':
      return value.kind === 'bool' && value.value;
    case 'oneOf':
      return atom.values.some((one) => isSame(one, value));
    case 'like':
      return isLike(stringOf(value), atom.pattern);
    case 'compare':
      return isCompared(atom, value);
    case 'contains':
    case 'empty':
      return false; // never asked: there are no samples of sets
  }
}

function isCompared({ operator, value: other }: Atom & { readonly kind: 'compare' }, value: Value): boolean {
  switch (operator) {
    case '==':
      return isSame(value, other);
    case '!=':
      return !isSame(value, other);
    case '<':
      return amountOf(value) < amountOf(other);
    case '<=':
      return amountOf(value) <= amountOf(other);
    case '>':
      return amountOf(value) > amountOf(other);
    case '>=':
      return amountOf(value) >= amountOf(other);
  }
}
