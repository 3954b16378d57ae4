/**
 * Somebody with the database's file makes an action "approved" and lends it an entry of the log that is about something else, by
 * editing what its row says, or its statement and digest too: nothing runs, and nobody gets the input.
 */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { test } from 'node:test';
import { chain, payloadType, preAuthentication } from '../../src/core/entry.ts';
import { asSha256Hex } from '../../src/core/ids.ts';
import { sha256Hex } from '../../src/core/sha256.ts';
import { startTestGate } from '../support/gate.ts';

type Lend = (db: DatabaseSync, of: { readonly index: number; readonly action: string }) => void;

const rowOnly: Lend = (db, { index, action }) =>
  void db
    .prepare(
      `UPDATE entries SET type = 'approval.approved', action_ord = (SELECT ord FROM actions WHERE id = ?) WHERE idx = ?`,
    )
    .run(action, index);

/** The statement says it too; `fits`: how much of what is made of it was made again. */
const statementToo =
  (fits: 'nothing' | 'digest' | 'head'): Lend =>
  (db, of) => {
    rowOnly(db, of);
    const row = db.prepare('SELECT statement, pae, head FROM entries WHERE idx = ?').get(of.index);
    const before = db.prepare('SELECT head FROM entries WHERE idx = ?').get(of.index - 1);
    const statement = String(row?.['statement'])
      .replace(/"type":"[a-z_.]+"/, '"type":"approval.approved"')
      .replace(/"about":\{"action":[^,]+,/, `"about":{"action":"${of.action}",`);
    const made = asSha256Hex(sha256Hex(preAuthentication(payloadType, statement)));
    const pae = fits === 'nothing' ? asSha256Hex(String(row?.['pae'])) : made;
    const head = fits === 'head' ? chain(asSha256Hex(String(before?.['head'])), pae) : String(row?.['head']);
    db.prepare('UPDATE entries SET statement = ?, pae = ?, head = ? WHERE idx = ?').run(
      statement,
      pae,
      head,
      of.index,
    );
  };

for (const [name, lend] of [
  ['its row alone', rowOnly],
  ['its statement', statementToo('nothing')],
  ['its statement and digest', statementToo('digest')],
  ['its statement, digest and head', statementToo('head')],
] as const)
  test(`recorded-first: an entry of something else is lent to an action (${name}), and nothing runs`, async () => {
    const gate = await startTestGate();
    try {
      const agent = await gate.token('agent', 'crm-bot');
      const asked = await gate.call(agent, 'POST', '/v1/actions', {
        operation: 'shop___refund',
        input: { cents: 500 },
      });
      assert.equal(asked.status, 202);
      const { id } = asked.body;
      const held = await gate.gate().parts.store.caseBy({ action: id });
      const soonMs = Date.now() + 900_000;
      const db = new DatabaseSync(join(gate.folder, 'data', 'countersign.db'), { timeout: 5000 });
      // One that nothing else needs.
      const lent = db.prepare("SELECT idx FROM entries WHERE type = 'directory.accepted'").get();
      const index = Number(lent?.['idx']);
      lend(db, { index, action: id });
      db.prepare(
        `UPDATE actions SET state = 'ready', approval = ?, grant_expires_at_ms = ?, due_at_ms = ?, grant_index = ? WHERE id = ?`,
      ).run(JSON.stringify({ ...held?.approval, approvedAtMs: Date.now() }), soonMs, soonMs, index, id);
      db.close();
      const claimed = await gate.call(agent, 'POST', `/v1/actions/${id}/execution`);
      assert.deepEqual(
        [claimed.status, claimed.body.code, claimed.body.action],
        [503, 'audit_unavailable', undefined],
      );
      assert.match(claimed.body.detail, /holds no entry that gave this grant/);
    } finally {
      await gate.stop();
    }
  });
