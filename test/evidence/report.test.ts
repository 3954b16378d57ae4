/** The PDFs: the sentences that a stranger needs are in them, hostile text is shown and does nothing, the same model gives the same bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logFiles } from '../../src/evidence/attachments.ts';
import { listing } from '../../src/evidence/report-actions.ts';
import { reportPdf } from '../../src/evidence/report.ts';
import { samplesPdf } from '../../src/evidence/samples-pdf.ts';
import type { Evidence } from '../../src/core/evidence/model.ts';
import { line } from '../../src/core/render/shown.ts';
import { evidenceOf } from './support/model.ts';
import { rowAt, rowsOf } from './support/rows.ts';
import { pdfAttachments, pdfInfo, pdfText } from './support/tools.ts';

const proofs = {
  trustedRoot: '{"mediaType":"x"}\n',
  verifierKeys: ['gate.corp.example+9fb1c2d3+AQ=='],
  consistency: [new Uint8Array(32)],
};
const rows = rowsOf(40);

function report(evidence: Evidence): Promise<Uint8Array> {
  const listed = listing();
  for (const row of rows) listed.add(row);
  return reportPdf({ evidence, listed: listed.rows, files: logFiles(evidence, proofs) });
}

test('a reader who knows nothing finds the answers in the report', async () => {
  const evidence = evidenceOf(rows);
  const text = pdfText(await report(evidence));
  for (const sentence of [
    'Privileged actions of AI agents',
    '2026-10-01 to 2026-10-31 (UTC)',
    'The numbers agree.',
    'The log is signed by the operator of this system alone.',
    'How to read this',
    'Who asked?',
    'owned by Sam Lee (sam)',
    'Who decided?',
    'Rosa Diaz (rosa) approved 8, denied 2',
    'On what grounds?',
    'Bulk export of customer data needs a data owner',
    'Before or after it ran?',
    'Permission was recorded before the start',
    'Self-approval?',
    'What was not covered?',
    'whether one ran before its permission cannot be seen',
    'Planned maintenance,',
    'Not answered',
    'Suggested, and no statement of conformity',
    'happened outside the gate',
    'Could approve by the policies and reviewed nothing in the period: ',
    '3 attempts to approve what was their own were refused.',
    'It was in some way their own (no_self_approval) 3',
    'Lines that went (-) and came (+), against version 2',
    '+ when { context.input.rows > 1000 };',
    'a3'.repeat(16),
    'The name of this text in Population.xlsx, column “Policy digest”',
    'Changes of who may do what (as platform)',
    'Break-glass (as platform)',
    `Page 3 of`,
  ])
    assert.ok(text.includes(sentence), `not in the report: ${sentence}`);
});

test('what does not agree is said loudly, and never as agreement', async () => {
  const evidence = evidenceOf(rows);
  const text = pdfText(
    await report({
      ...evidence,
      completeness: { ...evidence.completeness, asked: rows.length + 1, dense: false, complete: false },
      log: { ...evidence.log, tier: 'unpublished', end: null },
    }),
  );
  assert.ok(text.includes('The numbers do not agree.'));
  assert.ok(text.includes('WITH GAPS'));
  assert.ok(text.includes('no signed state covers the last entry'));
  assert.ok(!text.includes('The numbers agree.'));
});

test('the report carries its proofs, bookmarks and metadata', async () => {
  const evidence = evidenceOf(rows);
  const pdf = await report(evidence);
  const expected = logFiles(evidence, proofs);
  const found = pdfAttachments(pdf);
  assert.deepEqual([...found.keys()].toSorted(), expected.map((file) => file.name).toSorted());
  for (const file of expected) assert.deepEqual(found.get(file.name), new Uint8Array(file.bytes), file.name);
  assert.ok(
    found.has('checkpoint-start.txt') && found.has('checkpoint-end.txt') && found.has('consistency.txt'),
  );
  const info = pdfInfo(pdf);
  assert.match(
    info,
    /^Title: +Evidence report: https:\/\/gate\.corp\.example, 2026-10-01 to 2026-10-31 \(UTC\)$/m,
  );
  assert.match(info, /^Subject: +Privileged actions of AI agents/m);
  assert.match(info, /^Producer: +Countersign 0\.1\.0$/m);
  const raw = Buffer.from(pdf).toString('latin1');
  assert.match(raw, /\/Outlines/);
});

test('the same model gives the same bytes, whenever it is rendered', async () => {
  const evidence = evidenceOf(rows, [3, 4]);
  const first = await report(evidence);
  const samples = await samplesPdf(evidence, []);
  // Dates of a PDF are in seconds.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assert.deepEqual(await report(evidence), first);
  assert.deepEqual(await samplesPdf(evidence, []), samples);
});

test('text of agents is shown and cannot hide: invisible characters and scripts that no font has', async () => {
  const evidence = evidenceOf(
    [rowAt(1, 'approved', { headline: line('Pay \u202Eliap\u200B 王 to Łukasz') })],
    [1],
  );
  const text = pdfText(await samplesPdf(evidence, []));
  assert.ok(text.includes('Pay ⟨U+202E⟩liap⟨U+200B⟩ ⟨U+738B⟩ to Łukasz'), text.slice(0, 400));
});

test('a sample says who decided, when and why, its checks as words, and carries its receipts', async () => {
  const evidence = evidenceOf(rows, [3]);
  const [chosen] = evidence.samples.chosen;
  assert.ok(chosen !== undefined);
  const receipts = chosen.receipts.map((index, at) => ({
    index,
    bundle: at === 0 ? `{"bundle":${index}}` : null,
    proof: 'c2sp.org/tlog-proof@v1\n',
    action: at === 0 ? '{"v":1}' : null,
    why: at === 0 ? null : 'its content was erased, so only the proof of its digest is left.',
  }));
  const pdf = await samplesPdf(evidence, receipts);
  const text = pdfText(pdf);
  for (const sentence of [
    'ops-bot, owned by Sam Lee (sam), asked for this on 2026-10-01 15:00:00 UTC',
    'Rosa Diaz (rosa) approved exactly this action, 7 min after it was asked',
    '(entry 61 before entry 62) by the gate, and it succeeded.',
    'Rosa Diaz said: “Quarterly report, ticket 4411”',
    '{"dataset":"customers","rows":5204}',
    '“The quarterly report” (its own words, not checked)',
    'Approver is not the requester Yes',
    'Entry 63: its content was erased',
  ])
    assert.ok(text.includes(sentence), `not in the samples: ${sentence}\n${text.slice(0, 2500)}`);
  const files = pdfAttachments(pdf);
  assert.deepEqual([...files.keys()].toSorted(), [
    'entry-61.action.json',
    'entry-61.sigstore.json',
    'entry-61.tlog-proof',
    'entry-63.tlog-proof',
  ]);
  assert.equal(new TextDecoder().decode(files.get('entry-61.sigstore.json')), '{"bundle":61}');
});

test('a table that goes on to another page repeats its header, and a long one says where the rest is', async () => {
  const many = Array.from({ length: 400 }, (_, at) => rowAt(at + 1, 'allowed'));
  const listed = listing();
  for (const row of many) listed.add(row);
  const evidence = evidenceOf(many);
  const text = pdfText(await reportPdf({ evidence, listed: listed.rows, files: [] }));
  assert.ok(
    text.split('Row Asked (UTC) By What Decided by, and why Ran').length - 1 >= 5,
    'the header is repeated',
  );
  assert.ok(text.includes('250 more “Allowed without review” are in Population.xlsx.'));
});
