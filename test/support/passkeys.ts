/** A gate whose policies ask for passkeys, and people with authenticators in software, for tests from outside. */
import assert from 'node:assert/strict';
import type { Assertion } from '../../src/ports/passkeys.ts';
import { asCredential, Authenticator, type Lies } from './authenticator.ts';
import { operations, startTestGate, type Answer, type TestGate } from './gate.ts';

/** Sam owns the agent and administers; Rosa and Mia approve; Lee administers and approves nothing. */
export const signers = `
people:
  - { id: sam, name: Sam Lee, groups: [data-owners, admins] }
  - { id: rosa, name: Rosa Diaz, groups: [data-owners] }
  - { id: mia, name: Mia Chen, groups: [data-owners] }
  - { id: lee, name: Lee Park, groups: [admins] }
  - { id: ada, name: Ada Berg, groups: [audit] }
agents:
  - { id: crm-bot, owners: [sam], groups: [] }
roles: { operators: platform, auditors: audit }
limits: { pendingPerAgent: 1000, inbox: 1000, creationsPerMinute: 1000 }
`;

/** Refunds above 100 cents need a data owner's passkey; of gifts any word will do. */
export const signedPolicies = `
@id("all") @title("Agents may act") permit (principal, action, resource);
@id("refund.large") @title("Large refunds need a data owner") @approvers("data-owners") @step_up("passkey")
forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents > 100 };
`;

export interface SigningGate extends TestGate {
  /** Moves the gate's clock. */
  later(ms: number): void;
  readonly origin: string;
  readonly tokens: Readonly<Record<'sam' | 'rosa' | 'mia' | 'lee' | 'ada' | 'bot', string>>;
  /** Asks for something that wants a passkey; answers the approval as its API shows it. */
  ask(cents: number): Promise<Answer['body']>;
  /** Enrols a passkey for somebody, who is granted it by an administrator. */
  enrol(person: 'sam' | 'rosa' | 'mia', by?: 'sam' | 'lee'): Promise<Authenticator>;
  /** The raw answer of enrolling, with whatever a test wants to lie about. */
  tryEnrol(
    person: 'sam' | 'rosa' | 'mia',
    key: Authenticator,
    more: { readonly grant?: string; readonly voucher?: Authenticator; readonly lies?: Lies },
  ): Promise<Answer>;
  grant(by: 'sam' | 'lee' | 'rosa', person: string): Promise<Answer>;
  /** What the gate asks somebody to sign. */
  asked(person: string, approval: string, decision?: 'approve' | 'deny'): Promise<Answer['body']>;
  review(
    person: string,
    approval: { readonly id: string; readonly digest: string },
    proof: Assertion | null,
    more?: object,
  ): Promise<Answer>;
}

export async function startSigningGate(policies = signedPolicies): Promise<SigningGate> {
  let offset = 0;
  const gate = await startTestGate({
    config: signers + operations,
    policies,
    clock: { nowMs: () => Date.now() + offset },
  });
  const person = (id: string): Promise<string> => gate.token('person', id);
  const tokens = {
    sam: await person('sam'),
    rosa: await person('rosa'),
    mia: await person('mia'),
    lee: await person('lee'),
    ada: await person('ada'),
    bot: await gate.token('agent', 'crm-bot'),
  };
  const { origin } = gate.gate();
  const tokenOf = (id: string): string => {
    const found = Object.entries(tokens).find(([name]) => name === id);
    assert.ok(found, id);
    return found[1];
  };
  const grant: SigningGate['grant'] = (by, id) =>
    gate.call(tokens[by], 'POST', `/v1/people/${id}/enrolments`);
  const tryEnrol: SigningGate['tryEnrol'] = async (id, key, { grant: granted, voucher, lies }) => {
    const options = await gate.call(tokens[id], 'POST', '/v1/passkeys/options');
    assert.equal(options.status, 200, JSON.stringify(options.body));
    return gate.call(tokens[id], 'POST', '/v1/passkeys', {
      name: `${id}’s key`,
      challenge: options.body.create,
      credential: asCredential(key.register(options.body.create, lies)),
      ...(granted === undefined ? {} : { grant: granted }),
      ...(voucher === undefined ? {} : { vouch: asCredential(voucher.sign(options.body.vouch.challenge)) }),
    });
  };
  return {
    ...gate,
    origin,
    tokens,
    later: (ms) => void (offset += ms),
    async ask(cents) {
      const made = await gate.call(tokens.bot, 'POST', '/v1/actions', {
        operation: 'shop___refund',
        input: { cents },
      });
      assert.equal(made.status, 202, JSON.stringify(made.body));
      return (await gate.call(tokens.rosa, 'GET', `/v1/approvals/${made.body.approval.id}`)).body;
    },
    grant,
    tryEnrol,
    async enrol(id, by = 'lee') {
      const key = new Authenticator(origin);
      const granted = await grant(by, id);
      assert.equal(granted.status, 201, JSON.stringify(granted.body));
      const enrolled = await tryEnrol(id, key, { grant: granted.body.token });
      assert.equal(enrolled.status, 201, JSON.stringify(enrolled.body));
      return key;
    },
    async asked(id, approval, decision = 'approve') {
      const answer = await gate.call(tokenOf(id), 'POST', `/v1/approvals/${approval}/signing`, { decision });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return answer.body;
    },
    review: (id, approval, proof, more = {}) =>
      gate.call(tokenOf(id), 'POST', `/v1/approvals/${approval.id}/reviews`, {
        decision: 'approve',
        digest: approval.digest,
        ...(proof === null ? {} : { proof: asCredential(proof) }),
        ...more,
      }),
  };
}
