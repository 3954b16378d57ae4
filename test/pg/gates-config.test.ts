/** Files of several gates: who proposes, and that nobody takes back what was accepted since. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, operations, people, policies, type TestGate } from '../support/gate.ts';
import { onDatabase, type Gates } from './support/gates.ts';

/** What the policies say of a refund, asked at this gate. */
async function verdict(gate: TestGate, agent: string, cents: number): Promise<string> {
  const answer = await gate.call(agent, 'POST', '/v1/actions', {
    operation: 'shop___refund',
    input: { cents },
    session: `s${Math.random()}`,
  });
  return answer.body.verdict?.effect ?? answer.body.verdict ?? answer.body.code;
}

const older = (gate: TestGate): boolean => gate.gate().parts.world.config().olderSinceMs !== undefined;

/** Anything goes: looser than what is in force. */
const loose = `@id("all") @title("Agents may act") permit (principal, action, resource);`;
const strict = `${policies}
@id("refund.closed") @title("The shop is closed") forbid (principal, action == Action::"shop___refund", resource);`;

const writePolicies = (gate: TestGate, text: string): Promise<void> =>
  writeFile(join(gate.folder, 'policies', 'test.cedar'), text);

/** Two gates that read the same, where `a` accepted a looser set at the machine, as people would have; `b` has the files of before. */
async function loosened(gates: Gates): Promise<{ a: TestGate; b: TestGate; agent: string; said: string[] }> {
  const said: string[] = [];
  const a = await gates.start();
  const b = await gates.start({ say: (line) => void said.push(line) });
  const agent = await a.token('agent', 'crm-bot');
  assert.equal(await verdict(b, agent, 500), 'review');
  await a.setPolicies(loose);
  assert.equal(await verdict(a, agent, 500), 'allow');
  await eventually(
    async () => (await verdict(b, agent, 501)) === 'allow',
    'it is in force on the other gate',
  );
  return { a, b, agent, said };
}

test('what one gate accepted is in force on another whose files say otherwise, and stays so', () =>
  onDatabase(async (gates) => {
    const { a, b, agent, said } = await loosened(gates);
    await eventually(() => older(b), 'it knows that its files are older');
    assert.equal(said.filter((line) => line.startsWith('The files of this gate are older')).length, 1);
    // Longer than a gate takes to look at what it reads.
    await new Promise((resolve) => setTimeout(resolve, 5000));
    assert.deepEqual([await verdict(a, agent, 502), await verdict(b, agent, 503)], ['allow', 'allow']);
    assert.equal(older(a), false);
  }));

test('attack: an old gate is started again to take back what was accepted since', () =>
  onDatabase(async (gates) => {
    const { a, b, agent, said } = await loosened(gates);
    await b.restart();
    assert.ok(older(b), 'it is told that its files are older');
    assert.deepEqual([await verdict(a, agent, 504), await verdict(b, agent, 505)], ['allow', 'allow']);
    const third = await gates.start();
    assert.deepEqual([await verdict(a, agent, 506), await verdict(third, agent, 507)], ['allow', 'allow']);
    // Its files, read again as they are, are no news either.
    await writePolicies(b, policies);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    assert.equal(await verdict(a, agent, 508), 'allow');
    assert.ok(said.some((line) => line.startsWith('The files of this gate are older')));
    // What they say anew is.
    await writePolicies(b, strict);
    await eventually(async () => (await verdict(a, agent, 509)) === 'deny', 'what is new is proposed');
    await eventually(() => older(a) && !older(b), 'and now the other is the older');
  }));

test('a gate that is alone reads what it is given: it is stopped, and started with other files', () =>
  onDatabase(async (gates) => {
    const { a, b, agent } = await loosened(gates);
    await a.stop();
    await b.restart();
    assert.equal(older(b), false);
    assert.equal(await verdict(b, agent, 510), 'review');
  }));

test('a rolling deploy: new gates bring new files, and what they loosen waits for people, whatever old gates do', () =>
  onDatabase(async (gates) => {
    // Enough people who may accept changes.
    const config = gates.config.replaceAll('groups: [data-owners', 'groups: [admins, data-owners');
    const [a, b] = [await gates.start({ config }), await gates.start({ config })];
    const agent = await a.token('agent', 'crm-bot');
    const c = await gates.start({ config, policies: loose });
    assert.equal(await verdict(c, agent, 500), 'review', 'people have not accepted it');
    await eventually(async () => (await c.gate().parts.store.newestChange()) !== undefined, 'they are asked');
    await b.restart();
    await a.stop();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const held = await c.gate().parts.store.newestChange();
    assert.ok(held !== undefined && held.ending === null, 'nobody withdrew the question');
    const d = await gates.start({ config, policies: loose });
    assert.deepEqual([older(b), older(c), older(d)], [true, false, false]);
    assert.equal((await d.gate().parts.store.newestChange())?.asked.id, held.asked.id, 'it is asked once');
  }));

test('two gates that start at once on an empty database accept one configuration, once', () =>
  onDatabase(async (gates) => {
    const [a, b, c] = await Promise.all([gates.start(), gates.start(), gates.start()]);
    const agent = await a.token('agent', 'crm-bot');
    for (const [n, gate] of [a, b, c].entries()) assert.equal(await verdict(gate, agent, 600 + n), 'review');
    const types = (await a.gate().parts.store.entries(-1, 1000)).map(({ entry }) => entry.type);
    assert.equal(types.filter((type) => type === 'gate.started').length, 3);
    assert.equal(types.filter((type) => type === 'policies.accepted').length, 1);
    assert.ok(people.length > 0 && operations.length > 0);
  }));
