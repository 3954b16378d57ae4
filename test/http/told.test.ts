/** Where people were told, by the API and on the command line: for people who may read the approval, and never for its agent. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { approvalOf, approvalText } from '../../src/cli/approval-view.ts';
import type { Case } from '../../src/core/case.ts';
import { asAgentId, asPersonId } from '../../src/core/ids.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { newToken } from '../../src/identity/tokens.ts';
import { systemRandom } from '../../src/main.ts';
import { openPages, type PagesGate } from './pages/support.ts';
import { fail, post } from './pages/told.ts';

let gate: PagesGate;
before(async () => {
  gate = await openPages({ told: ['slack', 'teams'] });
});
after(() => gate.close());

async function read(kind: 'agent' | 'person', id: string, held: Case) {
  const made = newToken(systemRandom, kind);
  const principal =
    kind === 'agent' ? ({ kind, id: asAgentId(id) } as const) : ({ kind, id: asPersonId(id) } as const);
  const result = await gate.parts.store.change({ kind: 'token', principal, hash: made.hash });
  assert.ok(result.ok);
  const answer = await gate.handler(
    new Request(`${gate.origin}/v1/approvals/${held.approval?.id ?? ''}`, {
      headers: { authorization: `Bearer ${made.token}` },
    }),
  );
  const text = await answer.text();
  return { status: answer.status, text, body: JSON.parse(text) as JsonObject };
}

let runs = 0;
async function told(): Promise<Case> {
  const held = await gate.ask('export_rows', { table: 'customers' }, { run: `told-${(runs += 1)}` });
  await post(gate, held, { channel: 'teams', to: '19:x@thread.tacv2', whole: false });
  await post(gate, held, { kind: 'view', group: null, to: 'U0PRIVATE' });
  const detail = 'no place #data-approvals for xoxb-1234567890-abcdefghijkl';
  await fail(gate, held, { channel: 'slack', detail, next: 'teams' });
  return held;
}

test('an approval tells people where they were told, and what failed', async () => {
  const { status, body, text } = await read('person', 'mia', await told());
  assert.equal(status, 200);
  const rows = body['told'] as readonly JsonObject[];
  const detail = rows[1]?.['detail'];
  assert.ok(typeof detail === 'string');
  assert.match(detail, /^no place #data-approvals for (?!xoxb-1)/);
  assert.deepEqual(rows, [
    {
      channel: 'teams',
      group: 'data-owners',
      to: '19:x@thread.tacv2',
      state: 'posted',
      whole: false,
      at: '2026-11-20T09:30:00.000Z',
      detail: null,
      tries: null,
      nextTryAt: null,
      instead: [],
    },
    {
      channel: 'slack',
      group: null,
      to: null,
      state: 'failing',
      whole: null,
      at: '2026-11-20T09:30:00.000Z',
      detail,
      tries: 1,
      nextTryAt: '2026-11-20T09:31:00.000Z',
      instead: ['teams'],
    },
  ]);
  assert.doesNotMatch(text, /xoxb-1234567890|U0PRIVATE/);
});

test('an auditor reads it, its agent does not, and who may not read the approval finds nothing', async () => {
  const held = await told();
  assert.ok('told' in (await read('person', 'ada', held)).body);
  const agent = await read('agent', 'crm-bot', held);
  assert.equal(agent.status, 200);
  assert.ok(!('told' in agent.body));
  assert.doesNotMatch(agent.text, /data-approvals|tacv2|\b503\b/);
  for (const [kind, id] of [
    ['person', 'tom'],
    ['person', 'lee'],
    ['agent', 'mail-bot'],
  ] as const) {
    const none = await read(kind, id, held);
    assert.equal(none.status, 404, id);
    assert.doesNotMatch(none.text, /data-approvals|tacv2/);
  }
});

test('a list names no places', async () => {
  await told();
  const made = newToken(systemRandom, 'person');
  const principal = { kind: 'person', id: asPersonId('mia') } as const;
  await gate.parts.store.change({ kind: 'token', principal, hash: made.hash });
  const answer = await gate.handler(
    new Request(`${gate.origin}/v1/approvals`, { headers: { authorization: `Bearer ${made.token}` } }),
  );
  assert.equal(answer.status, 200);
  assert.doesNotMatch(await answer.text(), /"told"|tacv2/);
});

test('the command line prints a line for a channel that fails, and none for one that works', async () => {
  const { body } = await read('person', 'mia', await told());
  const print = (answer: JsonObject): string =>
    approvalText(approvalOf(answer), { color: false, width: 200, nowMs: gate.clock.nowMs }).text;
  const text = print(body);
  assert.match(
    text,
    /Slack could not tell people since 2026-11-20T09:30:00\.000Z \(no place #data-approvals for [^)]*\), tried again at 2026-11-20T09:31:00\.000Z; told instead: Teams/,
  );
  assert.doesNotMatch(text, /tacv2/);
  // The answer of an older gate.
  const { told: _told, ...older } = body;
  assert.doesNotMatch(print(older), /could not tell/);
  const [row] = (body['told'] as readonly JsonObject[]).slice(1);
  assert.ok(row !== undefined);
  const hostile = print({ ...body, told: [{ ...row, detail: 'x\u001B[2J\nforged' }] });
  assert.match(hostile, /x⟨U\+001B⟩\[2J⟨U\+000A⟩forged/);
});
