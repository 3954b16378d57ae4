/**
 * A decision that takes three minutes, with the limits that the gate has by default, and with clients of the official SDKs as
 * they come: each gives up on one request after 60 s. Not part of `npm test`: it takes as long as it says.
 *
 * The client of 2026-07-28 makes one call and waits. The one of 2025-11-25 is told before its limit that the call waits for an
 * approval, and to call again with the same arguments; it does what it is told, and so joins the same approval.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernHttp,
} from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { asPersonId } from '../../src/core/ids.ts';
import { review } from '../../src/app/review.ts';
import { startModernServer, textOf, type ModernServer } from '../enforce/mcp/support/modern.ts';
import { eventually, people, startTestGate, type TestGate } from '../support/gate.ts';

const decisionMs = 180_000;
const policies = `
@id("all") @title("Agents may act") permit (principal, action, resource);
@id("write") @title("Needs a data owner") @approvers("data-owners") forbid (principal, action == Action::"up___write", resource);
`;

let server: ModernServer;
let gate: TestGate;
let token: string;
before(async () => {
  server = await startModernServer('stateless');
  gate = await startTestGate({
    policies,
    config: `${people}\nservers:\n  up: { url: "${server.upstream.url}" }\n`,
  });
  token = await gate.token('agent', 'crm-bot');
});
after(async () => {
  await gate.stop();
  await server.stop();
});

/** Approves the action with this text, three minutes after it was asked. */
async function decideLater(text: string): Promise<void> {
  const { parts } = gate.gate();
  const found = async () =>
    (await parts.store.held({ status: 'pending', limit: 10 })).find(
      (one) => one.asked.action.input['text'] === text,
    );
  await eventually(async () => (await found()) !== undefined, `an approval of ${text}`, 30_000);
  await new Promise((resolve) => setTimeout(resolve, decisionMs));
  const held = await found();
  assert.ok(held?.approval);
  const decided = await review(parts, { kind: 'person', id: asPersonId('rosa') }, held.approval.id, {
    decision: 'approve',
    digest: held.asked.digest,
    reason: null,
    unsafe: false,
    channel: 'web',
    shownWhole: true,
  });
  assert.ok(decided.ok, JSON.stringify(decided));
}

const address = (): URL => new URL(`${gate.gate().url}/mcp/up`);
const init = () => ({ requestInit: { headers: { authorization: `Bearer ${token}` } } });
const ran = (text: string): number => server.calls.filter((one) => one.args.text === text).length;

// Both wait at the same time.
describe('a decision that takes three minutes', { concurrency: true }, () => {
  test('2026-07-28: one call, with the client’s own limit of 60 s a request', async (t) => {
    const client = new ModernClient(
      { name: 'unmodified', version: '2' },
      { versionNegotiation: { mode: 'auto' } },
    );
    await client.connect(new ModernHttp(address(), init()));
    assert.equal(client.getProtocolEra(), 'modern');
    const startedMs = performance.now();
    const [result] = await Promise.all([
      client.callTool({ name: 'write', arguments: { text: 'modern' } }),
      decideLater('modern'),
    ]);
    t.diagnostic(`answered after ${Math.round((performance.now() - startedMs) / 1000)} s: ${textOf(result)}`);
    assert.notEqual(result.isError, true);
    assert.equal(ran('modern'), 1);
    await client.close();
  });

  test('2025-11-25: told to call again within its limit of 60 s, and joined', async (t) => {
    const client = new Client({ name: 'unmodified', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(address(), init()));
    const startedMs = performance.now();
    let calls = 0;
    const untilDecided = async () => {
      for (;;) {
        calls += 1;
        const result = await client.callTool({ name: 'write', arguments: { text: 'older' } });
        if (!textOf(result).includes('call again with the same arguments')) return result;
      }
    };
    const [result] = await Promise.all([untilDecided(), decideLater('older')]);
    t.diagnostic(
      `answered after ${Math.round((performance.now() - startedMs) / 1000)} s and ${calls} calls: ${textOf(result)}`,
    );
    assert.notEqual(result.isError, true);
    assert.equal(ran('older'), 1);
    await client.close();
  });
});
