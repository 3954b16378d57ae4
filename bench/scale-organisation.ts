/** An organisation of some size: teams that decide, people in them, agents that they own, and an operation that each team looks after. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const teams = 40;
export const peopleEach = 10;
export const agents = 2000;

const two = (n: number): string => String(n).padStart(2, '0');
export const teamOf = (n: number): string => `team-${two(n)}`;
/** The n-th member of a team. */
export const personOf = (team: number, n: number): string => `person-${two(team)}-${two(n)}`;
export const agentOf = (n: number): string => `agent-${String(n).padStart(4, '0')}`;
export const operationOf = (team: number): string => `shop___refund_${two(team)}`;
/** In so many of the teams, so that theirs is the fullest inbox. */
export const headTeams = 8;
export const head = 'head';
/** Who approves nothing of what agents ask, and reads everything. */
export const auditor = 'auditor';

const all = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at);

/** Up to 100 cents an agent may, above it asks the team. Two weeks, so that nothing of it ends while it is measured. */
const policies = `
@id("all") @title("Agents may act") permit (principal, action, resource);
${all(teams)
  .map(
    (
      team,
    ) => `@id("large.${two(team)}") @title("Large refunds need ${teamOf(team)}") @approvers("${teamOf(team)}") @ttl("P14D")
forbid (principal, action == Action::"${operationOf(team)}", resource) when { context.input.cents > 100 };`,
  )
  .join('\n')}
`;

const input = {
  type: 'object',
  properties: {
    cents: { type: 'integer' },
    order: { type: 'string' },
    customer: { type: 'string' },
    note: { type: 'string' },
  },
  required: ['cents'],
};

const directory = {
  people: [
    ...all(teams).flatMap((team) =>
      all(peopleEach).map((n) => ({
        id: personOf(team, n),
        name: `Person ${n} of ${teamOf(team)}`,
        groups: [teamOf(team)],
      })),
    ),
    { id: head, name: 'Head of Many', groups: all(headTeams).map(teamOf) },
    { id: auditor, name: 'Ada Berg', groups: ['audit'] },
    { id: 'operator', name: 'Oz Tal', groups: ['platform'] },
  ],
  // Owned by somebody of another team than those that decide about it.
  agents: all(agents).map((n) => ({ id: agentOf(n), owners: ['operator'], groups: ['agents'] })),
  roles: { operators: 'platform', auditors: 'audit' },
};

const pem = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' }).toString();

/** What signs the log of a database: the same for every gate on it. */
export interface LogPems {
  readonly log: string;
  readonly receipt: string;
}

export const newLogPems = (): LogPems => ({
  log: pem(generateKeyPairSync('ed25519').privateKey),
  receipt: pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
});

/** What the log is called in it. */
export const url = 'http://bench.test';

/** Writes a gate's configuration into a folder; answers the file. @param more of the configuration. */
export function configured(
  folder: string,
  of: { readonly database: string; readonly keys: LogPems; readonly more?: object },
): string {
  mkdirSync(join(folder, 'policies'), { recursive: true });
  writeFileSync(join(folder, 'policies', 'bench.cedar'), policies);
  const file = join(folder, 'countersign.yaml');
  const configuration = {
    listen: '127.0.0.1:0',
    database: of.database,
    policies: './policies',
    log: { keys: of.keys },
    ...directory,
    operations: Object.fromEntries(
      all(teams).map((team) => [
        operationOf(team),
        { input, profile: { verb: 'Refund', effect: 'write', environment: 'prod', reversible: false } },
      ]),
    ),
    limits: { pendingPerAgent: 100_000, inbox: 100_000, creationsPerMinute: 100_000 },
    ...of.more,
  };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(configuration, null, 1));
  return file;
}
