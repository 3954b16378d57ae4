/**
 * Makes visible what text can hide: invisible, control and bidirectional characters, look-alike host names,
 * words that mix alphabets. Shows, never drops: a person must be able to see that something is there.
 *
 * Promises: the text around is unchanged, and applying a function twice changes nothing more. Not a promise:
 * telling an escape of ours from the same visible text written by an agent (either way the reader sees it and
 * is warned). Which code points are unassigned depends on the Unicode version of Node; no digest is taken
 * over these forms.
 */

/**
 * All but \n, \t and the plain space of: control, format (bidi, zero width, tags), private, unassigned,
 * surrogate (Cc Cf Co Cn Cs: \p{C}), line and paragraph separators, other spaces, default ignorables
 * (variation selectors, Hangul and Khmer fillers, U+034F), and characters whose glyph is blank though Unicode
 * calls them symbols or marks.
 */
const hidden =
  /[[\u{16FE4}\u2800\u{1D159}\p{C}\p{Zl}\p{Zp}\p{Zs}\p{Default_Ignorable_Code_Point}]--[ \n\t]]/gv;

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}

/** The text with each hidden character as `⟨U+202E⟩`; line breaks (\n) and tabs stay. */
export const visible = (text: string): string => text.replace(hidden, escaped);

/** As {@link visible}, for places of one line: \n and \t are shown too. */
export const visibleLine = (text: string): string => visible(text).replace(/[\n\t]/g, escaped);

/**
 * The two forms of one host name, lower case: what DNS is asked (RFC 5891 A-labels), and what a person would
 * read.
 */
export interface HostForms {
  readonly ascii: string;
  readonly unicode: string;
}

/** Octets of a DNS name (RFC 1035 §2.3.4). */
const hostBytesMax = 253;

/**
 * Both forms of a host name (no scheme, no port) that is not plain ASCII or has punycode labels. Undefined
 * where there is nothing to add: a plain ASCII name, or one that has no second form because it is no valid
 * host name. The Unicode form went through {@link visibleLine}.
 */
export function hostForms(host: string): HostForms | undefined {
  if (!/[^\0-\x7f]|(?:^|\.)xn--/i.test(host)) return undefined;
  // What URL would read as something else than a host, or silently remove.
  if (host.length > hostBytesMax || /[\s/\\?#@:%<>[\]^|]/.test(host)) return undefined;
  const url = URL.parse(`http://${host}`);
  if (url === null || url.hostname.length > hostBytesMax) return undefined;
  const labels = url.hostname.split('.').map((label) => {
    const decoded = label.startsWith('xn--') ? decodePunycode(label.slice(4)) : undefined;
    // Only what encodes back is a reading of this label: "xn--safe-" would read as "safe", which is another
    // host.
    return decoded !== undefined && URL.parse(`http://${decoded}`)?.hostname === label ? decoded : label;
  });
  return { ascii: url.hostname, unicode: visibleLine(labels.join('.')) };
}

/** Punycode's parameters (RFC 3492 §5). */
const punycode = { base: 36, tMin: 1, tMax: 26, skew: 38, damp: 700, initialBias: 72, initialN: 128 };

/**
 * RFC 3492 §6.2. Undefined for text that is not punycode. The label is at most 249 characters, so its sums
 * stay exact.
 */
function decodePunycode(label: string): string | undefined {
  const { base, tMin, tMax, initialBias, initialN } = punycode;
  const delimiter = label.lastIndexOf('-');
  const out = Array.from(label.slice(0, Math.max(delimiter, 0)));
  let [n, i, bias] = [initialN, 0, initialBias];
  for (let at = delimiter + 1; at < label.length;) {
    const before = i;
    for (let weight = 1, k = base; ; k += base) {
      const digit = digitOf(label.charCodeAt(at));
      if (digit === undefined) return undefined;
      at += 1;
      i += digit * weight;
      if (i > Number.MAX_SAFE_INTEGER) return undefined;
      const threshold = Math.min(Math.max(k - bias, tMin), tMax);
      if (digit < threshold) break;
      weight *= base - threshold;
    }
    bias = adapt(i - before, out.length + 1, before === 0);
    n += Math.floor(i / (out.length + 1));
    i %= out.length + 1;
    if (n > 0x10ffff) return undefined;
    out.splice(i, 0, String.fromCodePoint(n));
    i += 1;
  }
  return out.join('');
}

/** a–z are 0–25, 0–9 are 26–35 (RFC 3492 §5); NaN, past the end, is no digit. */
function digitOf(code: number): number | undefined {
  if (code >= 0x61 && code <= 0x7a) return code - 0x61;
  if (code >= 0x30 && code <= 0x39) return code - 0x30 + 26;
  return undefined;
}

/** RFC 3492 §6.1. */
function adapt(delta: number, points: number, first: boolean): number {
  const { base, tMin, tMax, skew, damp } = punycode;
  let rest = Math.floor(delta / (first ? damp : 2));
  rest += Math.floor(rest / points);
  let k = 0;
  for (; rest > ((base - tMin) * tMax) / 2; k += base) rest = Math.floor(rest / (base - tMin));
  return k + Math.floor(((base - tMin + 1) * rest) / (rest + skew));
}

/** A name, or one label of a host name: letters, marks, digits, and the two marks that join them. */
const word = /[\p{L}\p{M}\p{N}_\-]+/gv;

const alphabets = [/\p{Script=Latin}/v, /\p{Script=Cyrillic}/v, /\p{Script=Greek}/v];

/**
 * Whether some word of the text mixes Latin, Cyrillic and Greek letters, whose shapes are alike ("pаypal"
 * with a Cyrillic а). A word wholly in one alphabet is not marked, whatever its neighbours are.
 */
export function mixedScripts(text: string): boolean {
  const words = text.match(word) ?? [];
  return words.some((one) => alphabets.filter((alphabet) => alphabet.test(one)).length > 1);
}
