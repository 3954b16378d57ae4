/**
 * Values as people read them in explanations: masked like literal values everywhere (core/secrets.ts), cut to a line, hidden
 * characters shown.
 */
import type { JsonValue } from '../core/json.ts';
import { maskSecrets, maskText } from '../core/secrets.ts';
import { visibleLine } from '../core/visible.ts';
import type { Expression } from './expression.ts';
import { valueOf, type Scene } from './interpret.ts';
import { printName } from './print.ts';
import { Unclear, type Value } from './value.ts';

/** UTF-16 units of one value; and how much of a text is looked at for secrets. */
const valueMax = 120;
const maskedMax = 2000;

/** The value of one side of a clause, masked and cut; null where it is unclear. */
export function shownValue(side: Expression, scene: Scene): string | null {
  try {
    return shownText(valueOf(side, scene), side.op === 'attribute' ? side.name : null);
  } catch (error) {
    if (error instanceof Unclear) return null;
    throw error;
  }
}

/** A value, masked and cut; `key` is the field that holds it, if any. */
export function shownText(value: Value, key: string | null): string {
  const text = textOf(value, key);
  return text.length > valueMax ? `${text.slice(0, valueMax).toWellFormed()}…` : text;
}

/** A value as people read it. `key` is the field that holds it: one called `password` is masked whatever it holds. */
function textOf(value: Value, key: string | null): string {
  switch (value.kind) {
    case 'bool':
    case 'long':
      return String(value.value);
    case 'string':
      return visibleLine(JSON.stringify(masked(value.value.slice(0, maskedMax).toWellFormed(), key)));
    case 'entity':
      return visibleLine(printName(value.name));
    case 'set':
      return `[${value.items
        .slice(0, 20)
        .map((item) => textOf(item, key))
        .join(', ')}${value.items.length > 20 ? ', …' : ''}]`;
    case 'record':
      return `{${[...value.entries].map(([name, each]) => `${visibleLine(name)}: ${textOf(each, name)}`).join(', ')}}`;
    case 'datetime':
      return Math.abs(Number(value.amount)) <= 8.64e15
        ? new Date(Number(value.amount)).toISOString()
        : `${value.amount} ms`;
    case 'duration':
      return `${value.amount} ms`;
    case 'decimal':
      return decimalText(value.amount);
  }
}

function decimalText(amount: bigint): string {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(5, '0');
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -4)}.${digits.slice(-4).replace(/0{1,3}$/, '')}`;
}

function masked(text: string, key: string | null): string {
  if (key === null) return maskText(text);
  // An object with one string in it comes back as one.
  const safe = maskSecrets({ [key]: text }) as { readonly [name: string]: JsonValue };
  const shown = safe[key];
  return typeof shown === 'string' ? shown : maskText(text);
}
