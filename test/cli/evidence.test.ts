/** `evidence`, as a process of its own, beside a running gate and against its store. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { unzipSync } from 'fflate';
import { sha256Hex } from '../../src/core/sha256.ts';
import { readSheet } from '../evidence/support/tools.ts';
import { inFolder, organisation, run, serving } from './run.ts';

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const period = ['--from', day(Date.now() - 86_400_000), '--to', day(Date.now() + 2 * 86_400_000)];

test('evidence: a folder or a zip beside a running gate, samples, the same again, and what is not understood', () =>
  inFolder(organisation, async (folder) => {
    const at = { cwd: folder };
    const early = await run(['evidence', ...period, '--by', 'sam'], at);
    assert.equal(early.code, 1);
    assert.match(early.err, /There is no store at data yet/);
    for (const [words, says] of [
      [['--by', 'sam'], /“from” is missing/],
      [period, /--by is missing/],
      [[...period, '--by', 'sam', '--out', 'a', '--zip', 'b'], /Say --out or --zip, not both/],
      [[...period, '--by', 'sam', '--samples', '1', '--number', '7'], /not both/],
      [[...period, '--by', 'sam', '--sample-count', '5'], /the auditor’s number/],
    ] as const) {
      const wrong = await run(['evidence', ...words], at);
      assert.equal(wrong.code, 2, words.join(' '));
      assert.match(wrong.err, says);
    }
    const agent = (await run(['token', 'agent', 'bot'], at)).out.trim();
    await serving(folder, async ({ url }) => {
      for (const cents of [50, 60]) {
        const asked = await fetch(`${url}/v1/actions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${agent}`, 'content-type': 'application/json' },
          body: JSON.stringify({ operation: 'bill___refund', input: { cents } }),
        });
        assert.ok(asked.status < 300);
      }
      const stranger = await run(['evidence', ...period, '--by', 'rosa'], at);
      assert.deepEqual([stranger.code, /Only auditors and operators/.test(stranger.err)], [1, true]);

      const made = await run(
        ['evidence', ...period, '--by', 'sam', '--samples', '1', '--out', 'package'],
        at,
      );
      assert.equal(made.code, 0, made.err);
      assert.equal(made.out.trim(), 'package');
      assert.match(made.err, /2 actions, entries \d+ to \d+ of the log/);
      const manifest = JSON.parse(readFileSync(join(folder, 'package', 'manifest.json'), 'utf8'));
      for (const one of manifest.files)
        assert.equal(sha256Hex(readFileSync(join(folder, 'package', one.name))), one.sha256, one.name);
      assert.equal(
        readSheet(readFileSync(join(folder, 'package', 'Population.xlsx')), 'Population').rows.length,
        3,
      );
      assert.equal(statSync(join(folder, 'package', '00-Report.pdf')).mode & 0o777, 0o600);
      assert.ok(
        !readdirSync(folder).some((name) => name.startsWith('package.')),
        'nothing half made is left',
      );

      // The lines of VERIFY.txt, as they stand there.
      const verify = readFileSync(join(folder, 'package', 'VERIFY.txt'), 'utf8');
      const lines = [...verify.matchAll(/^ {2}countersign (log verify .+)$/gm)].map(
        (match) => match[1] ?? '',
      );
      assert.ok(
        lines.some((line) => line.includes('--receipt')),
        verify,
      );
      for (const line of lines) {
        const checked = await run(line.split(' '), { cwd: join(folder, 'package') });
        assert.equal(checked.code, 0, `${line}\n${checked.err}${checked.out}`);
      }

      const twice = await run(['evidence', ...period, '--by', 'sam', '--out', 'package'], at);
      assert.deepEqual([twice.code, /exists already/.test(twice.err)], [1, true]);

      // The command that the package itself names, with who makes it.
      const words = String(manifest.query.command).split(' ').slice(1);
      const again = await run([...words, '--by', 'sam', '--zip', 'again.zip'], at);
      assert.equal(again.code, 0, again.err);
      const files = unzipSync(readFileSync(join(folder, 'again.zip')));
      const second = JSON.parse(new TextDecoder().decode(files['manifest.json']));
      assert.deepEqual(
        [second.rows, second.query.asOf, second.query.command],
        [manifest.rows, manifest.query.asOf, manifest.query.command],
      );
    });
  }));
