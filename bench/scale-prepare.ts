/** What a large database begins with: a configuration that is in force, tokens, and the actions that the others are made like. */
import { randomBytes } from 'node:crypto';
import type { Command } from '../src/core/command.ts';
import { asAgentId, asPersonId } from '../src/core/ids.ts';
import { newLink } from '../src/identity/sessions.ts';
import { newToken } from '../src/identity/tokens.ts';
import type { Store } from '../src/ports/store.ts';
import { openPostgres } from '../src/store/postgres.ts';
import type { Postgres } from './postgres.ts';
import { serving } from './process.ts';
import { agentOf, auditor, head, personOf, teams } from './scale-organisation.ts';
import { takeThrough, templatesOf, type Template } from './scale-templates.ts';

export interface Secrets {
  readonly agentTokens: readonly string[];
  /** Of the first person of each team. */
  readonly personTokens: readonly string[];
  /** Sign-in links of the head of many teams, of a member of one, and of the auditor: one use each. */
  readonly links: { readonly head: string; readonly member: string; readonly auditor: string };
}

export interface Prepared extends Secrets {
  readonly templates: readonly Template[];
}

const random = { bytes: (count: number) => Uint8Array.from(randomBytes(count)) };
/** Agents that have a token, and ask while the clock runs. */
const asking = 64;

/** Accepts the configuration, makes tokens, and takes the templates through a gate. */
export async function prepare(postgres: Postgres, config: string): Promise<Prepared> {
  const gate = await serving('../src/cli.ts', ['serve', '--config', config, '--port', '0']);
  try {
    const store = await openPostgres({ url: postgres.url, channels: [] });
    try {
      const secrets = await makeSecrets(store);
      const [agentToken = ''] = secrets.agentTokens;
      const taken = await takeThrough({ url: gate.url, agentToken, personTokens: secrets.personTokens });
      return { ...secrets, templates: await templatesOf(postgres.url, taken) };
    } finally {
      await store.close();
    }
  } finally {
    await gate.stop();
  }
}

async function makeSecrets(store: Store): Promise<Secrets> {
  const must = async (command: Command): Promise<void> => {
    const said = await store.change(command);
    if (!said.ok) throw new Error(JSON.stringify(said.error));
  };
  const tokenOf = async (kind: 'agent' | 'person', id: string): Promise<string> => {
    const { token, hash } = newToken(random, kind);
    const principal = kind === 'agent' ? { kind, id: asAgentId(id) } : { kind, id: asPersonId(id) };
    await must({ kind: 'token', principal, hash });
    return token;
  };
  const linkOf = async (id: string): Promise<string> => {
    const { token, hash } = newLink(random);
    await must({ kind: 'link', person: asPersonId(id), hash, expiresAtMs: Date.now() + 43_200_000 });
    return token;
  };
  return {
    agentTokens: await Promise.all(Array.from({ length: asking }, (_, n) => tokenOf('agent', agentOf(n)))),
    personTokens: await Promise.all(
      Array.from({ length: teams }, (_, n) => tokenOf('person', personOf(n, 0))),
    ),
    links: {
      head: await linkOf(head),
      member: await linkOf(personOf(20, 1)),
      auditor: await linkOf(auditor),
    },
  };
}
