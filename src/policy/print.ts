/**
 * Cedar's text of an expression, as people read it in explanations. Promise: Cedar parses it back to the same expression
 * (test/policy/print.test.ts), so what is shown is what was judged.
 */
import type { EntityName, Expression } from './expression.ts';

/** Binding strength, loosest first, as in Cedar's grammar. */
const strengths: Readonly<Record<string, number>> = {
  '||': 1,
  '&&': 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  in: 3,
  '+': 4,
  '-': 4,
  '*': 5,
};
const relation = 3;
const unary = 6;
const member = 7;
const beyond = 8;

/** Methods of extension types take their receiver before the dot; these are called as functions. */
const functions: ReadonlySet<string> = new Set(['decimal', 'ip', 'datetime', 'duration']);

const plainName = /^[A-Za-z_]\w*$/;
/** Words that cannot stand after a dot. */
const words: ReadonlySet<string> = new Set([
  'true',
  'false',
  'if',
  'then',
  'else',
  'in',
  'is',
  'like',
  'has',
  '__cedar',
]);

const isPlain = (name: string): boolean => plainName.test(name) && !words.has(name);

/** A Cedar string. */
export const quoted = (text: string): string => `"${escaped(text)}"`;

function escaped(text: string): string {
  return text
    .replace(/[\\"]/g, '\\$&')
    .replace(/[\0-\x1f\x7f]/g, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`);
}

export const printName = (name: EntityName): string => `${name.type}::${quoted(name.id)}`;

/** The expression as text; `outer` is how tightly what is around it binds. */
export function print(expression: Expression, outer = 0): string {
  const [text, strength] = printed(expression);
  return strength < outer ? `(${text})` : text;
}

function printed(expression: Expression): readonly [text: string, strength: number] {
  switch (expression.op) {
    case 'literal':
      return typeof expression.value === 'string'
        ? [quoted(expression.value), member]
        : [
            String(expression.value),
            expression.value === true || expression.value === false || expression.value >= 0 ? member : unary,
          ];
    case 'entity':
      return [printName(expression.name), member];
    case 'variable':
      return [expression.name, member];
    case 'unary':
      return expression.name === 'isEmpty'
        ? [`${print(expression.arg, member)}.isEmpty()`, member]
        : // `-1` is a literal; the negation of 1 is `-(1)`.
          [
            expression.name === '!'
              ? `!${print(expression.arg, member)}`
              : `-${print(expression.arg, expression.arg.op === 'literal' ? beyond : member)}`,
            unary,
          ];
    case 'binary':
      return binary(expression);
    case 'attribute':
      return [
        `${print(expression.left, member)}${isPlain(expression.name) ? `.${expression.name}` : `[${quoted(expression.name)}]`}`,
        member,
      ];
    case 'has': {
      const names = expression.names.every(isPlain)
        ? expression.names.join('.')
        : quoted(expression.names[0] ?? '');
      return [`${print(expression.left, relation + 1)} has ${names}`, relation];
    }
    case 'like':
      return [`${print(expression.left, relation + 1)} like ${printPattern(expression.pattern)}`, relation];
    case 'is': {
      const within = expression.within === null ? '' : ` in ${print(expression.within, relation + 1)}`;
      return [`${print(expression.left, relation + 1)} is ${expression.type}${within}`, relation];
    }
    case 'if':
      return [`if ${print(expression.test)} then ${print(expression.yes)} else ${print(expression.no)}`, 0];
    case 'set':
      return [`[${expression.items.map((item) => print(item)).join(', ')}]`, member];
    case 'record':
      return [
        `{${expression.entries.map(([name, value]) => `${quoted(name)}: ${print(value)}`).join(', ')}}`,
        member,
      ];
    case 'call':
      return call(expression);
  }
}

/** The pattern of a `like`, in its quotes. */
export const printPattern = (pattern: readonly (string | null)[]): string =>
  `"${pattern.map(patternText).join('')}"`;

const patternText = (part: string | null): string =>
  part === null ? '*' : escaped(part).replaceAll('*', '\\*');

function binary(expression: Expression & { readonly op: 'binary' }): readonly [string, number] {
  const strength = strengths[expression.name];
  if (strength === undefined)
    return [`${print(expression.left, member)}.${expression.name}(${print(expression.right)})`, member];
  // Chains group to the left; relations do not chain.
  const left = print(expression.left, strength === relation ? relation + 1 : strength);
  return [`${left} ${expression.name} ${print(expression.right, strength + 1)}`, strength];
}

function call(expression: Expression & { readonly op: 'call' }): readonly [string, number] {
  const [first, ...others] = expression.args;
  if (first === undefined || functions.has(expression.name)) {
    return [`${expression.name}(${expression.args.map((arg) => print(arg)).join(', ')})`, member];
  }
  return [
    `${print(first, member)}.${expression.name}(${others.map((arg) => print(arg)).join(', ')})`,
    member,
  ];
}
