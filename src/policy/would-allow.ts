/** Counterfactuals in words: "if rows were at most 1000". Values are masked as everywhere; names come from policies. */
import type { JsonValue } from '../core/json.ts';
import { visibleLine } from '../core/visible.ts';
import type { Membership, Place } from './atoms.ts';
import { printName, printPattern } from './print.ts';
import type { Found } from './ranges.ts';
import { shownText } from './shown.ts';
import { valueOfJson } from './value.ts';

const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const scopes: Readonly<Record<string, string>> = {
  agent: 'this agent',
  owner: 'its owner’s agents',
  operation: 'anybody',
};
const windows: Readonly<Record<string, string>> = {
  hour: 'within an hour',
  day: 'within a day',
  ever: 'ever',
};

/** One change of a value, in words. */
export function changeWords(place: Place, found: Found, zone: string): string {
  const name = nameOf(place, zone);
  const value = (one: JsonValue): string => valueWords(place, one);
  switch (found.kind) {
    case 'range':
      return rangeWords(place, found, name);
    case 'values':
      return `if ${name} were ${found.values.map(value).join(' or ')}`;
    case 'other': {
      const named = [...found.values.map(value), ...found.patterns.map((one) => `like ${printPattern(one)}`)];
      return `if ${name} were ${named.length === 1 ? 'not' : 'neither'} ${named.join(' nor ')}`;
    }
    case 'with':
      return `if ${name} contained ${found.values.map(value).join(' and ')}`;
    case 'without':
      return `if ${name} did not contain ${found.values.map(value).join(' or ')}`;
    case 'empty':
      return `if ${name} were empty`;
    case 'absent':
      return `if ${name} were not given`;
    case 'given':
      return `if ${name} were given`;
  }
}

/** A change of groups, in words. */
export const memberWords = (who: string, { group }: Membership, isIn: boolean): string =>
  visibleLine(`if ${who} were ${isIn ? '' : 'not '}in ${printName(group)}`);

function nameOf({ root, names }: Place, zone: string): string {
  const [first = '', second = ''] = names;
  switch (root) {
    case 'input':
      return visibleLine(names.join('.'));
    case 'recent':
      return `the ${names[2] ?? 'number'} by ${scopes[first] ?? first} ${windows[second] ?? second}`;
    case 'system':
      return first === 'now' ? 'the time' : `the ${second} in ${zone}`;
    case 'resource':
    case 'principal':
      return visibleLine(`${root}.${names.join('.')}`);
  }
}

function valueWords({ root, names }: Place, value: JsonValue): string {
  const name = names.at(-1) ?? null;
  if (root === 'system' && typeof value === 'number') {
    if (name === 'now') return new Date(value).toISOString();
    if (name === 'weekday') return weekdays[value - 1] ?? String(value);
  }
  // What is tried is JSON of an input, and so a value that Cedar takes.
  return shownText(valueOfJson(value as Parameters<typeof valueOfJson>[0]), name);
}

function rangeWords(place: Place, { from, to }: Found & { readonly kind: 'range' }, name: string): string {
  const value = (one: number): string => valueWords(place, one);
  if (place.root === 'system' && place.names[0] === 'now') {
    // The last millisecond before is no time that anybody names.
    const before = to === null ? '' : `before ${value(to + 1)}`;
    if (from === null) return `if it were ${before}`;
    return to === null
      ? `if it were ${value(from)} or later`
      : `if it were ${value(from)} or later, and ${before}`;
  }
  if (from !== null && from === to) return `if ${name} were ${value(from)}`;
  if (place.root === 'system' && place.names[1] === 'weekday')
    return `if it were ${value(from ?? 1)} to ${value(to ?? 7)} in ${name.replace('the weekday in ', '')}`;
  if (from === null && to === null) return `if ${name} were any number`;
  if (from === null) return `if ${name} were at most ${value(to ?? 0)}`;
  return to === null
    ? `if ${name} were at least ${value(from)}`
    : `if ${name} were between ${value(from)} and ${value(to)}`;
}
