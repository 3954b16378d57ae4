/** `away`: who stands in for you while you are away, through the gate's API with your own token. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { isoDurationMs, rfc3339 } from '../core/time.ts';
import { visibleLine } from '../core/visible.ts';
import { apiOf, type Api } from './api.ts';
import { Failure, only, UsageError, wordsOf, type Args, type Command } from './command.ts';
import { gateUrl, tokenOf, urlOption } from './files.ts';
import { jsonText } from './json-text.ts';
import type { Io } from './io.ts';

export const awayCommand: Command = {
  name: 'away',
  summary: 'Names who stands in for you while you are away, for at most 30 days.',
  usage: [
    'away begin PERSON --until TIME [--from TIME] [--url URL]',
    'away begin PERSON --for P7D [--from TIME] [--url URL]',
    'away end ID [--url URL]',
    'away list [--url URL]',
  ],
  options: {
    url: urlOption,
    until: { value: 'TIME', help: 'when you are back: 2026-12-24T18:00:00Z' },
    for: { value: 'DURATION', help: 'for how long, instead of --until: P7D, PT12H' },
    from: { value: 'TIME', help: 'when it begins; default: now' },
    json: { help: 'prints the API’s JSON' },
  },
  details: [
    'Your token is taken from COUNTERSIGN_TOKEN (countersign token person ID). Whoever stands in may approve what you may approve,',
    'unless one of you is in its conflict set or it asks for a passkey; the two of you count once.',
  ],
  run: async (args, io) => {
    const [what, ...rest] = args.words;
    const gate = (): Api =>
      apiOf(gateUrl(args, io), tokenOf(io, `Make one: ${io.command('token person ID --config FILE')}`));
    only(args, what, { until: ['begin'], for: ['begin'], from: ['begin'] });
    switch (what) {
      case 'begin':
        return begin(args, rest, io, gate);
      case 'end': {
        const [id = ''] = wordsOf({ ...args, words: rest }, ['ID']);
        if (!/^dlg_[0-9a-z]{26}$/.test(id))
          throw new UsageError(`“${visibleLine(id)}” is no id of an absence; away list shows them.`);
        return print(await gate().post(`/v1/delegations/${id}/end`, {}), args, io);
      }
      case 'list':
        wordsOf({ ...args, words: rest }, []);
        return list(await gate().get('/v1/delegations'), args, io);
      case undefined:
        throw new UsageError('Say what to do: begin, end or list.');
      default:
        throw new UsageError(`“${what}” is not known here; say begin, end or list.`);
    }
  },
};

async function begin(args: Args, words: readonly string[], io: Io, gate: () => Api): Promise<number> {
  const [to = ''] = wordsOf({ ...args, words }, ['PERSON']);
  const { from, until, for: length } = args.values;
  if ((until === undefined) === (length === undefined))
    throw new UsageError('Say when you are back: --until TIME, or --for DURATION.');
  const fromMs = from === undefined ? Date.now() : Date.parse(from);
  if (!Number.isFinite(fromMs)) throw new UsageError(`--from ${from ?? ''} is no time.`);
  const body = {
    to,
    until: until ?? rfc3339(fromMs + lengthOf(length ?? '')),
    ...(from === undefined ? {} : { from }),
  };
  const begun = await gate().post('/v1/delegations', body);
  print(begun, args, io);
  // Where two people are all who could approve something, this leaves nobody who could.
  io.say(
    `Meanwhile the two of you are one person for every approval: what needs both waits. You end it with: ${io.command(`away end ${textIn(begun, 'id')}`)}`,
  );
  return 0;
}

function lengthOf(typed: string): number {
  const ms = isoDurationMs(typed);
  if (ms === undefined) throw new UsageError(`--for ${typed} is no duration: write P7D or PT12H.`);
  return ms;
}

function list(page: JsonObject, args: Args, io: Io): number {
  if (args.switches.has('json')) {
    io.out(jsonText(page));
    return 0;
  }
  const items = isJsonArray(page['items']) ? page['items'] : [];
  for (const item of items) io.out(wordsFor(item));
  if (items.length === 0) io.say('Nobody is away.');
  return 0;
}

function print(one: JsonObject, args: Args, io: Io): number {
  io.out(args.switches.has('json') ? jsonText(one) : wordsFor(one));
  return 0;
}

const textIn = (value: JsonObject, key: string): string => {
  const found = value[key];
  return typeof found === 'string' ? visibleLine(found) : '';
};

function wordsFor(one: JsonValue): string {
  if (!isJsonObject(one))
    throw new Failure('What answered names no absence: the gate may be of another version.');
  const ended = textIn(one, 'endedAt');
  return `${textIn(one, 'id')}  ${textIn(one, 'to')} stands in for ${textIn(one, 'from')}, ${textIn(one, 'begins')} to ${textIn(one, 'until')}${ended === '' ? '' : `, ended ${ended}`}`;
}
