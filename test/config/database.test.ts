/** The configuration, part about the database: URLs that are secrets, and a pooler before it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings, type ReadOptions, type Settings } from '../../src/config.ts';
import { problemText } from '../../src/config/document.ts';

function settings(text: string, options: ReadOptions = {}): Settings {
  const read = parseSettings(text, 'c.yaml', { env: {}, ...options });
  if (!read.ok) assert.fail(read.error.map(problemText).join('\n'));
  return read.value;
}

function problems(text: string, options: ReadOptions = {}): readonly string[] {
  const read = parseSettings(text, 'c.yaml', { env: {}, ...options });
  return read.ok ? [] : read.error.map(problemText);
}

test('the database is a secret that is always needed', () => {
  assert.deepEqual(settings('database: { fromEnv: DB }', { env: { DB: 'postgresql://h/d' } }).store, {
    kind: 'postgres',
    url: 'postgresql://h/d',
    direct: null,
    standby: 'warn',
  });
  assert.match(problems('database: { fromEnv: DB }', { secrets: 'ignored' }).join(), /DB is not set/);
});

test('a database behind a pooler has a second URL, which is a secret too', () => {
  const text = 'database: postgres://pool/d\npostgres: { direct: { fromEnv: DIRECT }, standby: required }';
  assert.deepEqual(settings(text, { env: { DIRECT: 'postgres://a,b/d' } }).store, {
    kind: 'postgres',
    url: 'postgres://pool/d',
    direct: 'postgres://a,b/d',
    standby: 'required',
  });
  assert.match(problems(text).join(), /DIRECT is not set/);
  assert.match(problems(text, { env: { DIRECT: 'mysql://h/d' } }).join(), /postgres.direct must be a URL/);
  assert.match(problems('postgres: { standby: warn }').join(), /has no database/);
});
