/**
 * `token agent|person ID` and `link person ID`: secrets for whoever has the configuration's file system rights. They go to
 * stdout alone; the store keeps their hash. Both work before the first `serve` and beside a running gate.
 */
import { asAgentId, asPersonId } from '../core/ids.ts';
import type { Principal } from '../core/directory.ts';
import type { Command as StoreCommand } from '../core/command.ts';
import { linkLifeMs, newLink } from '../identity/sessions.ts';
import { newToken } from '../identity/tokens.ts';
import type { Settings } from '../config.ts';
import { openStore, originOf, systemRandom } from '../main.ts';
import { Failure, UsageError, wordsOf, type Command } from './command.ts';
import { configOption, gateUrl, mustBeIn, settingsOf, urlOption } from './files.ts';
import type { Io } from './io.ts';

/** Prints a new bearer token. Earlier ones stay good. */
export const tokenCommand: Command = {
  name: 'token',
  summary: 'Prints a new bearer token of an agent or a person, alone, on stdout.',
  usage: ['token agent ID [--config FILE]', 'token person ID [--config FILE]'],
  options: { config: configOption },
  details: [
    'Only the token’s hash is kept: it cannot be shown again. An agent that has a token still needs policies that permit what it does.',
  ],
  run: async (args, io) => {
    const [kind = '', id = ''] = wordsOf(args, ['agent or person', 'ID']);
    if (kind !== 'agent' && kind !== 'person')
      throw new UsageError(`“${kind}” has no tokens; say agent or person.`);
    const settings = await settingsOf(args, io, 'ignored');
    const principal = known(settings, kind, id, io);
    const { token, hash } = newToken(systemRandom, kind);
    await write(settings, { kind: 'token', principal, hash });
    io.out(token);
    return 0;
  },
};

/** Prints a one-time sign-in link. */
export const linkCommand: Command = {
  name: 'link',
  summary: 'Prints a link that signs a person in to the web inbox, once.',
  usage: ['link person ID [--config FILE]'],
  options: {
    config: configOption,
    url: { ...urlOption, help: 'the gate’s public origin; default: the configuration’s' },
  },
  details: [
    'Give it to that person only: whoever opens it first, and presses the button there, is signed in as that person.',
  ],
  run: async (args, io) => {
    const [kind = '', id = ''] = wordsOf(args, ['person', 'ID']);
    if (kind !== 'person') throw new UsageError(`“${kind}” has no links; say person. Agents have tokens.`);
    const said = args.values['url'] === undefined ? undefined : gateUrl(args, io);
    const settings = await settingsOf(args, io, 'ignored');
    const principal = known(settings, 'person', id, io);
    const { token, hash } = newLink(systemRandom);
    const expiresAtMs = Date.now() + linkLifeMs;
    await write(settings, { kind: 'link', person: asPersonId(principal.id), hash, expiresAtMs });
    io.out(`${said ?? originOf(settings, settings.listen.port)}/sign-in#${token}`);
    io.say(io.paintErr.soft(`Good for one sign-in by ${id}, until ${new Date(expiresAtMs).toISOString()}.`));
    return 0;
  },
};

function known(settings: Settings, kind: 'agent' | 'person', id: string, io: Io): Principal {
  const { agents, people } = settings.proposal.directory;
  const file = io.typed(settings.file);
  if (kind === 'agent') {
    mustBeIn(
      id,
      agents.map((one) => one.id),
      'agent',
      file,
    );
    return { kind, id: asAgentId(id) };
  }
  mustBeIn(
    id,
    people.map((one) => one.id),
    'person',
    file,
  );
  return { kind, id: asPersonId(id) };
}

async function write(settings: Settings, command: StoreCommand): Promise<void> {
  const store = await openStore(settings, { exclusive: false });
  try {
    const result = await store.change(command);
    if (result.ok) return;
    const { error } = result;
    throw new Failure(
      error.kind === 'refused'
        ? error.refusal.detail
        : error.kind === 'fault'
          ? error.detail
          : 'The store was busy; try again.',
    );
  } finally {
    await store.close();
  }
}
