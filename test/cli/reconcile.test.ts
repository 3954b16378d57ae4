/** `reconcile`, as a process of its own beside a running gate: what it prints, how it ends, what it leaves in the log. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { inFolder, organisation, run, serving } from './run.ts';

async function tokenOf(folder: string, kind: 'agent' | 'person', id: string): Promise<string> {
  const { code, out, err } = await run(['token', kind, id], { cwd: folder });
  assert.equal(code, 0, err);
  return out.trim();
}

test('a CSV, CloudTrail and pgaudit are compared with the store, while the gate runs', () =>
  inFolder(organisation, async (folder) => {
    const agent = await tokenOf(folder, 'agent', 'bot');
    const sam = await tokenOf(folder, 'person', 'sam');
    await serving(folder, async ({ url }) => {
      const call = async (method: string, path: string, body?: object, token = agent) => {
        const response = await fetch(url + path, {
          method,
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return (await response.json()) as Record<string, never>;
      };
      const { id: action } = await call('POST', '/v1/actions', {
        operation: 'bill___refund',
        input: { cents: 5 },
      });
      const { id: execution } = await call('POST', `/v1/actions/${action}/execution`, {});
      const now = new Date().toISOString();
      await call('PUT', `/v1/executions/${execution}/outcome`, { status: 'succeeded' });

      writeFileSync(
        join(folder, 'rows.csv'),
        `when,did,by,id\n${now},refund,app,${execution}\n${now},refund 2,root,\n`,
      );
      const words = [
        'reconcile',
        '--source',
        'csv',
        'rows.csv',
        '--map',
        'id=id,at=when,what=did,who=by',
        '--from',
        '2020-01-01T00:00:00Z',
        '--to',
        '2020-06-01',
      ];
      const period = ['--from', now.slice(0, 10)];
      const csv = await run([...words.slice(0, 6), ...period, '--target', 'bill'], { cwd: folder });
      assert.equal(csv.code, 1, csv.err);
      assert.match(
        csv.out,
        /^1 of 2 rows matched; 1 row happened there outside the gate; every execution left a row\.$/m,
      );
      assert.match(csv.out, /^outside {2}\S+Z {2}refund 2 {2}root rows\.csv:3$/m);
      assert.match(csv.out, /It names no execution/);
      assert.match(csv.err, /^Kept as rec_[0-9a-z]{26}\.$/m);
      assert.ok(!csv.out.includes('\u001B'));

      const before = await run(words, { cwd: folder });
      assert.deepEqual(
        [before.code, before.out.split('\n')[0]],
        [0, 'Nothing was recorded there, and nothing ran.'],
      );

      const record = {
        Records: [
          {
            eventTime: now,
            eventSource: 's3.amazonaws.com',
            eventName: 'DeleteObject',
            userIdentity: { sessionContext: { sourceIdentity: execution } },
          },
        ],
      };
      writeFileSync(join(folder, 'trail.json.gz'), gzipSync(JSON.stringify(record)));
      const trail = await run(['reconcile', '--source', 'cloudtrail', 'trail.json.gz', ...period, '--json'], {
        cwd: folder,
      });
      assert.equal(trail.code, 0, trail.err);
      const found = JSON.parse(trail.out) as { matched: number; files: { name: string; sha256: string }[] };
      assert.equal(found.matched, 1);
      assert.equal(found.files[0]?.name, 'trail.json.gz');

      const at = now.replace('T', ' ').replace('Z', ' UTC');
      writeFileSync(
        join(folder, 'pg.log'),
        `${at} [1] app@db ${execution} LOG:  AUDIT: SESSION,1,1,WRITE,UPDATE,,,UPDATE t,<none>\n`,
      );
      const pg = await run(['reconcile', '--source', 'pgaudit', 'pg.log', ...period], { cwd: folder });
      assert.equal(pg.code, 0, pg.out + pg.err);

      const { items } = (await call('GET', '/v1/reconciliations', undefined, sam)) as unknown as {
        items: readonly { source: string; by: unknown }[];
      };
      assert.deepEqual(items.map((one) => one.source).toSorted(), ['cloudtrail', 'csv', 'csv', 'pgaudit']);
      assert.deepEqual(items[0]?.by, { kind: 'operator' });
    });
  }));

test('what cannot be meant, or read, is said in a sentence', () =>
  inFolder({ ...organisation, 'a.csv': 'x,y\n1,2\n', 'broken.gz': '\u001F' }, async (folder) => {
    for (const [words, says] of [
      [['reconcile', 'a.csv', '--from', '2026-11-01'], /Say with --source/],
      [['reconcile', '--source', 'csv', '--from', '2026-11-01'], /FILE is missing/],
      [['reconcile', '--source', 'csv', 'a.csv'], /Say with --from/],
      [['reconcile', '--source', 'csv', 'a.csv', '--from', '2026-11-01'], /A CSV wants --map/],
      [
        ['reconcile', '--source', 'csv', 'a.csv', '--from', '2026-11-01', '--map', 'id=x'],
        /A CSV wants --map/,
      ],
      [
        ['reconcile', '--source', 'pgaudit', 'a.csv', '--from', '2026-11-01', '--map', 'id=x,at=y,what=z'],
        /Only a CSV has --map/,
      ],
      [
        ['reconcile', '--source', 'pgaudit', 'a.csv', '--from', '2026-11-01', '--skew', '9999'],
        /--skew is a whole number/,
      ],
    ] as const) {
      const { code, err } = await run(words, { cwd: folder });
      assert.equal(code, 2, err);
      assert.match(err, says);
    }
    const early = await run(
      ['reconcile', '--source', 'csv', 'a.csv', '--from', '2026-11-01', '--map', 'id=x,at=y,what=y'],
      { cwd: folder },
    );
    assert.equal(early.code, 1);
    assert.match(early.err, /There is no store at data yet/);
    await tokenOf(folder, 'person', 'sam');
    const column = await run(
      ['reconcile', '--source', 'csv', 'a.csv', '--from', '2026-11-01', '--map', 'id=x,at=y,what=z'],
      { cwd: folder },
    );
    assert.deepEqual([column.code, column.out], [1, '']);
    assert.match(column.err, /Nothing was compared: the file has no column “z”; it has: x, y\./);
    writeFileSync(
      join(folder, 'broken.gz'),
      Buffer.concat([gzipSync('a,b\n').subarray(0, 8), Buffer.from('nonsense')]),
    );
    const broken = await run(['reconcile', '--source', 'pgaudit', 'broken.gz', '--from', '2026-11-01'], {
      cwd: folder,
    });
    assert.equal(broken.code, 1);
    assert.match(broken.err, /Nothing was compared/);
  }));
