/** `log hold`, `log release`, `log holds`: what must not be erased, through a running gate and as the person whose token it is. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { visibleLine } from '../core/visible.ts';
import { UsageError, wordsOf, type Command } from './command.ts';
import { urlOption } from './files.ts';
import { jsonText } from './json-text.ts';
import { personApi, reasonIn } from './log-erase.ts';
import type { Io } from './io.ts';

const token = 'The person’s token is taken from COUNTERSIGN_TOKEN (countersign token person ID).';

export const logHoldCommand: Command = {
  name: 'log hold',
  summary: 'Places a legal hold: what it covers is not erased, by anybody or by time, until it is released.',
  usage: ['log hold [--action ID | --person ID] --reason TEXT [--url URL]'],
  options: {
    action: { value: 'ID', help: 'one action (act_…)' },
    person: { value: 'ID', help: 'whatever names this person; without either option: everything' },
    reason: { value: 'TEXT', help: 'what it is held for; the log keeps it' },
    url: urlOption,
  },
  details: ['For operators. An id that is nobody’s and that nothing in the log names is refused.', token],
  run: async (args, io) => {
    wordsOf(args, []);
    const reason = reasonIn(args, 'hold');
    const { action, person } = args.values;
    if (action !== undefined && person !== undefined)
      throw new UsageError('A hold is on an action or on a person; place two.');
    const said = {
      ...(action === undefined ? {} : { action }),
      ...(person === undefined ? {} : { person }),
      reason,
    };
    io.out(line(await personApi(args, io).post('/v1/log/holds', said)));
    return 0;
  },
};

export const logReleaseCommand: Command = {
  name: 'log release',
  summary: 'Releases a hold. Another operator than the one who placed it does, where there is one.',
  usage: ['log release ID --reason TEXT [--url URL]'],
  options: {
    reason: { value: 'TEXT', help: 'why; the log keeps it' },
    url: urlOption,
  },
  details: ['Whoever releases a hold erases nothing that it covered for 7 days.', token],
  run: async (args, io) => {
    const [id = ''] = wordsOf(args, ['ID']);
    if (!/^hld_[0-9a-z]+$/.test(id)) throw new UsageError(`“${id}” is no hold: their ids begin with hld_.`);
    const reason = reasonIn(args, 'release');
    io.out(line(await personApi(args, io).post(`/v1/log/holds/${id}/release`, { reason })));
    return 0;
  },
};

export const logHoldsCommand: Command = {
  name: 'log holds',
  summary: 'Lists holds: those in force first.',
  usage: ['log holds [--json] [--url URL]'],
  options: { url: urlOption, json: { help: 'prints the API’s JSON' } },
  details: ['For operators and auditors.', token],
  run: async (args, io) => {
    wordsOf(args, []);
    const page = await personApi(args, io).get('/v1/log/holds');
    if (args.switches.has('json')) {
      io.out(jsonText(page));
      return 0;
    }
    const items = isJsonArray(page['items']) ? page['items'].filter((one) => isJsonObject(one)) : [];
    for (const one of items) {
      io.out(line(one));
      io.out(reasons(one, io));
    }
    if (items.length === 0) io.say('Nothing is held, and nothing was.');
    return 0;
  },
};

const textOf = (value: JsonValue | undefined): string =>
  typeof value === 'string' ? visibleLine(value) : '';

/** "hld_… · everything · placed by oz 2026-… · in force". */
function line({ id, action, person, placedBy, placedAt, released }: JsonObject): string {
  const on =
    typeof action === 'string'
      ? `action ${textOf(action)}`
      : typeof person === 'string'
        ? `whatever names ${textOf(person)}`
        : 'everything';
  const end = isJsonObject(released ?? null)
    ? `released by ${textOf((released as JsonObject)['by'])} ${textOf((released as JsonObject)['at'])}`
    : 'in force';
  return `${textOf(id)} · ${on} · placed by ${textOf(placedBy)} ${textOf(placedAt)} · ${end}`;
}

const reasons = ({ reason }: JsonObject, io: Io): string => `  ${io.paint.soft(textOf(reason))}`;
