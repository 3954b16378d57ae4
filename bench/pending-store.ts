/**
 * Stores with many pending approvals and a long log, made with the store's own commands in batches: one that grows, copied at each
 * number of pendings. Two agents: one whose actions wait there, and one that asks while the clock runs.
 */
import { cpSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { AcceptCommand } from '../src/core/command-config.ts';
import type { AskCommand, Command } from '../src/core/command.ts';
import type { Directory } from '../src/core/directory.ts';
import { aboutNothing, type EntryDraft } from '../src/core/entry.ts';
import { asAgentId, asDigest, asGroupId, asPersonId } from '../src/core/ids.ts';
import type { JsonValue } from '../src/core/json.ts';
import { sha256Hex } from '../src/core/sha256.ts';
import { newLink } from '../src/identity/sessions.ts';
import { newToken } from '../src/identity/tokens.ts';
import type { Store } from '../src/ports/store.ts';
import { openSqlite } from '../src/store/sqlite.ts';
import { ask, directory as people } from './commands.ts';
import { timed } from './measurement.ts';

/** Commands on their way at once: what the store takes into one flush. */
const callers = 256;
/** Entries of one command that only records. */
const perRecord = 100;
/** Each opening leaves so many. */
const entriesPerPending = 2;
/** Every so many-th waits for Mia alone, so that the fullest inbox has room below the highest limit that can be configured. */
const notForRosa = 50;

const random = { bytes: (count: number) => Uint8Array.from(randomBytes(count)) };

export const directory: Directory = {
  ...people,
  agents: [
    ...people.agents,
    { id: asAgentId('probe-bot'), owners: [asPersonId('sam')], groups: [asGroupId('support-agents')] },
  ],
};

const accept: AcceptCommand = {
  kind: 'accept',
  how: 'first',
  parts: [
    {
      what: 'directory',
      // A Directory is plain JSON.
      body: directory as unknown as JsonValue,
      digest: asDigest(`sha256:${sha256Hex(JSON.stringify(directory))}`),
    },
  ],
  by: { kind: 'operator' },
  expected: null,
};

/** A store with so many pending approvals, and what opens its gate. */
export interface Filled {
  readonly pending: number;
  readonly entries: number;
  /** The `data` folder of a gate. */
  readonly folder: string;
  readonly agentToken: string;
  /** Rosa's, who may decide all but a few of what waits. */
  readonly personToken: string;
  /** The token of a sign-in link for Rosa. */
  readonly link: string;
}

/** @param counts of pending approvals, rising; the last one's log has about `entries` entries. */
export async function fill(
  folder: string,
  counts: readonly number[],
  entries: number,
): Promise<readonly Filled[]> {
  const base = join(folder, 'pending-base');
  const agent = newToken(random, 'agent');
  const person = newToken(random, 'person');
  const link = newLink(random);
  const filled: Filled[] = [];
  let store = await openSqlite({ directory: base, channels: [] });
  for (const command of [
    accept,
    { kind: 'token', principal: { kind: 'agent', id: asAgentId('probe-bot') }, hash: agent.hash },
    { kind: 'token', principal: { kind: 'person', id: asPersonId('rosa') }, hash: person.hash },
    { kind: 'link', person: asPersonId('rosa'), hash: link.hash, expiresAtMs: Date.now() + 43_200_000 },
  ] satisfies readonly Command[]) {
    await must(store, command);
  }
  await record(store, entries - (counts.at(-1) ?? 0) * entriesPerPending);
  let before = 0;
  for (const pending of counts) {
    await open(store, pending - before, before);
    before = pending;
    const { size } = await store.head();
    // Closed, the file is all of it.
    await store.close();
    const copy = join(folder, `pending-${pending}`, 'data');
    cpSync(base, copy, { recursive: true });
    filled.push({
      pending,
      entries: size,
      folder: copy,
      agentToken: agent.token,
      personToken: person.token,
      link: link.token,
    });
    store = await openSqlite({ directory: base, channels: [] });
  }
  await store.close();
  return filled;
}

async function record(store: Store, entries: number): Promise<void> {
  const drafts = Array.from({ length: perRecord }, (_, at): EntryDraft => ({
    type: 'preview.read',
    by: { kind: 'gate' },
    about: aboutNothing,
    subject: null,
    data: { tool: 'count_rows', rows: at, note: 'An entry of ordinary size, as a gate writes many of.' },
  }));
  await timed(callers, Math.ceil(entries / perRecord), () =>
    must(store, { kind: 'record', entries: drafts }),
  );
}

async function open(store: Store, count: number, from: number): Promise<void> {
  const versions = await store.versions();
  await timed(callers, count, async (job) => {
    const command = ask('review', versions, store.joinKey());
    const alone = (from + job) % notForRosa === notForRosa - 1;
    await must(store, alone ? withoutRosa(command) : command);
  });
}

const withoutRosa = (command: AskCommand): AskCommand => ({
  ...command,
  mayApprove: command.mayApprove.map((row) => (row.person === 'rosa' ? { ...row, requirements: [] } : row)),
});

async function must(store: Store, command: Command): Promise<void> {
  const result = await store.change(command);
  if (!result.ok) throw new Error(`The store refused ${command.kind}: ${JSON.stringify(result.error)}`);
}
