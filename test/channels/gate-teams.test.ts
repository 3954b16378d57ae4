/** Teams as a part of a whole gate, held to what every channel keeps. Its connector is a server of the tests' own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApprovalId } from '../../src/core/ids.ts';
import { chatBench, startChatGate } from '../support/chat.ts';
import { eventually } from '../support/gate.ts';
import { gateContract } from './contract-gate.ts';
import { teamsGateRig } from './teams/support/gate-rig.ts';
import { channel, tenant, type Message } from './teams/support/platform.ts';
import { isOpen, pressOf, requestOf, textIn } from './teams/support/rig.ts';

gateContract('teams', teamsGateRig);

test('from the agent’s question to a press in Teams and back: the card is changed for all, the owner is told', async () => {
  const rig = await teamsGateRig();
  const { platform } = rig;
  const gate = await startChatGate(rig.adapt === undefined ? {} : { adapt: rig.adapt });
  try {
    const bench = chatBench(gate, 'teams');
    for (const name of ['rosa', 'sam']) {
      const subject = platform.person(name).aadObjectId;
      await bench.link(name, { kind: 'teams', issuer: tenant, subject, display: name });
    }
    const cards = (): readonly Message[] =>
      platform.messages.filter((one) => one.conversation === channel && one.thread === null);
    const { store } = gate.gate().parts;
    const asked = async (): Promise<readonly [ApprovalId, Message]> => {
      const approval = await bench.ask();
      const isOne = (one: Message): boolean => JSON.stringify(one.activity).includes(approval);
      await eventually(() => cards().some(isOne), 'it is posted');
      // Known as posted once its row says where; a person is not as fast as this test.
      await eventually(
        async () => (await store.postsOf(approval, 'teams'))[0]?.state === 'posted',
        'it is written down',
      );
      const card = cards().find(isOne);
      assert.ok(card !== undefined && isOpen(card));
      return [approval, card];
    };
    const press = async (card: Message, name: string, verb: 'approve' | 'deny'): Promise<string> => {
      const activity = pressOf({ platform, card, name, verb });
      const request = requestOf(gate.gate().url, activity, `Bearer ${await platform.token()}`);
      const response = await fetch(request);
      assert.equal(response.status, 200);
      // An invoke is answered with an object.
      return String(((await response.json()) as Record<string, unknown>)['value']);
    };
    const [approval, card] = await asked();
    assert.match(await press(card, 'sam', 'approve'), /own/i);
    assert.match(await press(card, 'rosa', 'approve'), /approved/i);
    assert.equal((await bench.held(approval)).reviews[0]?.channel, 'teams');
    await eventually(() => !isOpen(card) && /Approved/.test(textIn(card)), 'the card says so');
    await eventually(() => platform.messages.some((one) => one.thread === card.id), 'it is said under it');

    const [, other] = await asked();
    assert.match(await press(other, 'rosa', 'deny'), /denied/i);
    await eventually(() => !isOpen(other) && /Denied/.test(textIn(other)), 'the card says so');
    const theirs = (): readonly Message[] => platform.messages.filter((one) => one.conversation === 'a:sam');
    await eventually(() => theirs().length === 1, 'the owner is told alone');
    assert.match(theirs().map(textIn).join(), /denied/i);
    assert.equal(cards().length, 2, 'no card twice');
  } finally {
    await gate.stop();
    await rig.end();
  }
});
