/** `break-glass` on the command line: asked, listed, ended and reviewed against a real gate. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inFolder, organisation, run, serving, type Ran } from './run.ts';

const config = `
listen: 127.0.0.1:0
roles: { operators: platform, auditors: audit, breakGlass: oncall }
people:
  - { id: sam, name: Sam Lee, groups: [data-owners] }
  - { id: rosa, name: Rosa Diaz, groups: [data-owners, oncall] }
  - { id: mia, name: Mia Chen, groups: [oncall] }
  - { id: ada, name: Ada Berg, groups: [audit] }
agents:
  - { id: bot, owners: [sam], groups: [bots] }
operations:
  bill___refund:
    input: { type: object, required: [cents], properties: { cents: { type: integer } } }
`;

test('break-glass is asked for, listed, ended and reviewed from a terminal', () =>
  inFolder({ ...organisation, 'countersign.yaml': config }, async (folder) => {
    await serving(folder, async ({ url }) => {
      const token = async (kind: string, id: string): Promise<string> => {
        const made = await run(['token', kind, id, '--config', 'countersign.yaml'], { cwd: folder });
        assert.equal(made.code, 0, made.err);
        return made.out.trim();
      };
      const tokens = {
        sam: await token('person', 'sam'),
        rosa: await token('person', 'rosa'),
        mia: await token('person', 'mia'),
        ada: await token('person', 'ada'),
      };
      const as = (who: keyof typeof tokens, ...args: string[]): Promise<Ran> =>
        run(['break-glass', ...args, '--url', url], { cwd: folder, env: { COUNTERSIGN_TOKEN: tokens[who] } });
      const none = await as('ada', 'list');
      assert.match(none.err, /no break-glass/);
      const long = await as('sam', 'ask', 'bot', 'bill___refund', '--minutes', '90', '--reason', 'x');
      assert.equal(long.code, 2, 'refused before anybody is asked');
      const asked = await as(
        'sam',
        'ask',
        'bot',
        'bill___refund',
        '--minutes',
        '5',
        '--reason',
        'It is down.',
      );
      assert.equal(asked.code, 0, asked.err);
      const approval = /apr_\w+/.exec(asked.out)?.[0] ?? '';
      for (const who of ['rosa', 'mia'] as const) {
        const headers = { authorization: `Bearer ${tokens[who]}`, 'content-type': 'application/json' };
        const shown = (await (await fetch(`${url}/v1/approvals/${approval}`, { headers })).json()) as {
          readonly digest: string;
        };
        const body = JSON.stringify({ decision: 'approve', digest: shown.digest });
        const path = `${url}/v1/approvals/${approval}/reviews`;
        assert.equal((await fetch(path, { method: 'POST', headers, body })).status, 201);
      }
      const open = await as('ada', 'list');
      assert.match(open.out, /OPEN {2}bill___refund of bot/);
      assert.match(open.out, /asked by sam, approved by rosa, mia: It is down\./);
      const id = /gls_\w+/.exec(open.out)?.[0] ?? '';
      const end = await as('sam', 'end', id, '--reason', 'mended');
      assert.match(end.out, /must be reviewed/, end.err);
      assert.match(end.out, /may be reviewed by ada/);
      const mine = await as('rosa', 'review', id, '--finding', 'fine');
      assert.deepEqual([mine.code, /no_self_approval/.test(mine.err)], [1, true], mine.err);
      const review = await as('ada', 'review', id, '--finding', 'It was needed.');
      assert.match(review.out, /reviewed by ada: It was needed\./, review.err);
      const json = await as('ada', 'list', '--json');
      assert.equal(
        (JSON.parse(json.out) as { items: readonly { status: string }[] }).items[0]?.status,
        'reviewed',
      );
      const misused = await as('ada', 'list', '--finding', 'x');
      assert.equal(misused.code, 2);
    });
  }));
