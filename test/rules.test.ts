/**
 * Keeps the three places of a rule in step: its sentence in docs/rules.md, the one line `// RULE id` where src enforces it,
 * and the tests whose titles begin with the id. A rule without its line or its test is a promise without proof; a line or a
 * test without its rule is a promise that nobody can read.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { root, textsBelow } from './support/source.ts';

type Texts = ReadonlyMap<string, string>;

const HEADING = /^## `([a-z]+(?:-[a-z]+)+)`$/gm;
const LINE = /\/\/ RULE\b[ :]*(.*)$/gm;
const TITLE = /\b(?:test|it|describe|suite)(?:\.\w+)?\(\s*['"`]([a-z]+(?:-[a-z]+)+)(?=['"`: ])/g;

/** A title that only begins with two joined words ("step-by-step works") names no rule; one with a colon after them does. */
const NAMES_A_RULE = /\b(?:test|it|describe|suite)(?:\.\w+)?\(\s*['"`]([a-z]+(?:-[a-z]+)+)(?=['"`:])/g;

/** Every match's first group, with the file that it is in. */
function all(texts: Texts, pattern: RegExp): readonly { readonly id: string; readonly file: string }[] {
  return [...texts].flatMap(([file, text]) =>
    [...text.matchAll(pattern)].map((match) => ({ id: (match[1] ?? '').trim(), file })),
  );
}

/** What is out of step, one sentence each; empty where all three agree. */
function outOfStep(doc: string, src: Texts, tests: Texts): readonly string[] {
  const rules = [...doc.matchAll(HEADING)].map((match) => match[1] ?? '');
  const lines = all(src, LINE);
  const titles = all(tests, TITLE);
  const found: string[] = [];
  for (const [index, id] of rules.entries()) {
    if (rules.indexOf(id) !== index) found.push(`${id} is twice in docs/rules.md`);
    const files = lines.filter((line) => line.id === id).map((line) => line.file);
    if (files.length !== 1)
      found.push(`${id} has ${files.length} lines "// RULE ${id}" in src, not one: ${files.join(', ')}`);
    if (!titles.some((title) => title.id === id))
      found.push(`${id} has no test whose title begins with "${id}"`);
  }
  for (const { id, file } of lines)
    if (!rules.includes(id)) found.push(`src/${file} names "${id}", which is no rule`);
  for (const { id, file } of all(tests, NAMES_A_RULE))
    if (!rules.includes(id)) found.push(`test/${file} names "${id}", which is no rule`);
  return found;
}

const doc = readFileSync(`${root}/docs/rules.md`, 'utf8');

/** The rules of the first release. More may come; none of these goes. */
const PROMISED = [
  'no-self-approval',
  'anyone-may-stop',
  'people-only',
  'distinct-people',
  'exact-digest',
  'shown-whole',
  'eligible-then-and-now',
  'step-up',
  'deny-ends-it',
  'nobody-left',
  'get-never-decides',
];

test('docs/rules.md holds every promised rule, with a sentence', () => {
  for (const id of PROMISED) assert.match(doc, new RegExp(`^## \`${id}\`\n\n[A-Z].{20,}`, 'm'), id);
});

test('each rule has its sentence, its line and its test', () => {
  const tests = new Map([...textsBelow('test', '.test.ts')].filter(([file]) => file !== 'rules.test.ts'));
  assert.deepEqual(outOfStep(doc, textsBelow('src', '.ts'), tests), []);
});

test('what is out of step is found', () => {
  const rule = '## `a-b`\n\nA promise.\n';
  const line = ['core/x.ts', '  // RULE a-b\n  if (no) return;'] as const;
  const title = ['core/x.test.ts', "test('a-b: holds', () => {});"] as const;
  const texts = (...entries: readonly (readonly [string, string])[]): Texts => new Map(entries);

  assert.deepEqual(outOfStep(rule, texts(line), texts(title)), []);
  assert.deepEqual(outOfStep(rule, texts(line), texts(title, ['t', "test('step-by-step works')"])), []);
  assert.deepEqual(outOfStep(rule, texts(line), texts(['t', 'it(`a-b holds for ${x}`)'])), []);
  assert.match(outOfStep(rule, texts(), texts(title)).join(), /a-b has 0 lines/);
  assert.match(
    outOfStep(rule, texts(line, ['core/y.ts', '// RULE a-b']), texts(title)).join(),
    /a-b has 2 lines/,
  );
  assert.match(outOfStep(rule, texts(line), texts()).join(), /a-b has no test/);
  assert.match(
    outOfStep(rule, texts(line), texts(['t', "test('holds a-b: yes')"])).join(),
    /a-b has no test/,
  );
  assert.match(outOfStep(rule + rule, texts(line), texts(title)).join(), /twice/);
  assert.match(outOfStep('', texts(line), texts()).join(), /src\/core\/x\.ts names "a-b"/);
  assert.match(outOfStep('', texts(), texts(title)).join(), /test\/core\/x\.test\.ts names "a-b"/);
  assert.match(
    outOfStep(rule, texts(['core/x.ts', '// RULE a-b, more or less']), texts(title)).join(),
    /which is no rule/,
  );
});
