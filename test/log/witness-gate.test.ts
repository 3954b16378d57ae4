/** A gate with a witness in its configuration: the pages say "witnessed", and receipts carry the cosignature. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readNote, verifierOf, verifyNote } from '../../src/log/note.ts';
import { eventually, operations, people, startTestGate } from '../support/gate.ts';
import { startWitness } from '../support/witness.ts';

test('a gate is tamper-detecting until its witness has cosigned; then receipts carry that', async () => {
  const witness = await startWitness();
  const config = `${people}${operations}
log:
  origin: audit.example.com
  witnesses: [{ key: "${witness.vkey}", url: "${witness.url}" }]
`;
  const gate = await startTestGate({ config });
  try {
    const { transparency } = gate.gate().parts;
    assert.ok(transparency);
    assert.equal((await transparency.standing()).tier, 'tamper-detecting', 'it knows no such log yet');
    const [vkey] = await transparency.verifierKeys();
    assert.ok(vkey?.startsWith('audit.example.com+') === true);
    witness.add(vkey);
    await eventually(
      async () => (await transparency.standing()).tier === 'witnessed',
      'it is cosigned',
      60_000,
    );

    const agent = await gate.token('agent', 'crm-bot');
    const denied = await gate.call(agent, 'POST', '/v1/actions', {
      operation: 'shop___refund',
      input: { cents: 200_000 },
    });
    assert.equal(denied.status, 403);
    const ada = await gate.token('person', 'ada');
    const { items } = (await gate.call(ada, 'GET', '/v1/log?limit=1000')).body;
    const asked = items.find((one: { type: string }) => one.type === 'action.asked');
    const key = verifierOf(witness.vkey);
    assert.ok(key);
    await eventually(async () => {
      const receipt = await transparency.receipt(asked.index);
      if (!receipt.ok) return false;
      const { inclusionProof } = (
        JSON.parse(receipt.value.bundle) as {
          verificationMaterial: { tlogEntries: [{ inclusionProof: { checkpoint: { envelope: string } } }] };
        }
      ).verificationMaterial.tlogEntries[0];
      const note = readNote(inclusionProof.checkpoint.envelope);
      assert.ok(note);
      return verifyNote(note, [key])?.length === 1;
    }, 'the receipt carries the cosignature');
  } finally {
    await gate.stop();
    await witness.close();
  }
});
