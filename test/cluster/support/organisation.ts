/** Who is there and what is asked of them: the configuration that all gates of a run have. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publicUrl } from './http.ts';

/** Everybody who may approve; the first two own agents. */
export const approvers = ['ann', 'bob', 'cat', 'dan', 'eve'] as const;
export const auditor = 'ada';
export const people: readonly string[] = [...approvers, auditor];

export type Person = (typeof approvers)[number];

/** Agents, and who owns them: nobody approves what their own agent asks. */
export const owners: Readonly<Record<string, Person>> = { 'bot-a': 'ann', 'bot-b': 'bob', 'bot-c': 'ann' };
export const agents = Object.keys(owners);

/** How many people an operation wants; null: nobody may do it. */
export const quorums: Readonly<Record<string, number | null>> = {
  open: 0,
  one: 1,
  two: 2,
  brief: 1,
  never: null,
};

/** How long people have for a `brief` one. */
export const briefMs = 3000;

export const logOrigin = 'log.example.test';

const policies = `
@id("all") @title("Agents may act") permit (principal, action, resource);
@id("one") @title("One person") @approvers("approvers")
forbid (principal, action in [Action::"ops___one", Action::"work___one"], resource);
@id("two") @title("Two people") @approvers("approvers") @quorum("2")
forbid (principal, action in [Action::"ops___two", Action::"work___two"], resource);
@id("brief") @title("One person, at once") @approvers("approvers") @ttl("PT${briefMs / 1000}S")
forbid (principal, action == Action::"ops___brief", resource);
@id("never") @title("Nobody does this")
forbid (principal, action == Action::"ops___never", resource);
`;

const operation = (name: string): string => `
  ops___${name}:
    input: { type: object, additionalProperties: false, required: [n], properties: { n: { type: integer } } }
    profile: { verb: Do, effect: write, reversible: false }`;

const configOf = (upstreamPort: number): string => `
listen: 127.0.0.1:0
url: ${publicUrl}
database: { fromEnv: DATABASE_URL }
policies: ./policies
roles: { operators: platform, auditors: audit }
limits: { hold: PT5S, holdProgress: PT10S, pendingPerAgent: 100000, inbox: 100000, creationsPerMinute: 100000, unsafe: 1000 }
log:
  origin: ${logOrigin}
  keys: { log: { fromFile: ./log.pem }, receipt: { fromFile: ./receipt.pem } }
people:
${people.map((id) => `  - { id: ${id}, name: ${id}, groups: [${id === auditor ? 'audit, platform' : 'approvers'}] }`).join('\n')}
agents:
${agents.map((id) => `  - { id: ${id}, owners: [${owners[id] ?? ''}] }`).join('\n')}
operations:${Object.keys(quorums).map(operation).join('')}
servers:
  work: { url: "http://127.0.0.1:${upstreamPort}/mcp" }
`;

/** Writes the files of the configuration; answers the path of the main one. */
export function writeConfig(folder: string, upstreamPort: number): string {
  mkdirSync(join(folder, 'policies'), { recursive: true });
  writeFileSync(join(folder, 'policies', 'all.cedar'), policies);
  const pem = { type: 'pkcs8', format: 'pem' } as const;
  const log = generateKeyPairSync('ed25519').privateKey.export(pem);
  const receipt = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export(pem);
  writeFileSync(join(folder, 'log.pem'), log, { mode: 0o600 });
  writeFileSync(join(folder, 'receipt.pem'), receipt, { mode: 0o600 });
  const file = join(folder, 'countersign.yaml');
  writeFileSync(file, configOf(upstreamPort));
  return file;
}
