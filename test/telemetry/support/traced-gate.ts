/** A whole gate that sends its traces to a collector of ours, with a real MCP server behind it; and a person at a browser. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { asPersonId } from '../../../src/core/ids.ts';
import { newLink } from '../../../src/identity/sessions.ts';
import { systemRandom } from '../../../src/main.ts';
import { root } from '../../support/source.ts';
import { people, startTestGate, type TestGate } from '../../support/gate.ts';
import { startCollector, type Collector, type SeenSpan } from './collector.ts';

const policies = `
@id("all") permit (principal, action, resource);
@id("writes") @title("A write needs a data owner") @approvers("data-owners")
forbid (principal, action == Action::"fix___write", resource);
`;

export interface TracedGate {
  readonly gate: TestGate;
  readonly collector: Collector;
  /** Everything that an operator read. */
  readonly said: string[];
  /** What reached the upstream, a JSON text a line. */
  upstream(): string;
  /** A client of MCP. */
  client(token: string): Promise<Client>;
  /** Hands over what is left by stopping the gate, and answers all spans. */
  ended(): Promise<readonly SeenSpan[]>;
}

export async function startTraced(
  t: TestContext,
  more: {
    readonly traces?: string;
    readonly config?: string;
    readonly policies?: string;
    readonly servers?: string;
  } = {},
): Promise<TracedGate> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-traced-'));
  const log = join(folder, 'log');
  const collector = await startCollector();
  const said: string[] = [];
  const command = JSON.stringify([process.execPath, join(root, 'test/enforce/mcp/support/fixture.ts')]);
  const gate = await startTestGate({
    config: `${people}
servers:
  fix: { command: ${command}, env: { FIXTURE_LOG: ${JSON.stringify(log)} } }
${more.servers ?? ''}
telemetry: { traces: { url: "${collector.url}"${more.traces ?? ''} } }
${more.config ?? ''}`,
    policies: more.policies ?? policies,
    say: (line) => said.push(line),
  });
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (!stopped) await gate.stop();
    stopped = true;
  };
  t.after(async () => {
    await stop();
    await collector.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    gate,
    collector,
    said,
    upstream: () => readFileSync(log, 'utf8'),
    async client(token) {
      const client = new Client({ name: 'test', version: '1' });
      const url = new URL(`${gate.gate().url}/mcp/fix`);
      const requestInit = { headers: { authorization: `Bearer ${token}` } };
      await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
      t.after(() => client.close().catch(() => undefined));
      return client;
    },
    async ended() {
      await stop();
      return collector.spans;
    },
  };
}

/** Somebody opens the page of an approval in a browser and presses Approve there. */
export async function approveOnTheWeb(gate: TestGate, person: string, approval: string): Promise<void> {
  const { url, origin, parts } = gate.gate();
  const { token, hash } = newLink(systemRandom);
  const expiresAtMs = parts.clock.nowMs() + 3_600_000;
  assert.ok((await parts.store.change({ kind: 'link', person: asPersonId(person), hash, expiresAtMs })).ok);
  const headers = {
    origin,
    'sec-fetch-site': 'same-origin',
    'content-type': 'application/x-www-form-urlencoded',
  };
  const post = (path: string, fields: Record<string, string>, cookie = ''): Promise<Response> =>
    fetch(url + path, {
      method: 'POST',
      redirect: 'manual',
      headers: { ...headers, cookie },
      body: new URLSearchParams(fields).toString(),
    });
  const signedIn = await post('/sign-in', { token });
  const cookie = /^[^;]+/.exec(signedIn.headers.get('set-cookie') ?? '')?.[0] ?? '';
  const page = await fetch(`${url}/approvals/${approval}`, { headers: { cookie } }).then((read) =>
    read.text(),
  );
  const form =
    page.match(/<form[^>]*\/review"[\s\S]*?<\/form>/g)?.find((one) => one.includes('value="approve"')) ?? '';
  assert.notEqual(form, '', 'the page offers no form that approves');
  const hidden = [...form.matchAll(/<(?:input|button)[^>]*>/g)].flatMap(([tag]) => {
    const [name, value] = [/ name="([^"]*)"/.exec(tag)?.[1], / value="([^"]*)"/.exec(tag)?.[1]];
    return name === undefined || value === undefined || / type="checkbox"/.test(tag) ? [] : [[name, value]];
  });
  const done = await post(`/approvals/${approval}/review`, Object.fromEntries(hidden), cookie);
  assert.ok(done.status < 400, `${done.status} ${await done.text()}`);
}
