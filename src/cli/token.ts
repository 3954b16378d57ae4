/**
 * `token …` and `link person ID`: secrets for whoever has the configuration's file system rights. They go to stdout alone; the
 * store keeps their hash. Both work before the first `serve` and beside a running gate, for which a token that is revoked is
 * gone with the next request.
 */
import { asAgentId, asPersonId } from '../core/ids.ts';
import type { Principal } from '../core/directory.ts';
import type { Command as StoreCommand } from '../core/command.ts';
import { duration, isoDurationMs, rfc3339 } from '../core/time.ts';
import {
  tokenGraceMsMax,
  tokenIdOf,
  tokenLifeDefaultMs,
  tokenLifeMsMax,
  tokenState,
} from '../core/tokens.ts';
import { visibleLine } from '../core/visible.ts';
import { linkLifeMs, newLink } from '../identity/sessions.ts';
import { newToken } from '../identity/tokens.ts';
import type { Settings } from '../config.ts';
import type { Store } from '../ports/store.ts';
import { openStore, originOf, systemRandom } from '../main.ts';
import { Failure, UsageError, wordsOf, type Args, type Command } from './command.ts';
import { configOption, gateUrl, mustBeIn, settingsOf, urlOption } from './files.ts';
import type { Io } from './io.ts';

/** Prints a new bearer token; earlier ones stay good, but for `--rotate`. Lists tokens, and takes them back. */
export const tokenCommand: Command = {
  name: 'token',
  summary:
    'Prints a new bearer token of an agent or a person, alone, on stdout; lists tokens and revokes them.',
  usage: [
    'token agent ID [--expires P90D] [--rotate PT1H] [--config FILE]',
    'token person ID [--expires P90D] [--rotate PT1H] [--config FILE]',
    'token list [--config FILE]',
    'token revoke TOKENID [--config FILE]',
  ],
  options: {
    config: configOption,
    expires: { value: 'DURATION', help: 'how long it is good, at most P365D; default P90D' },
    rotate: {
      value: 'DURATION',
      help: 'ends all earlier tokens of the same one after this long, at most P7D',
    },
  },
  details: [
    'Only the token’s hash is kept: it cannot be shown again. An agent that has a token still needs policies that permit what it does.',
    'A token’s id (tok_…) names it in the list and in the log, and opens nothing.',
  ],
  run: async (args, io) => {
    const [what = ''] = args.words;
    const making = what !== 'list' && what !== 'revoke';
    for (const option of ['expires', 'rotate'])
      if (!making && args.values[option] !== undefined)
        throw new UsageError(`--${option} belongs to a new token.`);
    if (what === 'list') {
      wordsOf(args, ['list']);
      return list(await settingsOf(args, io, 'ignored'), io);
    }
    if (what === 'revoke') {
      const [, id = ''] = wordsOf(args, ['revoke', 'TOKENID']);
      if (!/^tok_[0-9a-f]{1,16}$/.test(id))
        throw new UsageError(
          `“${visibleLine(id)}” is no token’s id: those begin with tok_ (${io.command('token list')}).`,
        );
      await write(await settingsOf(args, io, 'ignored'), { kind: 'revokeToken', token: id });
      io.say(`Revoked ${id}: the next request that it makes is refused.`);
      return 0;
    }
    return make(args, io);
  },
};

async function make(args: Args, io: Io): Promise<number> {
  const [kind] = args.words;
  if (kind === undefined)
    throw new UsageError('Say whose: agent ID or person ID; or say list, or revoke TOKENID.');
  if (kind !== 'agent' && kind !== 'person')
    throw new UsageError(`“${kind}” has no tokens; say agent or person, list or revoke.`);
  const [, id = ''] = wordsOf(args, [kind, 'ID']);
  const lifeMs = durationOf(args, 'expires', tokenLifeMsMax) ?? tokenLifeDefaultMs;
  const rotateMs = durationOf(args, 'rotate', tokenGraceMsMax);
  const settings = await settingsOf(args, io, 'ignored');
  const principal = known(settings, kind, id, io);
  const { token, hash } = newToken(systemRandom, kind);
  const expiresAtMs = Date.now() + lifeMs;
  const rotate = rotateMs === undefined ? {} : { rotateMs };
  await write(settings, { kind: 'token', principal, hash, expiresAtMs, ...rotate });
  io.out(token);
  const before = rotateMs === undefined ? '' : ` Earlier ones end within ${duration(rotateMs)}.`;
  io.say(io.paintErr.soft(`${tokenIdOf(hash)}, good until ${rfc3339(expiresAtMs)}.${before}`));
  return 0;
}

function durationOf(args: Args, option: string, maxMs: number): number | undefined {
  const typed = args.values[option];
  if (typed === undefined) return undefined;
  const ms = isoDurationMs(typed);
  if (ms === undefined)
    throw new UsageError(`--${option} ${visibleLine(typed)} is no ISO 8601 duration, such as P90D or PT1H.`);
  if (ms > maxMs) throw new UsageError(`--${option} is at most P${maxMs / 86_400_000}D.`);
  return ms;
}

/** One line a token: what it is, whose, and until when. Never a token: nobody has it but its holder. */
async function list(settings: Settings, io: Io): Promise<number> {
  const tokens = await withStore(settings, (store) => store.tokens());
  const nowMs = Date.now();
  for (const one of tokens) {
    const { id, principal, atMs, expiresAtMs } = one;
    const state = tokenState(one, nowMs);
    const until =
      state === 'revoked'
        ? io.paint.soft(`revoked ${rfc3339(one.revokedAtMs ?? nowMs)}`)
        : expiresAtMs === null
          ? io.paint.wait('no end: issued before tokens had one; make a new one with --rotate')
          : state === 'expired'
            ? io.paint.soft(`ended ${rfc3339(expiresAtMs)}`)
            : `until ${rfc3339(expiresAtMs)}`;
    io.out(`${id}  ${principal.kind} ${visibleLine(principal.id)}  issued ${rfc3339(atMs)}  ${until}`);
  }
  if (tokens.length === 0) io.say('There is no token.');
  return 0;
}

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
    if (!settings.people.signInLinks)
      throw new Failure('One-time links are switched off (signInLinks: false): the link would do nothing.');
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

const write = (settings: Settings, command: StoreCommand): Promise<void> =>
  withStore(settings, async (store) => {
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
  });

async function withStore<T>(settings: Settings, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(settings, { exclusive: false });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
