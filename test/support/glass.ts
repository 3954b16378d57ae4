/** A gate with people of every kind around break-glass, for the tests of it. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Clock } from '../../src/ports/clock.ts';
import { operations, policies, startTestGate, type Answer, type TestGate } from './gate.ts';

/** Sam owns the agent; rosa, mia and lee may open it; oz operates; ada audits; tom is nobody in particular. */
export const people = `
people:
  - { id: sam, name: Sam Lee, groups: [data-owners, admins] }
  - { id: rosa, name: Rosa Diaz, groups: [data-owners, admins] }
  - { id: mia, name: Mia Chen, groups: [admins] }
  - { id: lee, name: Lee Park, groups: [admins] }
  - { id: oz, name: Oz Tal, groups: [platform] }
  - { id: ada, name: Ada Berg, groups: [audit] }
  - { id: tom, name: Tom Fox, groups: [] }
agents:
  - { id: crm-bot, owners: [sam] }
  - { id: other-bot, owners: [rosa] }
roles: { operators: platform, auditors: audit }
`;
export const two = `
people:
  - { id: sam, name: Sam Lee, groups: [data-owners, admins] }
  - { id: rosa, name: Rosa Diaz, groups: [data-owners, admins] }
agents:
  - { id: crm-bot, owners: [sam] }
`;
export const one = `
people:
  - { id: sam, name: Sam Lee, groups: [data-owners, admins] }
agents:
  - { id: crm-bot, owners: [sam] }
`;
const gift = `  shop___gift:\n    input: { type: object, properties: { cents: { type: integer } } }\n`;
const giftPolicy = `
@id("gift") @title("Gifts need a data owner") @approvers("data-owners")
forbid (principal, action == Action::"shop___gift", resource);
`;

export interface Scene {
  readonly gate: TestGate;
  readonly clock: { aheadMs: number };
  /** What the terminal was told. */
  readonly said: readonly string[];
  /** A call as a person or an agent of that name. */
  as(who: string, method: string, path: string, body?: unknown): Promise<Answer>;
  ask(cents: number, more?: object): Promise<Answer>;
  /** Asks for break-glass. */
  glass(who: string, more?: object): Promise<Answer>;
  decide(who: string, approval: Answer, decision?: string): Promise<Answer>;
  /** Asked by rosa, approved by mia and lee: open. Answers its id. */
  open(minutes?: number): Promise<string>;
  entries(
    type?: string,
  ): Promise<
    readonly { readonly type: string; readonly by: object; readonly data: Record<string, unknown> }[]
  >;
}

export async function scene(t: TestContext, config = people): Promise<Scene> {
  const clock = { aheadMs: 0 };
  const said: string[] = [];
  const ahead: Clock = { nowMs: () => Date.now() + clock.aheadMs };
  const gate = await startTestGate({
    config: config + operations + gift,
    policies: policies + giftPolicy,
    clock: ahead,
    say: (line) => said.push(line),
  });
  t.after(() => gate.stop());
  const tokens = new Map<string, string>();
  const as: Scene['as'] = async (who, method, path, body) => {
    const kind = who.endsWith('-bot') ? 'agent' : 'person';
    const token = tokens.get(who) ?? (await gate.token(kind, who));
    tokens.set(who, token);
    return gate.call(token, method, path, body);
  };
  const glass: Scene['glass'] = (who, more = {}) =>
    as(who, 'POST', '/v1/break-glass', {
      agent: 'crm-bot',
      operation: 'shop___refund',
      minutes: 30,
      reason: 'The payment provider charged everybody twice.',
      ...more,
    });
  const decide: Scene['decide'] = (who, approval, decision = 'approve') =>
    as(who, 'POST', `/v1/approvals/${approval.body.id}/reviews`, { decision, digest: approval.body.digest });
  const list = async (): Promise<readonly { readonly id: string }[]> =>
    (await as('ada', 'GET', '/v1/break-glass')).body.items;
  return {
    gate,
    clock,
    said,
    as,
    glass,
    decide,
    ask: (cents, more = {}) =>
      as('crm-bot', 'POST', '/v1/actions', { operation: 'shop___refund', input: { cents }, ...more }),
    async open(minutes = 30) {
      const asked = await glass('rosa', { minutes });
      assert.equal(asked.status, 202, JSON.stringify(asked.body));
      for (const who of ['mia', 'lee']) assert.equal((await decide(who, asked)).status, 201);
      return (await list())[0]?.id ?? '';
    },
    async entries(type) {
      const all = (await gate.gate().parts.store.entries(-1, 1000)).map((each) => each.entry);
      return type === undefined ? all : all.filter((each) => each.type === type);
    },
  };
}

/** Status and code of what was refused. */
export const refusal = ({ status, body }: Answer): readonly unknown[] => [status, body.code];
