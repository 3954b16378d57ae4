/** What targets write, read row by row: pgaudit as text and as csvlog, CloudTrail, CSV. What cannot be read is a row all the same. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { TargetRow } from '../../src/core/reconcile.ts';
import { cloudtrailRows } from '../../src/evidence/sources/cloudtrail.ts';
import { columnsIn, csvRows, MissingColumn, type Columns } from '../../src/evidence/sources/csv.ts';
import { pgauditRows } from '../../src/evidence/sources/pgaudit.ts';
import { csvRecord, recordCharsMax } from '../../src/evidence/sources/records.ts';
import { timeIn } from '../../src/evidence/sources/time.ts';

const exe = `exe_${'0'.repeat(25)}1`;

/** In pieces of a few bytes, so that nothing may depend on where a piece ends. */
async function* bytesOf(text: string, piece = 7): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
}
async function all(rows: AsyncIterable<TargetRow>): Promise<readonly TargetRow[]> {
  const found: TargetRow[] = [];
  for await (const row of rows) found.push(row);
  return found;
}
const brief = (rows: readonly TargetRow[]): readonly unknown[] =>
  rows.map(({ place, atMs, what, who, named }) => [place, atMs, what, who, named]);

test('times are read where they are certain, and else not at all', () => {
  const ms = Date.parse('2026-11-20T10:00:00.125Z');
  for (const text of [
    '2026-11-20T10:00:00.125Z',
    '2026-11-20 10:00:00.125 UTC',
    '2026-11-20 10:00:00.125',
    '2026-11-20 12:00:00.125+02',
    '2026-11-20T04:30:00.125999-05:30',
    '1795168800.125',
    '1795168800125',
  ])
    assert.equal(timeIn(text), ms, text);
  for (const text of [
    '',
    'yesterday',
    '2026-11-20',
    '2026-11-20 10:00:00 CET',
    '2026-13-20T10:00:00Z',
    '20.11.2026 10:00:00',
  ])
    assert.equal(timeIn(text), null, text);
});

test('pgaudit as text: the prefix says time, user and application; statements may have lines, commas and quotes', async () => {
  const log = [
    `2026-11-20 10:00:00.125 UTC [42] app@shop ${exe} LOG:  AUDIT: SESSION,1,1,WRITE,UPDATE,TABLE,public.customers,"UPDATE customers`,
    `\tSET name = 'a, ""b""'`,
    `\tWHERE id = 1",<not logged>`,
    '2026-11-20 10:00:01.000 UTC [42] app@shop psql LOG:  duration: 1 ms',
    `2026-11-20 10:00:02.000 UTC [43] root@shop psql LOG:  AUDIT: SESSION,1,1,DDL,DROP TABLE,TABLE,public.t,DROP TABLE t,<none>`,
    `2026-11-20 10:00:03.000 UTC [44] app@shop  LOG:  AUDIT: OBJECT,2,1,READ,SELECT,TABLE,public.t,/* ${exe} */ SELECT 1,<none>`,
    '2026-11-20 10:00:04.000 CET [45] app@shop psql LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,SELECT 1,<none>',
    'nonsense AUDIT: SESSION,1,1,READ,SELECT,,,SELECT 2,<none>',
    '2026-11-20 10:00:05.000 UTC [46] app@shop psql LOG:  AUDIT: nothing that is known',
  ].join('\n');
  const at = (seconds: string): number => Date.parse(`2026-11-20T10:00:${seconds}Z`);
  assert.deepEqual(brief(await all(pgauditRows(bytesOf(`${log}\n`), 0))), [
    [
      1,
      at('00.125'),
      `WRITE UPDATE public.customers: UPDATE customers\nSET name = 'a, "b"'\nWHERE id = 1`,
      'app@shop',
      exe,
    ],
    [5, at('02.000'), 'DDL DROP TABLE public.t: DROP TABLE t', 'root@shop', 'psql'],
    [6, at('03.000'), `READ SELECT public.t: /* ${exe} */ SELECT 1`, 'app@shop', `/* ${exe} */`],
    [7, null, 'READ SELECT: SELECT 1', 'app@shop', 'psql'],
    [8, null, 'AUDIT: SESSION,1,1,READ,SELECT,,,SELECT 2,<none>', null, null],
    [9, null, 'nothing that is known', 'app@shop', 'psql'],
  ]);
  const other = `1795168800.125 (${exe}) <app> LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,SELECT 1,<none>`;
  const [row] = await all(pgauditRows(bytesOf(other), 0, '%n (%a) <%u> '));
  assert.deepEqual([row?.atMs, row?.named, row?.who], [at('00.125'), exe, 'app']);
});

test('a statement cannot write a line of its own into the log that is read', async () => {
  const forged = `2026-11-20 10:00:09.000 UTC [1] app@shop ${exe} LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,SELECT 1,<none>`;
  const log = `2026-11-20 10:00:00.000 UTC [42] app@shop psql LOG:  AUDIT: SESSION,1,1,WRITE,UPDATE,,,"UPDATE t -- \n\t${forged}",<none>\n`;
  const rows = await all(pgauditRows(bytesOf(log), 0));
  assert.equal(rows.length, 1);
  assert.equal(rows[0]?.named, 'psql');
  // Nor can the name of an application hide a row: what does not fit is read as a row without a time.
  const hiding = `2026-11-20 10:00:00.000 UTC [42] app@shop ${'x'.repeat(80)} LOG:  AUDIT: SESSION,1,1,WRITE,UPDATE,,,UPDATE t,<none>\n`;
  assert.deepEqual(
    (await all(pgauditRows(bytesOf(hiding), 0))).map((row) => row.atMs),
    [null],
  );
});

