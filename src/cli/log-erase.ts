/**
 * `log erase`: erases payloads through a running gate, as the person whose token it is. What is erased is gone for good, so a
 * terminal is asked first; who may erase what is the gate's to say.
 */
import { countOf, rangesIn, type Range } from '../core/erased.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { apiOf, type Api } from './api.ts';
import { Failure, UsageError, wordsOf, type Args, type Command } from './command.ts';
import { gateUrl, tokenOf, urlOption } from './files.ts';
import type { Io } from './io.ts';

export const logEraseCommand: Command = {
  name: 'log erase',
  summary:
    'Erases payloads: the salt and all that an action held. Its place in the log, and every proof, stay.',
  usage: [
    'log erase --action ID --reason TEXT [--basis TEXT] [--url URL]',
    'log erase --from INDEX --to INDEX --reason TEXT [--basis TEXT] [--url URL]',
  ],
  options: {
    action: { value: 'ID', help: 'the action (act_…), or its approval (apr_…)' },
    from: { value: 'INDEX', help: 'the first of some entries about no action' },
    to: { value: 'INDEX', help: 'the last of them, at most 1,000 in all' },
    reason: { value: 'TEXT', help: 'why; the log keeps it for ever' },
    basis: { value: 'TEXT', help: 'what entitles to it, such as "GDPR Art. 17"' },
    url: urlOption,
  },
  details: [
    'For operators, and never for whoever had a part in it: the agent’s owners, who started or reviewed it, whoever an entry names.',
    'What is held (log hold), not over, or not in the published log yet is not erased. Backups made before still hold it.',
    'The person’s token is taken from COUNTERSIGN_TOKEN (countersign token person ID).',
  ],
  run: async (args, io) => {
    wordsOf(args, []);
    const reason = reasonIn(args, 'erase');
    const what = scopeIn(args);
    const api = personApi(args, io);
    const scope = what.action?.startsWith('apr_') === true ? await actionOf(what.action, api) : what;
    if (io.interactive) {
      const named = scope.action ?? `the entries ${scope.from} to ${scope.to} that are about no action`;
      io.say(`This erases what ${named} held, for good. Who asked, who decided and how it ended stay.`);
      if ((await io.ask('Erase it? Type yes: ')).trim() !== 'yes') {
        io.say('Not erased; nothing was changed.');
        return 1;
      }
    }
    const basis = args.values['basis'];
    const answer = await api.post('/v1/log/erasures', {
      ...scope,
      reason,
      ...(basis === undefined ? {} : { basis }),
    });
    return told(answer, io);
  },
};

/** As whoever the token names, at a running gate. */
export const personApi = (args: Args, io: Io): Api =>
  apiOf(gateUrl(args, io), tokenOf(io, `Make one: ${io.command('token person ID --config FILE')}`));

export function reasonIn(args: Args, what: string): string {
  const reason = (args.values['reason'] ?? '').trim();
  if (reason === '')
    throw new UsageError(`${what} needs --reason: the log keeps it, and says it to whoever asks.`);
  return reason;
}

interface Scope extends JsonObject {
  readonly action?: string;
  readonly from?: number;
  readonly to?: number;
}

function scopeIn({ values }: Args): Scope {
  const { action, from, to } = values;
  if (action !== undefined) {
    if (from !== undefined || to !== undefined)
      throw new UsageError('Name an action, or entries with --from and --to; not both.');
    if (!/^(?:act|apr)_[0-9a-z]+$/.test(action))
      throw new UsageError(
        `“${action}” is no action: their ids begin with act_, those of approvals with apr_.`,
      );
    return { action };
  }
  if (from === undefined || to === undefined)
    throw new UsageError('Say what to erase: --action, or --from and --to.');
  return { from: indexIn(from, 'from'), to: indexIn(to, 'to') };
}

function indexIn(text: string, option: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`--${option} is the index of an entry, not “${text}”.`);
  return Number(text);
}

async function actionOf(approval: string, api: Api): Promise<Scope> {
  const { action } = await api.get(`/v1/approvals/${approval}`);
  const id = isJsonObject(action ?? null) ? (action as JsonObject)['id'] : undefined;
  if (typeof id !== 'string') throw new Failure(`What the gate says of ${approval} names no action.`);
  return { action: id };
}

function told(answer: JsonObject, io: Io): number {
  const ranges = rangesIn(answer);
  const count = countOf(ranges);
  if (count === 0) {
    io.say('There was nothing left to erase.');
    return 0;
  }
  io.out(`Erased ${count} ${count === 1 ? 'payload' : 'payloads'}: ${rangesText(ranges)}.`);
  io.say('Backups made before still hold them, and so does what was shipped or exported.');
  return 0;
}

/** "41, 43 to 45". */
const rangesText = (ranges: readonly Range[]): string =>
  ranges.map(([from, to]) => (from === to ? String(from) : `${from} to ${to}`)).join(', ');
