/** `log export`, as a process of its own, beside a running gate and against its store. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inFolder, organisation, run, serving } from './run.ts';

test('log export: formats, filters, a file of one’s own, what is recorded, and what is not understood', () =>
  inFolder(organisation, async (folder) => {
    const at = { cwd: folder };
    assert.match((await run(['log', 'export', '--format', 'csv'], at)).err, /There is no store at data yet/);
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
      const csv = await run(['log', 'export', '--format', 'csv', '--agent', 'bot'], at);
      assert.deepEqual([csv.code, csv.err], [0, '']);
      const [head, ...rows] = csv.out.trimEnd().split('\r\n');
      assert.match(head ?? '', /^index,time,type,sentence,/);
      assert.ok(rows.length >= 2 && rows.every((row) => row.includes('bot')));
      const indexes = rows.map((row) => Number(row.split(',')[0]));
      assert.deepEqual(
        indexes,
        indexes.toSorted((a, b) => a - b),
        'oldest first',
      );

      const file = await run(['log', 'export', '--format', 'jsonl', '--out', 'log.jsonl'], at);
      assert.equal(file.code, 0, file.err);
      const lines = readFileSync(join(folder, 'log.jsonl'), 'utf8').trimEnd().split('\n');
      assert.equal(file.err.trim(), `${lines.length} entries in log.jsonl.`);
      assert.equal(statSync(join(folder, 'log.jsonl')).mode & 0o777, 0o600);
      const taken = lines.map((one) => JSON.parse(one)).find((one) => one.type === 'log.exported');
      assert.deepEqual(
        [taken.by.kind, taken.data.format, taken.data.rows, taken.data.query.agent],
        ['operator', 'csv', rows.length, 'bot'],
      );
      const twice = await run(['log', 'export', '--format', 'jsonl', '--out', 'log.jsonl'], at);
      assert.deepEqual([twice.code, /EEXIST/.test(twice.err)], [1, true], 'a file that is there stays');

      const ocsf = await run(['log', 'export', '--format', 'ocsf', '--verdict', 'allow'], at);
      for (const one of ocsf.out.trimEnd().split('\n')) {
        const event = JSON.parse(one);
        assert.deepEqual([event.metadata.version, event.metadata.log_name], ['1.8.0', 'localhost']);
        assert.equal(event.type_uid, event.class_uid * 100 + event.activity_id);
      }
    });
    for (const [words, said] of [
      [['log'], /Say what to do with the log/],
      [['log', 'exprot'], /did you mean export/],
      [['log', 'export'], /--format is missing/],
      [['log', 'export', '--format', 'xlsx'], /There is no format xlsx/],
      [['log', 'export', '--formta', 'csv'], /did you mean --format/],
    ] as const) {
      const { code, err } = await run(words, at);
      assert.equal(code, 2, err);
      assert.match(err, said);
    }
    const wrong = await run(['log', 'export', '--format', 'csv', '--from', 'yesterday'], at);
    assert.deepEqual([wrong.code, /"from" could not be understood/.test(wrong.err)], [1, true]);
    const help = await run(['log', 'export', '--help'], at);
    assert.match(help.out, /countersign log export --format/);
    assert.match((await run(['log', '--help'], at)).out, /export {2,}writes the log/);
  }));
