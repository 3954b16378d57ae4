/** A folder that somebody hostile gives to an auditor: it must not pass, and not keep them for ever. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { progressOn } from '../../src/cli/progress.ts';
import { shownLines, wholeLines } from '../../src/cli/log-verify-text.ts';
import { paintOf } from '../../src/cli/io.ts';
import { copyLog } from '../../src/log/copy.ts';
import { checkpointText } from '../../src/log/checkpoint.ts';
import { noteWith, signLine } from '../../src/log/note.ts';
import { folderSource } from '../../src/log/verify/folder.ts';
import { noTrust } from '../../src/log/verify/keys.ts';
import { problemsMax } from '../../src/log/verify/problem.ts';
import { readStatement } from '../../src/log/verify/statement.ts';
import { storeSource } from '../../src/log/verify/store-source.ts';
import { verifyWhole, type WholeReport } from '../../src/log/verify/whole.ts';
import { draftsOf, makeLog, newKeys, origin, readsOf } from '../log/support/made-log.ts';

const scratch = mkdtempSync(join(tmpdir(), 'countersign-hostile-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const keys = newKeys();

async function copied(name: string): Promise<string> {
  const folder = join(scratch, name);
  await copyLog(storeSource(readsOf(await makeLog(keys, draftsOf(keys, 300))), 'memory'), folder);
  return folder;
}
async function verify(folder: string): Promise<WholeReport> {
  const report = await verifyWhole(folderSource(folder, 'copy'), {
    trust: noTrust,
    held: [],
    signatures: 'none',
  });
  return typeof report === 'string' ? assert.fail(report) : report;
}

test('a checkpoint that claims nine quadrillion entries ends soon, in the same memory', async () => {
  const folder = await copied('huge');
  const text = checkpointText({ origin, size: 9_007_199_254_740_991, root: new Uint8Array(32) });
  writeFileSync(join(folder, 'checkpoint'), noteWith(text, [signLine(text, origin, keys.log)]));
  const report = await verify(folder);
  assert.ok(report.problemCount > 10_000 && report.problemCount < 50_000, String(report.problemCount));
  assert.equal(report.problems.length, problemsMax);
  assert.match(report.warnings.join(), /given up after 10000 problems/);
});

test('what is nested, doubled, or in two forms is no statement', () => {
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  for (const text of [deep, `{"predicate":${deep}}`, '', 'null', '1', '"x"', '{}', '{"predicate":{}}'])
    assert.equal(typeof readStatement(text, 0), 'string', text.slice(0, 20));
});

test('a statement that two readers read in two ways does not pass, whoever signed it', async () => {
  const log = await makeLog(keys, draftsOf(keys, 50));
  const whole = log.rows[20]?.statement ?? '';
  const { index } = log.rows[20] ?? assert.fail();
  assert.notEqual(typeof readStatement(whole, index), 'string');
  const twice = whole.replace(
    '"predicate":{',
    '"predicate":{"type":"action.asked","type":"log.heartbeat"},"predicate":{',
  );
  for (const text of [
    twice,
    whole.replace('"v":1', '"v":1.0'),
    ` ${whole}`,
    whole.replace('"v":1', '"v": 1'),
    whole.replace('"gate"', '"g\\u0061te"'),
  ]) {
    assert.notEqual(text, whole);
    assert.equal(typeof readStatement(text, index), 'string');
  }
});

test('names and texts of the log are shown escaped', async () => {
  const folder = await copied('names');
  writeFileSync(join(folder, '\u001B[2Jx\u202E'), '');
  const lines = wholeLines(await verify(folder), paintOf(false)).join('\n');
  assert.doesNotMatch(lines, /[\u001B\u202E]/);
  assert.match(lines, /⟨U\+202E⟩/);
  const evil = '\u001B]0;owned\u0007';
  const report = await verify(folder);
  const checkpoints = { ...report.checkpoints, stamped: { size: 3, by: evil } };
  const stamped = wholeLines({ ...report, checkpoints }, paintOf(false)).join(' ');
  assert.doesNotMatch(stamped, /[\u001B\u0007]/);
  assert.match(
    stamped.replace(/\s+/g, ' '),
    /time stamps up to 3, by a certificate that nobody checked: CN ⟨U\+001B⟩/,
  );
  const shown = shownLines(
    {
      index: 1,
      checkpoint: { origin: evil, size: 3 },
      witnesses: [evil],
      facts: {
        index: 1,
        atMs: 0,
        type: 'log.heartbeat',
        by: evil,
        action: evil,
        approval: null,
        headBefore: null,
        subject: null,
        data: {},
      },
      pae: evil,
      keyId: evil,
      action: false,
    },
    'receipt',
    paintOf(false),
  ).join('\n');
  assert.doesNotMatch(shown, /[\u001B\u0007]/);
});

test('files of keys, checkpoints and manifests may hold anything', async () => {
  for (const [name, contents] of Object.entries({
    'keys.json': [
      '[]',
      '{"keys":null}',
      '{"keys":[null]}',
      '{"keys":[{"id":"x","spki":"y","use":"log","origin":"z"}]}',
      '{"keys":{"length":1}}',
    ],
    'checkpoints.jsonl': ['null\n', '{}\n', '[1]\n', '{"cosignatures":[null]}\n', 'x\n'.repeat(1000)],
    'manifest.json': ['null', '[]', '{"files":[]}', '{"files":null}'],
    checkpoint: ['', 'x\n\n', `${'x'.repeat(70_000)}\n`],
  })) {
    const folder = await copied(name);
    const whole = readFileSync(join(folder, name));
    for (const content of contents) {
      writeFileSync(join(folder, name), content);
      const report = await verifyWhole(folderSource(folder, 'copy'), {
        trust: noTrust,
        held: [],
        signatures: 'none',
      });
      assert.ok(typeof report === 'string' || report.problemCount > 0, `${name}: ${content.slice(0, 40)}`);
    }
    writeFileSync(join(folder, name), whole);
    assert.equal((await verify(folder)).problemCount, 0);
  }
});

test('a bar is drawn on a terminal only; elsewhere a line now and then', () => {
  let now = 0;
  const run = (isTTY: boolean): string => {
    let text = '';
    const progress = progressOn({ isTTY, write: (more) => void (text += more) }, 'verified', () => now);
    for (let done = 0; done <= 100; done += 1) {
      now += 250;
      progress.at(done * 1000, 100_000);
    }
    progress.end();
    return text;
  };
  const bar = run(true);
  assert.match(bar, /\r\u001B\[K\[#{15}\.{15}\] 50,000 of 100,000 verified, 50 %, \d+ s left/);
  assert.ok(bar.endsWith('\r\u001B[K'), 'nothing is left of it');
  const lines = run(false);
  assert.doesNotMatch(lines, /[\r\u001B]/);
  assert.equal(lines.trimEnd().split('\n').length, 2, lines);
});
