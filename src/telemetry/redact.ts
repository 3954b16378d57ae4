/**
 * Takes secrets out of what is written: those that the configuration holds, wherever they stand, and what looks like one. It is the
 * last thing before a line leaves, for what no part of the gate should have said: a driver's message with its address, a stack.
 * Promise: no text of the configuration that is a secret of `secretCharsMin` characters or more is in what it answers.
 */
import { maskText } from '../core/secrets.ts';

/** Shorter ones would take ordinary words out; a configuration that has one is warned of elsewhere or has itself to blame. */
const secretCharsMin = 6;
/** Of a secret of several words each is one, unless it may be an ordinary word. */
const wordCharsMin = 8;
const hidden = '⟨secret⟩';

/** Tokens of ours, and what stands behind a scheme of authentication or before a host. */
const shapes: readonly (readonly [pattern: RegExp, by: string])[] = [
  [/\bcs_[a-z]{1,12}_[A-Za-z0-9_-]{20,}/g, hidden],
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${hidden}`],
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@:]{1,300}:[^\s/@]{1,300}@/gi, `$1${hidden}@`],
];

export interface Redactor {
  /** The same text without secrets. */
  of(text: string): string;
  /** Knows more of them from now on. */
  add(secrets: readonly string[]): void;
}

export function createRedactor(secrets: readonly string[]): Redactor {
  const known = new Set<string>();
  let longestFirst: readonly string[] = [];
  const add = (more: readonly string[]): void => {
    for (const form of more.flatMap(formsOf)) if (form.length >= secretCharsMin) known.add(form);
    longestFirst = [...known].toSorted((one, other) => other.length - one.length);
  };
  add(secrets);
  return {
    add,
    of(text) {
      let clean = text;
      for (const secret of longestFirst) if (clean.includes(secret)) clean = clean.replaceAll(secret, hidden);
      for (const [pattern, by] of shapes) clean = clean.replace(pattern, by);
      return maskText(clean);
    },
  };
}

/** As it is written, and as others may write it: a URL's password by itself, encoded or not, and the lines of a key. */
function formsOf(secret: string): readonly string[] {
  const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
  // A token behind its scheme; the lines of a key.
  const words = secret
    .split(/\s+/)
    .filter((word) => word.length >= wordCharsMin && !word.startsWith('-----'));
  if (words.length > 0 && words[0] !== secret) forms.push(...words);
  if (URL.canParse(secret)) {
    const { password, searchParams } = new URL(secret);
    forms.push(password, decoded(password), searchParams.get('password') ?? '');
  }
  return forms;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
