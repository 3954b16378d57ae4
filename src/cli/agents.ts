/** `agents list|stop|lift`: what keeps agents from asking, and stopping them, through the gate's API with a person's token. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { visibleLine } from '../core/visible.ts';
import { apiOf, type Api } from './api.ts';
import { Failure, UsageError, wordsOf, type Args, type Command } from './command.ts';
import { gateUrl, tokenOf, urlOption } from './files.ts';
import { jsonText } from './json-text.ts';
import type { Io } from './io.ts';

export const agentsCommand: Command = {
  name: 'agents',
  summary: 'Lists agents, stops one, lets one go on.',
  usage: [
    'agents list [--url URL]',
    'agents stop ID --reason TEXT [--url URL]',
    'agents lift ID [--operation OPERATION] --reason TEXT [--url URL]',
  ],
  options: {
    url: urlOption,
    reason: { value: 'TEXT', help: 'why; it is in the log, and a stopped agent is told it' },
    operation: {
      value: 'OPERATION',
      help: 'lifts the pause of this one operation, not the stop of the agent',
    },
    json: { help: 'prints the API’s JSON' },
  },
  details: [
    'The person’s token is taken from COUNTERSIGN_TOKEN (countersign token person ID). Its owners and operators may stop an agent;',
    'operators who do not own it may lift that.',
  ],
  run: async (args, io) => {
    const [what, ...rest] = args.words;
    const gate = (): Api =>
      apiOf(gateUrl(args, io), tokenOf(io, `Make one: ${io.command('token person ID --config FILE')}`));
    if (args.values['operation'] !== undefined && what !== 'lift')
      throw new UsageError('--operation belongs to lift.');
    switch (what) {
      case 'list':
        wordsOf({ ...args, words: rest }, []);
        return list(gate, args, io);
      case 'stop':
        return change(idOf(args, rest), 'stop', { gate, args, io });
      case 'lift':
        return change(idOf(args, rest), 'lift', { gate, args, io });
      case undefined:
        throw new UsageError('Say what to do: list, stop or lift.');
      default:
        throw new UsageError(`“${what}” cannot be done with agents; say list, stop or lift.`);
    }
  },
};

function idOf(args: Args, words: readonly string[]): string {
  const [id = ''] = wordsOf({ ...args, words }, ['ID']);
  if (!/^[a-z0-9._-]{1,64}$/.test(id))
    throw new UsageError(`“${id}” is no agent: ids are of a-z, 0-9, . _ and -.`);
  return id;
}

/** Agents of one page of the API, which there are that many of at most. */
const pageMax = 1000;

async function list(gate: () => Api, args: Args, io: Io): Promise<number> {
  const page = await gate().get(`/v1/agents?limit=${pageMax}`);
  if (args.switches.has('json')) {
    io.out(jsonText(page));
    return 0;
  }
  const items = isJsonArray(page['items']) ? page['items'] : [];
  for (const item of items) for (const line of lines(item, io)) io.out(line);
  if (items.length === 0) io.say('There is no agent that you may see.');
  if (page['next'] !== undefined) io.say(`There are more than ${pageMax}; the web pages show them all.`);
  return 0;
}

async function change(
  id: string,
  what: 'stop' | 'lift',
  { gate, args, io }: { readonly gate: () => Api; readonly args: Args; readonly io: Io },
): Promise<number> {
  const { reason = '', operation } = args.values;
  if (reason.trim() === '')
    throw new UsageError(`${what} needs --reason: whoever looks later must know why.`);
  const body = { reason, ...(operation === undefined ? {} : { operation }) };
  const agent = await gate().post(`/v1/agents/${id}/${what}`, body);
  if (args.switches.has('json')) io.out(jsonText(agent));
  else for (const line of lines(agent, io)) io.out(line);
  return 0;
}

/** Read at the door: what is no text is not shown. */
const textIn = (value: JsonObject, key: string): string => {
  const found = value[key];
  return typeof found === 'string' ? visibleLine(found) : '';
};
const textsIn = (value: JsonObject, key: string): string => {
  const found = value[key];
  return isJsonArray(found)
    ? found
        .filter((one) => typeof one === 'string')
        .map(visibleLine)
        .join(', ')
    : '';
};

const because = (stop: JsonObject): string => {
  const reason = textIn(stop, 'reason');
  return `by ${textIn(stop, 'by')} since ${textIn(stop, 'since')}${reason === '' ? '' : `: ${reason}`}`;
};

function lines(agent: JsonValue, io: Io): readonly string[] {
  if (!isJsonObject(agent))
    throw new Failure('What answered is no list of agents: the gate may be of another version.');
  const { stopped, paused, pending } = agent;
  const waits = typeof pending === 'number' && pending > 0 ? ` · ${pending} waiting for people` : '';
  const owners = textsIn(agent, 'owners');
  const groups = textsIn(agent, 'groups');
  const rest = [
    ...(owners === '' ? [] : [`owned by ${owners}`]),
    ...(groups === '' ? [] : [`in ${groups}`]),
  ].join(' · ');
  return [
    `${io.paint.strong(textIn(agent, 'id'))}${io.paint.soft(`${rest === '' ? '' : `  ${rest}`}${waits}`)}`,
    ...(isJsonObject(stopped ?? null)
      ? [`  ${io.paint.bad('stopped')} ${because(stopped as JsonObject)}`]
      : []),
    ...(isJsonArray(paused) ? paused : [])
      .filter(isJsonObject)
      .map((one) => `  ${io.paint.wait('paused')} ${textIn(one, 'operation')} ${because(one)}`),
  ];
}
