/** A whole gate in a folder of its own, for tests from outside: real store, real Cedar, real HTTP on a free loopback port. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSettings, readSettings, type Settings } from '../../src/config.ts';
import { readPolicies } from '../../src/config/policies.ts';
import { asAgentId, asPersonId } from '../../src/core/ids.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { newToken } from '../../src/identity/tokens.ts';
import { acceptOutright } from './accept.ts';
import { startGate, systemRandom, type GateHooks, type RunningGate } from '../../src/main.ts';

export const people = `
people:
  - { id: sam, name: Sam Lee, groups: [data-owners, platform] }
  - { id: rosa, name: Rosa Diaz, groups: [data-owners] }
  - { id: mia, name: Mia Chen, groups: [data-owners, security] }
  - { id: lee, name: Lee Park, groups: [security] }
  - { id: ada, name: Ada Berg, groups: [audit] }
agents:
  - { id: crm-bot, owners: [sam], groups: [support-agents] }
  - { id: other-bot, owners: [rosa] }
roles: { operators: platform, auditors: audit }
`;

export const operations = `
operations:
  shop___refund:
    input: { type: object, additionalProperties: false, properties: { cents: { type: integer }, note: { type: string } }, required: [cents] }
    profile: { verb: Refund, effect: write, reversible: false }
`;

/** Refunds above 100 cents need a data owner, above 100,000 nobody may; two people above 10,000. */
export const policies = `
@id("all") @title("Agents may act") permit (principal, action, resource);
@id("refund.large") @title("Large refunds need a data owner") @approvers("data-owners")
forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents > 100 };
@id("refund.huge") @title("Huge refunds need two data owners") @approvers("data-owners") @quorum("2")
forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents > 10000 };
@id("refund.never") @title("Nobody refunds this much")
forbid (principal, action == Action::"shop___refund", resource) when { context.input.cents > 100000 };
`;

export interface Answer {
  readonly status: number;
  // What a test reads of an answer is checked by what it asserts.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

export interface TestGate {
  readonly folder: string;
  /** The gate as it runs now; another after `restart`. */
  gate(): RunningGate;
  /** One call of the API as somebody; `null`: as nobody. */
  call(
    token: string | null,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  token(kind: 'agent' | 'person', id: string): Promise<string>;
  /** Accepts what the files say, as whoever has the machine does (`config accept`): for tests that are about something else. */
  acceptConfig(): Promise<void>;
  /** Replaces the policies, accepts them at the machine, and waits until they are in force, or until everything is denied because of them. */
  setPolicies(text: string): Promise<void>;
  setConfig(text: string): Promise<void>;
  /** With the configuration that it was started with; the file may say something else. */
  restart(): Promise<void>;
  /** As an operator does: with what the file says by now. */
  restartFromDisk(): Promise<void>;
  stop(): Promise<void>;
}

/** Waits until something holds; the one place where tests wait by looking again. Fails after `ms`. */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  what: string,
  ms = 15_000,
): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function startTestGate(
  options: {
    readonly config?: string;
    readonly policies?: string;
    readonly clock?: Clock;
    /** Changes what was read from the file: for what no file may say, such as a platform on loopback. */
    readonly adapt?: (settings: Settings) => Settings;
    /** Chats in the place of the real ones; the configuration names them still. */
    readonly platforms?: () => NonNullable<GateHooks['platforms']>;
    /** Told what an operator reads. */
    readonly say?: (line: string) => void;
  } = {},
): Promise<TestGate> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-test-'));
  const file = join(folder, 'countersign.yaml');
  await mkdir(join(folder, 'policies'));
  await writeFile(join(folder, 'policies', 'test.cedar'), options.policies ?? policies);
  const configText = options.config ?? people + operations;
  const write = (text: string): Promise<void> => writeFile(file, `listen: 127.0.0.1:0\n${text}`);
  await write(configText);
  const start = async (fromDisk = false): Promise<RunningGate> => {
    const settings = fromDisk
      ? await readSettings(file)
      : parseSettings(`listen: 127.0.0.1:0\n${configText}`, file);
    assert.ok(settings.ok, JSON.stringify(settings));
    return startGate(options.adapt?.(settings.value) ?? settings.value, {
      say: options.say ?? (() => undefined),
      ...(options.clock === undefined ? {} : { clock: options.clock }),
      ...(options.platforms === undefined ? {} : { platforms: options.platforms() }),
    });
  };
  let running = await start();
  const policySet = (): string =>
    `${running.parts.policy.versions().policySet} ${running.parts.policy.broken() ?? ''}`;
  const inForce = (): string =>
    JSON.stringify([
      running.parts.policy.versions(),
      running.parts.world.catalog.entries,
      running.parts.world.catalog.servers,
    ]) + policySet();
  const acceptConfig = async (): Promise<void> => {
    const read = await readSettings(file);
    if (!read.ok) return;
    const found = await readPolicies(read.value.policies);
    if (found.kind === 'texts') await acceptOutright(running.parts, read.value.proposal, found.texts);
  };
  return {
    folder,
    gate: () => running,
    async call(token, method, path, body, headers = {}) {
      const response = await fetch(running.url + path, {
        method,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text,
      };
    },
    async token(kind, id) {
      const made = newToken(systemRandom, kind);
      const principal =
        kind === 'agent' ? ({ kind, id: asAgentId(id) } as const) : ({ kind, id: asPersonId(id) } as const);
      const result = await running.parts.store.change({ kind: 'token', principal, hash: made.hash });
      assert.ok(result.ok);
      return made.token;
    },
    acceptConfig,
    async setPolicies(text) {
      const before = policySet();
      await writeFile(join(folder, 'policies', 'test.cedar'), text);
      await acceptConfig();
      await eventually(() => policySet() !== before, 'new policies in force');
    },
    async setConfig(text) {
      const before = inForce();
      await write(text);
      await acceptConfig();
      await eventually(() => inForce() !== before, 'a new configuration in force');
    },
    async restart() {
      await running.close();
      running = await start();
    },
    async restartFromDisk() {
      await running.close();
      running = await start(true);
    },
    async stop() {
      await running.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
