/**
 * Masks what looks like a secret in what people are shown. The action itself, its digest and its execution
 * keep the literal value: this is for eyes and for channels only.
 *
 * Promises: keys, structure, numbers and everything around a secret stay; a mask says how long the hidden
 * text is; masking twice changes nothing more. A pattern never swallows a space, a quote or shell
 * punctuation, so that an agent cannot hide a command inside what looks like a secret. Not a promise: that
 * every secret is recognised.
 */
import { isJsonArray, isJsonObject, type JsonValue } from './json.ts';

/** Characters are code points. */
function mask(secret: string): string {
  if (/^⟨masked: \d+ characters⟩$/.test(secret) || secret === '') return secret;
  let characters = 0;
  for (const _ of secret) characters += 1;
  return `⟨masked: ${characters} characters⟩`;
}

// prettier-ignore
const secretWords = [
  'password', 'passwd', 'passphrase', 'secret', 'token', 'authorization', 'credential', 'cookie',
  'apikey', 'privatekey', 'secretkey', 'accesskey', 'signingkey', 'encryptionkey',
];

/**
 * How a key that names a secret ends, in lower case without punctuation: `X-Api-Key`, `dbPassword2`,
 * `SecretString`.
 */
const secretKey = new RegExp(`(?:${secretWords.join('|')})s?(?:value|string|text)?[0-9]*$`);

/**
 * Short names that also end other words (`compass`): whole words only. `PWD` alone is a working directory.
 */
const shortSecretKey = /(?:(?:^|[^A-Za-z])(?:[Pp]ass|[Pp]wd|PASS)|[^A-Za-z]PWD|[a-z](?:Pass|Pwd))[0-9]*$/;

const isSecretKey = (key: string): boolean =>
  secretKey.test(key.toLowerCase().replace(/[^a-z0-9]/g, '')) || shortSecretKey.test(key);

/** A line break in a PEM block, raw or as an escape inside quotes. */
const gap = String.raw`(?:\s|\\[nr])`;
const pemStart = '-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----';
const pemHeader = String.raw`[A-Za-z-]{1,30}: [^\s\\]{0,100}`;
const pemLine = '[A-Za-z0-9+/=]{16,}';

/**
 * What secrets look like. Group 1, where there is one, is what stays. Each is linear: a repeated part cannot
 * match what follows it, and a match cannot start inside a run of its own characters.
 */
const patterns: readonly RegExp[] = [
  // OpenAI, Anthropic and kin; Stripe.
  /(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{16,}/g,
  /(?<![A-Za-z0-9])[sr]k_(?:live|test)_[A-Za-z0-9]{16,}/g,
  // GitHub, GitLab, npm.
  /(?<![A-Za-z0-9])(?:gh[oprsu]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,})/g,
  /(?<![A-Za-z0-9])(?:glpat-[A-Za-z0-9_-]{16,}|npm_[A-Za-z0-9]{36})/g,
  // Slack.
  /(?<![A-Za-z0-9])xox[abeprs]-[A-Za-z0-9-]{10,}/g,
  // AWS access key ids; Google API keys.
  /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g,
  /(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}/g,
  // JWS and JWE compact forms (RFC 7515 §7.1, RFC 7516 §7.1).
  /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){2,4}/g,
  // RFC 6750 §2.1.
  /(?<![A-Za-z0-9])(bearer )[A-Za-z0-9._~+/-]{16,}=*/gi,
  // PEM and PGP private keys: the lines of base64, not the marks around them, nor what is too short to be
  // such a line.
  new RegExp(
    `(${pemStart}${gap}{0,8}(?:${pemHeader}${gap}{1,4}){0,4})${pemLine}(?:${gap}{1,80}${pemLine})*`,
    'g',
  ),
];

/**
 * The password of a URL (RFC 3986 §3.2.1); it ends at the last `@` before the path, as URL parsers read it.
 */
const urlPassword = /(:\/\/[^\s:/?#@\\"'<>`]*:)([^\s/?#\\"'<>`]+)@/g;

/** Free text with what looks like a secret masked, by its own look: there is no key to go by. */
export function maskText(text: string): string {
  const masked = text.replace(urlPassword, (_all, before: string, password: string) => {
    // Unescaped shell punctuation stays in sight.
    return `${before}${password.replace(/[^;|&(){}$]+/g, mask)}@`;
  });
  return patterns.reduce((rest, pattern) => {
    return rest.replace(pattern, (all: string, before: unknown) => {
      // Without a group the second argument is the offset, a number.
      const kept = typeof before === 'string' ? before : '';
      return kept + mask(all.slice(kept.length));
    });
  }, masked);
}

/**
 * The value with its secrets masked: text under a key that names a secret (also in a list there, and in
 * `value` beside a `name` or `key` that does, as in lists of environment variables), and what looks like one
 * anywhere else.
 */
export const maskSecrets = (value: JsonValue): JsonValue => maskedUnder(value, false);

function maskedUnder(value: JsonValue, secret: boolean): JsonValue {
  if (typeof value === 'string') return secret ? mask(value) : maskText(value);
  if (isJsonArray(value)) return value.map((item) => maskedUnder(item, secret));
  if (!isJsonObject(value)) return value;
  const named = [value['name'], value['key']].some((name) => typeof name === 'string' && isSecretKey(name));
  // fromEntries defines each key as its own, whatever its name.
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      maskedUnder(item, isSecretKey(key) || (named && key === 'value')),
    ]),
  );
}
