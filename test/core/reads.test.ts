/** Who reads what, for every role; the rules are pure, so is the test. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Directory } from '../../src/core/directory.ts';
import { asAgentId, asGroupId, asPersonId } from '../../src/core/ids.ts';
import {
  agentsFor,
  mayGlance,
  mayReadAgent,
  mayReadGate,
  mayReadLog,
  mayReadPolicies,
  peopleFor,
} from '../../src/core/reads.ts';

const [oper, audi, owner] = [asPersonId('oper'), asPersonId('audi'), asPersonId('owner')];
const [approver, nobody, gone] = [asPersonId('approver'), asPersonId('nobody'), asPersonId('gone')];
const person = (id: typeof oper, ...groups: string[]) => ({ id, name: id, groups: groups.map(asGroupId) });
const [bot, other] = [asAgentId('bot'), asAgentId('other')];
const directory: Directory = {
  people: [
    person(oper, 'ops'),
    person(audi, 'audit'),
    person(owner),
    person(approver, 'data-owners'),
    person(nobody),
  ],
  agents: [
    // One who has left the directory still stands as an owner: a name there proves nothing.
    { id: bot, owners: [owner, gone], groups: [] },
    { id: other, owners: [oper], groups: [] },
  ],
  roles: { operators: asGroupId('ops'), auditors: asGroupId('audit') },
};
const everybody = [oper, audi, owner, approver, nobody, gone];
const who = (may: (one: typeof oper) => boolean) => everybody.filter(may);

test('the log is for auditors, the gate for operators and auditors, the policies for everybody here', () => {
  assert.deepEqual(
    who((one) => mayReadLog(directory, one)),
    [audi],
  );
  assert.deepEqual(
    who((one) => mayReadGate(directory, one)),
    [oper, audi],
  );
  assert.deepEqual(
    who((one) => mayReadPolicies(directory, one)),
    [oper, audi, owner, approver, nobody],
  );
});

test('an agent is read by its owners, operators and auditors', () => {
  assert.deepEqual(
    who((one) => mayReadAgent(directory, one, bot)),
    [oper, audi, owner],
  );
  assert.deepEqual(
    who((one) => mayReadAgent(directory, one, other)),
    [oper, audi],
  );
  assert.deepEqual(
    agentsFor(directory, owner).map((one) => one.id),
    [bot],
  );
  assert.deepEqual(agentsFor(directory, approver), []);
  assert.equal(agentsFor(directory, audi).length, 2);
});

test('people: oneself, or all for operators and auditors', () => {
  assert.deepEqual(
    peopleFor(directory, nobody).map((one) => one.id),
    [nobody],
  );
  assert.deepEqual(peopleFor(directory, gone), []);
  assert.equal(peopleFor(directory, oper).length, 5);
});

test('a list names an action to those who read its agent, and to those whom it asks', () => {
  const asks = [{ approvers: asGroupId('data-owners'), escalate: null }];
  const escalates = [
    { approvers: asGroupId('x'), escalate: { afterMs: 1, group: asGroupId('data-owners') } },
  ];
  assert.deepEqual(
    who((one) => mayGlance(directory, one, { agent: bot, requirements: [] })),
    [oper, audi, owner],
  );
  for (const requirements of [asks, escalates])
    assert.deepEqual(
      who((one) => mayGlance(directory, one, { agent: bot, requirements })),
      [oper, audi, owner, approver],
    );
});
