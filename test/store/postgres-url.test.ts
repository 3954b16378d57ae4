/** URLs of PostgreSQL with several hosts, as libpq takes them; and no message that gives away what was in one. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { hostsOf } from '../../src/store/postgres-url.ts';

// `pg`'s own reader of the URLs that are made for it.
const require = createRequire(import.meta.url);
const parse = require('pg-connection-string') as (url: string) => Readonly<Record<string, unknown>>;

const read = (url: string) =>
  hostsOf(url).map((one) => {
    const { host, port, user, password, database } = parse(one.url);
    return [one.name, host, port, user, password, database];
  });

test('one host, several, and the default port', () => {
  assert.deepEqual(read('postgres://u:p@h/d'), [['h:5432', 'h', '5432', 'u', 'p', 'd']]);
  assert.deepEqual(read('postgresql://u:p@h1:6000,h2,10.0.0.3:7000/d?application_name=x'), [
    ['h1:6000', 'h1', '6000', 'u', 'p', 'd'],
    ['h2:5432', 'h2', '5432', 'u', 'p', 'd'],
    ['10.0.0.3:7000', '10.0.0.3', '7000', 'u', 'p', 'd'],
  ]);
  assert.deepEqual(
    read('postgres://h1,h2/d').map(([name]) => name),
    ['h1:5432', 'h2:5432'],
  );
  assert.deepEqual(read('postgres:///d')[0]?.slice(0, 3), ['localhost:5432', 'localhost', '5432']);
});

test('IPv6, percent-encoding and sockets', () => {
  assert.deepEqual(
    read('postgres://u@[::1]:6000,[fe80::2]/d').map((one) => one.slice(0, 3)),
    [
      ['[::1]:6000', '::1', '6000'],
      ['[fe80::2]:5432', 'fe80::2', '5432'],
    ],
  );
  assert.deepEqual(
    read('postgres://u%40x:p%2F%3A%40%20w@h1,h2/d%20b').map((one) => one.slice(3)),
    [
      ['u@x', 'p/:@ w', 'd b'],
      ['u@x', 'p/:@ w', 'd b'],
    ],
  );
  assert.deepEqual(read('postgres://u:p@/d?host=/var/run/postgresql')[0], [
    '/var/run/postgresql',
    '/var/run/postgresql',
    '5432',
    'u',
    'p',
    'd',
  ]);
  assert.equal(read('postgres://u@%2Fvar%2Frun/d')[0]?.[1], '/var/run');
  assert.deepEqual(
    read('postgres://u@/d?host=a,/run&port=1,2').map((one) => one.slice(1, 3)),
    [
      ['a', '1'],
      ['/run', '2'],
    ],
  );
  assert.deepEqual(
    read('postgres://u@/d?host=a,b&port=7').map((one) => one[2]),
    ['7', '7'],
  );
});

test('parameters stay, of each host; options and TLS too', () => {
  for (const { url } of hostsOf(
    'postgres://a,b/d?sslmode=verify-full&options=-c%20search_path%3Dx&target_session_attrs=read-write',
  )) {
    const parsed = parse(url);
    assert.deepEqual(
      [parsed['options'], parsed['ssl'], parsed['target_session_attrs']],
      ['-c search_path=x', {}, undefined],
    );
  }
});

test('what cannot be used is refused without a word of it', () => {
  const secret = 'hunter2';
  for (const url of [
    `postgres://u:${secret}/x@h/d`,
    `postgres://u:${secret}#x@h/d`,
    `mysql://u:${secret}@h/d`,
    `postgres://u:${secret}@h:99999/d`,
    `postgres://u:${secret}@h:0/d`,
    `postgres://u:${secret}@h:x/d`,
    `postgres://u:${secret}@[::1/d`,
    `postgres://u:${secret}@%zz/d`,
    `postgres://u:${secret}@a,b/d?host=a,b&port=1,2,3`,
    `postgres://u:${secret}@h/d?target_session_attrs=standby`,
    `postgres://u:${secret}@h/d?sslmode=banana`,
    `postgres://u:${secret}%ZZ@h/d`,
    `postgres://u:${secret}@${Array.from({ length: 17 }, (_, n) => `h${n}`).join(',')}/d`,
  ]) {
    assert.throws(
      () => hostsOf(url),
      (error) =>
        error instanceof Error && /cannot be used/.test(error.message) && !error.message.includes(secret),
      url,
    );
  }
});
