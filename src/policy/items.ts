/**
 * Policies one by one, as core compares two sets (core/config-change.ts), and the texts of the tightened one. Promises: never
 * throws; a policy that cannot be read is an item that no comparison takes for harmless; what is written here is still to be
 * proven, since an added forbid may need a schema that is not accepted yet.
 *
 * Given texts are texts that were proven in a worker before: Cedar's parser is asked here, in this process.
 */
import { keepsPolicies, withdrawnEnd, type PolicyDecision, type PolicyItem } from '../core/config-change.ts';
import type { PolicyTexts } from '../ports/policy.ts';
import { isTrap, startCedar, type Cedar } from './cedar.ts';
import { groupsRead } from './items-groups.ts';
import { splitPolicies, type PolicyText } from './split.ts';
import { statementOf, type Statement } from './statement.ts';

export interface Items {
  /** Every policy of a set, in its order. */
  readonly itemsOf: (texts: PolicyTexts) => readonly PolicyItem[];
  /**
   * The accepted texts with a decision about them carried out, beside the accepted schemas and entities. Comments between
   * policies are lost in a file in which one is withdrawn or replaced. The same value where there is nothing to carry out.
   */
  readonly textsWith: (accepted: PolicyTexts, found: PolicyTexts, decision: PolicyDecision) => PolicyTexts;
}

/**
 * Texts of policies that stay parsed, so that only what changed is parsed when files change: parsing 10,000 takes some two
 * seconds, in which the gate does nothing else.
 */
const parsedMax = 25_000;

/** Reads items with an instance of Cedar of its own, started when it is first needed. */
export function createItems(start: () => Cedar = startCedar): Items {
  let cedar: Cedar | undefined;
  const parse: Parse = (source) => {
    try {
      cedar ??= start();
      return statementOf(cedar, source).statement;
    } catch (error) {
      if (isTrap(error)) cedar = undefined;
      return null;
    }
  };
  const parsed = new Map<string, PolicyItem>();
  const read = (source: PolicyText): PolicyItem => {
    const known = parsed.get(source.text);
    const item = known ?? itemOf(source, parse(source));
    if (item === null) return unreadable(source);
    parsed.delete(source.text); // and so it becomes the one used last
    parsed.set(source.text, item);
    const [oldest] = parsed.keys();
    if (parsed.size > parsedMax && oldest !== undefined) parsed.delete(oldest);
    return { ...item, file: source.file };
  };
  const itemsOf = (texts: PolicyTexts): readonly PolicyItem[] =>
    texts.policies.flatMap((one) => itemsIn(one, read));
  return {
    itemsOf,
    textsWith: (accepted, found, decision) =>
      keepsPolicies(decision)
        ? accepted
        : written(accepted, { accepted: itemsOf(accepted), found: itemsOf(found) }, decision),
  };
}

type Parse = (source: PolicyText) => Statement | null;

function itemsIn(
  { file, text }: { readonly file: string; readonly text: string },
  read: (source: PolicyText) => PolicyItem,
): readonly PolicyItem[] {
  const split = splitPolicies(file, text);
  return [
    ...split.policies.map(read),
    // A set with one of these is never proven; it is here so that nobody takes its absence for nothing.
    ...split.problems.map(({ line }) => unreadable({ file, line, text })),
  ];
}

/** Null where it cannot be read. */
function itemOf(source: PolicyText, statement: Statement | null): PolicyItem | null {
  if (statement === null) return null;
  const { annotations, body } = partsOf(tokensOf(source.text));
  const withdrawn = statement.effect === 'permit' && endsWithdrawn(body);
  return {
    id: statement.id,
    file: source.file,
    text: source.text,
    effect: statement.effect,
    requirement: statement.requirement,
    body: (withdrawn ? body.slice(0, -withdrawnTokens.length) : body).join(' '),
    annotations,
    actions: statement.actions,
    groups: groupsRead(statement),
    withdrawn,
  };
}

/** A forbid, since the going of a forbid is never harmless. */
const unreadable = ({ file, line, text }: PolicyText): PolicyItem => ({
  id: `${file}:${line}`,
  file,
  text,
  effect: 'forbid',
  requirement: null,
  body: text,
  annotations: {},
  actions: null,
  groups: 'any',
  withdrawn: false,
});

/** A comment, a string with its escapes, a word, any other character: Cedar's lexer makes the same of the same of these. */
const token = /\/\/[^\n\r]*|"[^"\\]*(?:\\[\s\S][^"\\]*)*"|\w+|[^\s\w]/g;

const tokensOf = (text: string): readonly string[] =>
  [...text.matchAll(token)].map(([found]) => found).filter((found) => !found.startsWith('//'));

const withdrawnTokens = tokensOf(withdrawnEnd);

const endsWithdrawn = (body: readonly string[]): boolean =>
  withdrawnTokens.every((one, index) => body[body.length - withdrawnTokens.length + index] === one);

/** `@name("value")` and `@name` at the start, and what follows them. */
function partsOf(tokens: readonly string[]): {
  readonly annotations: Readonly<Record<string, string>>;
  readonly body: readonly string[];
} {
  const found: [string, string][] = [];
  let at = 0;
  while (tokens[at] === '@') {
    const [name = '', bracket, value = ''] = tokens.slice(at + 1, at + 4);
    found.push([name, bracket === '(' ? value.slice(1, -1) : '']);
    at += bracket === '(' ? 5 : 2;
  }
  return { annotations: Object.fromEntries(found), body: tokens.slice(at) };
}

function written(
  texts: PolicyTexts,
  items: { readonly accepted: readonly PolicyItem[]; readonly found: readonly PolicyItem[] },
  { withdraw, replace, add }: PolicyDecision,
): PolicyTexts {
  const textOf = new Map(items.found.map((one) => [one.id, one.text]));
  const text = (one: PolicyItem): string => {
    if (withdraw.includes(one.id)) return `${one.text}${withdrawnEnd}`;
    return replace.includes(one.id) ? (textOf.get(one.id) ?? one.text) : one.text;
  };
  const files = new Map(texts.policies.map((one) => [one.file, one.text]));
  const changed = new Set([...withdraw, ...replace]);
  for (const [file, inFile] of Map.groupBy(items.accepted, (one) => one.file)) {
    if (!inFile.some((one) => changed.has(one.id))) continue;
    // What cannot be split cannot be written anew; the set is then not proven, and nothing of it is taken over.
    if (splitPolicies(file, files.get(file) ?? '').problems.length === 0)
      files.set(file, inFile.map((one) => `${text(one)};\n`).join('\n'));
  }
  for (const one of items.found)
    // Beside the accepted policies of the file that it was found in, so that it is named by the same file.
    if (add.includes(one.id))
      files.set(one.file, `${files.has(one.file) ? `${files.get(one.file) ?? ''}\n` : ''}${one.text};\n`);
  const policies = [...files].map(([file, one]) => ({ file, text: one }));
  return {
    ...texts,
    policies: policies.toSorted((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0)),
  };
}
