/**
 * What a careful reader would want to be told about the texts of an action: characters that cannot be seen, words that mix
 * alphabets, host names in both forms, names before an `@` that pose as hosts, masked secrets. Remarks of the gate; the
 * texts themselves stay as they are (json-lines.ts).
 */
import { isJsonArray, isJsonObject, type JsonValue } from '../json.ts';
import { maskSecrets } from '../secrets.ts';
import { hostForms, mixedScripts, visible } from '../visible.ts';
import { counted, line, say, short, type Shown } from './shown.ts';

export interface Note {
  readonly kind: 'hidden' | 'mixed' | 'host' | 'user' | 'masked' | 'posing' | 'more';
  /** Where in the input: "edits.0.newText"; empty for the whole. */
  readonly path: Shown;
  readonly text: Shown;
}

/** More notes than a person reads; the rest is counted. */
const notesMax = 40;
/** How many different things one note names. */
const namedMax = 6;

/** Notes on every key and every text of a value, in its order. */
export function notesOn(value: JsonValue): readonly Note[] {
  const found: Note[] = [];
  visit(value, '', (text, path, isKey) => {
    for (const note of notesOnText(text))
      found.push({ ...note, path: line(path), text: isKey ? say`its name ${note.text}` : note.text });
  });
  const masked = countMasked(value);
  const first: readonly Note[] = masked === 0 ? [] : [maskedNote(masked)];
  const all = [...first, ...found];
  if (all.length <= notesMax) return all;
  const rest = all.length - notesMax;
  return [
    ...all.slice(0, notesMax),
    { kind: 'more', path: line(''), text: say`${counted(rest, 'more remark')} like these.` },
  ];
}

const maskedNote = (count: number): Note => ({
  kind: 'masked',
  path: line(''),
  text: say`${counted(count, 'value looks', 'values look')} like a secret and ${count === 1 ? 'is' : 'are'} masked here; the action runs with what was sent.`,
});

function visit(
  value: JsonValue,
  path: string,
  tell: (text: string, path: string, isKey: boolean) => void,
): void {
  if (typeof value === 'string') tell(value, path, false);
  else if (isJsonArray(value))
    for (const [index, item] of value.entries()) visit(item, below(path, String(index)), tell);
  else if (isJsonObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      const here = below(path, short(key, 40));
      tell(key, here, true);
      visit(item, here, tell);
    }
  }
}

const below = (path: string, step: string): string => (path === '' ? step : `${path}.${step}`);

function countMasked(value: JsonValue): number {
  let count = 0;
  const compare = (raw: JsonValue, masked: JsonValue | undefined): void => {
    if (typeof raw === 'string') count += raw === masked ? 0 : 1;
    else if (isJsonArray(raw) && isJsonArray(masked))
      for (const [index, item] of raw.entries()) compare(item, masked[index]);
    else if (isJsonObject(raw) && isJsonObject(masked))
      for (const [key, item] of Object.entries(raw)) compare(item, masked[key]);
  };
  compare(value, maskSecrets(value));
  return count;
}

type Found = Omit<Note, 'path'>;

/** Notes on one text. */
export function notesOnText(text: string): readonly Found[] {
  const found: Found[] = [];
  const hidden = hiddenIn(text);
  if (hidden.length > 0) {
    const kinds = [...new Set(hidden)];
    const named = kinds.slice(0, namedMax).join(' ') + (kinds.length > namedMax ? ' …' : '');
    found.push({
      kind: 'hidden',
      text: say`holds ${counted(hidden.length, 'character')} that cannot be seen: ${named}`,
    });
  }
  if (/⟨U\+|⟨masked:/.test(text))
    found.push({ kind: 'posing', text: line('itself contains text that looks like this gate’s marks') });
  if (mixedScripts(text))
    found.push({
      kind: 'mixed',
      text: line('has a word that mixes Latin, Cyrillic or Greek letters, which look alike'),
    });
  for (const host of hostsIn(text).slice(0, namedMax)) {
    const forms = hostForms(host);
    if (forms !== undefined && forms.ascii !== forms.unicode)
      found.push({ kind: 'host', text: say`names the host ${forms.ascii}, which reads as ${forms.unicode}` });
    else if (forms !== undefined) found.push({ kind: 'host', text: say`names the host ${forms.ascii}` });
  }
  for (const { user, host } of usersIn(text).slice(0, namedMax)) {
    found.push({
      kind: 'user',
      text: say`leads to the host ${short(host, 80)}; “${short(user, 40)}” before the @ is only a user name`,
    });
  }
  return found;
}

/** The escapes that `visible` added, as `U+202E`; those that the text itself spells are not among them. */
function hiddenIn(text: string): readonly string[] {
  const after = visible(text);
  if (after === text) return [];
  const escapes = (from: string): string[] =>
    (from.match(/⟨U\+[0-9A-F]{4,6}⟩/g) ?? []).map((one) => one.slice(1, -1));
  const spelt = escapes(text);
  return escapes(after).filter((one) => {
    const at = spelt.indexOf(one);
    if (at >= 0) spelt.splice(at, 1);
    return at < 0;
  });
}

/** Longest host name (RFC 1035 §2.3.4), generous for Unicode forms. */
const hostCharsMax = 253;

/** What could be host names: runs of letters, digits, hyphens and dots, and authorities of URLs. Linear in the text. */
function hostsIn(text: string): readonly string[] {
  const runs = text.match(/[\p{L}\p{M}\p{N}.\-]+/gv) ?? [];
  // Long runs are no host names; left out first, because trimming them would take quadratic time.
  const dotted = runs
    .filter((run) => run.length <= hostCharsMax)
    .map((run) => run.replace(/^[.-]+|[.-]+$/g, ''))
    .filter((run) => run.includes('.'));
  return [...new Set([...dotted, ...authoritiesIn(text).map(hostOf)])];
}

/** `user@` of URLs whose user name has a dot: what a reader takes for the host. */
const usersIn = (text: string): readonly { readonly user: string; readonly host: string }[] =>
  authoritiesIn(text)
    .map((authority) => ({
      user: authority.slice(0, Math.max(authority.lastIndexOf('@'), 0)).split(':')[0] ?? '',
      host: hostOf(authority),
    }))
    .filter(({ user }) => user.includes('.'));

/** What stands between `://` and the path (RFC 3986 §3.2), as URL parsers read it: a backslash ends it too. */
export function authoritiesIn(text: string): readonly string[] {
  const found: string[] = [];
  for (let at = text.indexOf('://'); at >= 0; at = text.indexOf('://', at + 3)) {
    const end = /[\s/?#\\"'<>]/g;
    end.lastIndex = at + 3;
    const stop = end.exec(text)?.index ?? text.length;
    if (stop > at + 3 && found.length < 200) found.push(text.slice(at + 3, stop));
  }
  return found;
}

/** The host of an authority: after the last `@`, without a port. */
export const hostOf = (authority: string): string =>
  authority.slice(authority.lastIndexOf('@') + 1).replace(/:\d*$/, '');

/** A host name in both its forms, for a line of its own: "xn--pypl-53dc.com (reads pаypl.com)". */
export function bothForms(host: string): Shown {
  const forms = hostForms(host);
  return forms === undefined || forms.ascii === forms.unicode
    ? short(host, 253)
    : say`${forms.ascii} (reads ${forms.unicode})`;
}
