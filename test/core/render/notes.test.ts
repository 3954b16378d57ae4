/** Remarks on what texts can hide. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '../../../src/core/json.ts';
import { bothForms, notesOn } from '../../../src/core/render/notes.ts';

const said = (value: JsonValue): readonly string[] =>
  notesOn(value).map((note) => `${note.kind} ${note.path}: ${note.text}`);

test('nothing is said of plain texts', () => {
  assert.deepEqual(
    said({
      url: 'https://example.com/a?b=c',
      mail: 'rosa@example.com',
      text: 'Grüße, 日本 and мир',
      version: '1.2.3',
      shell: 'a && b',
    }),
    [],
  );
});

test('hidden characters, in values and in names', () => {
  assert.deepEqual(said({ 'a\u200Bb': ['x\u202Ey\u202Ez'] }), [
    'hidden a⟨U+200B⟩b: its name holds 1 character that cannot be seen: U+200B',
    'hidden a⟨U+200B⟩b.0: holds 2 characters that cannot be seen: U+202E',
  ]);
});

test('hosts in both forms, wherever they stand', () => {
  assert.deepEqual(said({ to: 'https://b\u00FCcher.example/x', mail: 'a@xn--bcher-kva.example' }), [
    'host to: names the host xn--bcher-kva.example, which reads as bücher.example',
    'host mail: names the host xn--bcher-kva.example, which reads as bücher.example',
  ]);
  assert.equal(bothForms('xn--bcher-kva.example'), 'xn--bcher-kva.example (reads bücher.example)');
  assert.equal(bothForms('example.com'), 'example.com');
});

test('look-alike words, and a user name that poses as the host', () => {
  assert.deepEqual(
    said(['https://pаypal.com']).map((note) => note.split(' ')[0]),
    ['mixed', 'host'],
  );
  assert.deepEqual(said(['https://accounts.example.com@evil.test/login']), [
    'user 0: leads to the host evil.test; “accounts.example.com” before the @ is only a user name',
  ]);
  assert.deepEqual(said(['https://rosa@example.com/']), []);
});

test('text that poses as the gate’s marks; masked secrets are counted', () => {
  assert.deepEqual(said({ a: '⟨U+202E⟩ ok' }), [
    'posing a: itself contains text that looks like this gate’s marks',
  ]);
  assert.deepEqual(said({ password: 'x', list: [{ name: 'API_KEY', value: 'y' }] }), [
    'masked : 2 values look like a secret and are masked here; the action runs with what was sent.',
  ]);
});

test('many remarks are counted, and a megabyte takes a moment', () => {
  const many = notesOn(Array.from({ length: 100 }, () => '\u202E'));
  assert.deepEqual([many.length, many.at(-1)?.text], [41, '60 more remarks like these.']);
  const began = performance.now();
  for (const text of [
    'a'.repeat(1_000_000),
    '://'.repeat(300_000),
    'a.'.repeat(500_000),
    '\u202E'.repeat(300_000),
    'é.'.repeat(400_000),
    `${'.'.repeat(900_000)}a`,
    `x://${':1'.repeat(400_000)}`,
  ])
    notesOn({ text });
  assert.ok(performance.now() - began < 6000, String(performance.now() - began));
});
