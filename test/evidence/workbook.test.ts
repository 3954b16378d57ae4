/** Workbooks, read back from their XML by other means than wrote them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeSheets } from '../../src/evidence/sheets-changes.ts';
import { exceptionSheets, populationCells, populationSheets } from '../../src/evidence/sheets.ts';
import { cellCharsMax, columnName, workbook } from '../../src/evidence/workbook.ts';
import { namesOf } from '../../src/evidence/words.ts';
import { evidenceOf } from './support/model.ts';
import { hostile, rowsOf } from './support/rows.ts';
import { readSheet } from './support/tools.ts';

const rows = rowsOf(60);
const evidence = evidenceOf(rows);
const names = namesOf(evidence);
const population = (): Promise<Uint8Array> =>
  workbook(
    populationSheets(
      evidence,
      rows.map((row) => populationCells(row, names)),
    ),
  );

test('the population has one row for each action, with dates and numbers as such', async () => {
  const { rows: read, xml } = readSheet(await population(), 'Population');
  assert.equal(read.length, rows.length + 1);
  const [head, first] = read;
  assert.equal(head?.get('A')?.value, 'Row');
  assert.equal(head?.get('C')?.value, 'Asked at (UTC)');
  assert.deepEqual([first?.get('A')?.type, first?.get('A')?.value], ['n', '1']);
  // 2026-10-01T05:00Z as days since 1899-12-30.
  assert.equal(first?.get('C')?.type, 'n');
  assert.ok(Math.abs(Number(first?.get('C')?.value) - 46296.208333) < 0.0001, first?.get('C')?.value);
  assert.deepEqual(
    read.slice(1).map((row) => row.get('B')?.value),
    rows.map((row) => String(row.index)),
  );
  assert.match(xml, /<pane [^>]*ySplit="1"[^>]*state="frozen"/);
  assert.match(xml, /<autoFilter ref="A1:[A-Z]+61"\/>/);
  assert.match(xml, /<col [^>]*width=/);
});

test('the sheet About says the query, the generator, the count and the checkpoints', async () => {
  const { rows: read } = readSheet(await population(), 'About');
  const said = new Map(read.map((row) => [row.get('A')?.value, row.get('B')?.value]));
  assert.equal(said.get('The same again, where the gate’s configuration is'), evidence.command);
  assert.equal(said.get('Generator'), 'Countersign 0.1.0');
  assert.equal(said.get('Rows of the sheet Population'), '60');
  assert.equal(said.get('Entries “action.asked” in the log'), '60');
  assert.equal(said.get('Checkpoint at the end: root'), evidence.log.end?.root);
});

test('a hostile name is text: no formula, nothing hidden, no letter but what was written', async () => {
  const { rows: read } = readSheet(await population(), 'Population');
  const cell = [...(read[4]?.values() ?? [])].find((one) => one.value.startsWith('=HYPERLINK'));
  assert.ok(cell !== undefined);
  assert.equal(cell.type, 's');
  assert.equal(cell.value, hostile.replace('\u202E', '⟨U+202E⟩'));
});

test('names that every object has are kept as they are', async () => {
  const wanted = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '_x0041_',
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    'a\tb',
    'x'.repeat(cellCharsMax + 10),
  ];
  const book = await workbook([
    { name: 'Names', columns: [{ title: 'Name', width: 20 }], rows: wanted.map((one) => [one]) },
  ]);
  const { rows: read } = readSheet(book, 'Names');
  assert.deepEqual(
    read.slice(1, -1).map((row) => row.get('A')?.value),
    wanted.slice(0, -1),
  );
  assert.ok(read.at(-1)?.get('A')?.value.endsWith(' … (cut)'));
  assert.ok(read.slice(1).every((row) => row.get('A')?.type === 's'));
});

test('the other workbooks have changes and exceptions, and no answer is called one', async () => {
  const changes = await workbook(changeSheets(evidence));
  assert.equal(readSheet(changes, 'Policies').rows.length, evidence.policies.length + 1);
  assert.equal(readSheet(changes, 'Roster changes').rows.length, evidence.roster.changes.length + 1);
  const { rows: read } = readSheet(await workbook(exceptionSheets(evidence)), 'Exceptions');
  assert.equal(read.length, evidence.exceptions.length + 1);
  const answers = new Map(read.map((row) => [row.get('A')?.value, row.get('I')?.value]));
  assert.match(answers.get('downtime/121') ?? '', /Planned maintenance/);
  assert.equal(answers.get('break-glass/glass_1'), undefined);
});

test('the same rows give the same bytes', async () => {
  const first = await population();
  await new Promise((resolve) => setTimeout(resolve, 2100));
  assert.deepEqual(await population(), first);
});

test('columns are named as spreadsheets name them', () => {
  assert.deepEqual([0, 25, 26, 51, 52, 701, 702].map(columnName), ['A', 'Z', 'AA', 'AZ', 'BA', 'ZZ', 'AAA']);
});