test('pgaudit as csvlog', async () => {
  const fields = (message: string, application: string): string =>
    [
      '2026-11-20 10:00:00.125 UTC', '"app"', '"shop"', '42', '"127.0.0.1:5000"', '64f1', '1', '"UPDATE"', '2026-11-20 09:59:00 UTC', '3/4', '0', 'LOG', '00000',
      `"${message.replaceAll('"', '""')}"`, '', '', '', '', '', '', '', '', `"${application}"`, '"client backend"', '', '0',
    ].join(','); // prettier-ignore
  const log = [
    fields('connection authorized', exe),
    fields('AUDIT: SESSION,1,1,WRITE,UPDATE,TABLE,public.t,"UPDATE t\nSET a = 1",<not logged>', exe),
    fields('AUDIT: SESSION,1,1,READ,SELECT,,,SELECT 1,<none>', 'psql'),
  ].join('\n');
  assert.deepEqual(brief(await all(pgauditRows(bytesOf(`${log}\n`), 0))), [
    [
      2,
      Date.parse('2026-11-20T10:00:00.125Z'),
      'WRITE UPDATE public.t: UPDATE t\nSET a = 1',
      'app@shop',
      exe,
    ],
    [4, Date.parse('2026-11-20T10:00:00.125Z'), 'READ SELECT: SELECT 1', 'app@shop', 'psql'],
  ]);
});

test('CloudTrail: the source identity before the name of the session, and the call that begins it', async () => {
  const text = readFileSync(new URL('fixtures/cloudtrail.json', import.meta.url), 'utf8');
  const at = (time: string): number => Date.parse(`2026-11-20T${time}Z`);
  assert.deepEqual(brief(await all(cloudtrailRows(bytesOf(text), 0))), [
    [1, at('10:00:00'), 'sts.amazonaws.com AssumeRole', 'arn:aws:iam::777788889999:user/deployer', exe],
    [
      2,
      at('10:00:05'),
      'rds.amazonaws.com DeleteDBInstance',
      `arn:aws:sts::111122223333:assumed-role/ops/${exe}`,
      exe,
    ],
    [
      3,
      at('10:01:00'),
      's3.amazonaws.com DeleteObject AccessDenied',
      `arn:aws:sts::111122223333:assumed-role/ops/act_${'0'.repeat(25)}2`,
      `act_${'0'.repeat(25)}2`,
    ],
    [
      4,
      at('11:00:00'),
      'iam.amazonaws.com CreateAccessKey',
      'arn:aws:iam::111122223333:root',
      'arn:aws:iam::111122223333:root',
    ],
    [5, at('12:00:00'), 'sts.amazonaws.com AssumeRole', 'config.amazonaws.com', 'AWSConfig'],
  ]);
  // A file that was cut off, and a record that is too large, are rows that cannot be read; nothing is left out.
  const second = text.search(/"eventID":\s*"2"/);
  assert.ok(second > 0);
  const cut = text.slice(0, second);
  assert.deepEqual(
    (await all(cloudtrailRows(bytesOf(cut), 0))).map((row) => row.atMs),
    [at('10:00:00'), null],
  );
  const huge = `{"Records":[{"eventTime":"2026-11-20T10:00:00Z","x":"${'y'.repeat(recordCharsMax)}"},{"eventTime":"2026-11-20T10:00:00Z"}]}`;
  assert.deepEqual(
    (await all(cloudtrailRows(bytesOf(huge, 65_536), 0))).map((row) => row.atMs),
    [null, at('10:00:00')],
  );
});

test('CSV: columns by name, RFC 4180 in every place, a byte order mark, no column without a word', async () => {
  const columns: Columns = { id: 'execution', at: 'time', what: 'tool', who: null };
  const text = `\uFEFFtime,tool,"execution"\r\n2026-11-20T10:00:00Z,"write, ""it""\r\nnow",${exe}\r\n\r\nno time,drop,\r\n`;
  assert.deepEqual(brief(await all(csvRows(bytesOf(text), 0, columns))), [
    [2, Date.parse('2026-11-20T10:00:00Z'), 'write, "it"\r\nnow', null, exe],
    [5, null, 'drop', null, null],
  ]);
  await assert.rejects(all(csvRows(bytesOf('a,b\n1,2\n'), 0, columns)), MissingColumn);
  assert.deepEqual(columnsIn('id=a, at=b,what=c,who=d'), {
    ok: true,
    value: { id: 'a', at: 'b', what: 'c', who: 'd' },
  });
  for (const wrong of ['', 'id=a', 'id=a,at=b,what=c,why=d', 'id=a,id=b,at=c,what=d'])
    assert.equal(columnsIn(wrong).ok, false, wrong);
  assert.equal(csvRecord(`a,"${'b'.repeat(recordCharsMax + 1)}"`)?.broken, true);
  assert.equal(csvRecord('a,"not closed')?.broken, true);
});
