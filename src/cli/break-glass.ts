/** `break-glass ask|list|end|review`: letting pass for some minutes what policies hold for people, through the gate's API with a person's token. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { visible, visibleLine } from '../core/visible.ts';
import { apiOf, type Api } from './api.ts';
import { Failure, only, UsageError, wordsOf, type Args, type Command } from './command.ts';
import { gateUrl, tokenOf, urlOption } from './files.ts';
import { jsonText } from './json-text.ts';
import type { Io } from './io.ts';

export const breakGlassCommand: Command = {
  name: 'break-glass',
  summary: 'Lets pass for some minutes what policies hold for people: asks, lists, ends, reviews.',
  usage: [
    'break-glass ask AGENT OPERATION --minutes N --reason TEXT [--url URL]',
    'break-glass list [--url URL]',
    'break-glass end ID [--reason TEXT] [--url URL]',
    'break-glass review ID --finding TEXT [--url URL]',
  ],
  options: {
    url: urlOption,
    minutes: { value: 'N', help: 'for how long, at most 60' },
    reason: { value: 'TEXT', help: 'why; everybody who decides reads it, and it is in the log' },
    finding: { value: 'TEXT', help: 'what you found: whether it was needed, and what passed under it' },
    json: { help: 'prints the API’s JSON' },
  },
  details: [
    'The person’s token is taken from COUNTERSIGN_TOKEN (countersign token person ID). Two people of roles.breakGlass (without that',
    'role: the admins) who neither asked nor own the agent must approve it, as any approval. What policies forbid stays forbidden.',
    'Afterwards somebody who had no part in it reviews it; until then the next is refused.',
  ],
  run: async (args, io) => {
    const [what, ...rest] = args.words;
    const gate = (): Api =>
      apiOf(gateUrl(args, io), tokenOf(io, `Make one: ${io.command('token person ID --config FILE')}`));
    const at = { gate, args: { ...args, words: rest }, io };
    only(args, what, { minutes: ['ask'], reason: ['ask', 'end'], finding: ['review'] });
    switch (what) {
      case 'ask':
        return ask(at);
      case 'list':
        wordsOf(at.args, []);
        return list(at);
      case 'end': {
        const { reason } = args.values;
        return change(at, 'end', reason === undefined ? {} : { reason });
      }
      case 'review':
        return change(at, 'review', { finding: said(args, 'finding') });
      case undefined:
        throw new UsageError('Say what to do: ask, list, end or review.');
      default:
        throw new UsageError(`“${what}” cannot be done with break-glass; say ask, list, end or review.`);
    }
  },
};

interface At {
  readonly gate: () => Api;
  readonly args: Args;
  readonly io: Io;
}

function said({ values }: Args, option: 'reason' | 'finding'): string {
  const text = values[option] ?? '';
  if (text.trim() === '') throw new UsageError(`This needs --${option}: whoever looks later must know.`);
  return text;
}

async function ask({ gate, args, io }: At): Promise<number> {
  const [agent = '', operation = ''] = wordsOf(args, ['AGENT', 'OPERATION']);
  const minutes = args.values['minutes'] ?? '';
  if (!/^[1-9]\d?$/.test(minutes) || Number(minutes) > 60)
    throw new UsageError('Say for how long: --minutes, from 1 to 60.');
  const body = { agent, operation, minutes: Number(minutes), reason: said(args, 'reason') };
  const approval = await gate().post('/v1/break-glass', body);
  if (args.switches.has('json')) {
    io.out(jsonText(approval));
    return 0;
  }
  io.out(`Asked. It is open once it is approved: ${io.paint.strong(textIn(approval, 'url'))}`);
  io.out(`  ${io.command(`approvals show ${textIn(approval, 'id')}`)}`);
  return 0;
}

/** Of one page of the API. */
const pageMax = 200;

async function list({ gate, args, io }: At): Promise<number> {
  const page = await gate().get(`/v1/break-glass?limit=${pageMax}`);
  if (args.switches.has('json')) {
    io.out(jsonText(page));
    return 0;
  }
  const items = isJsonArray(page['items']) ? page['items'] : [];
  for (const item of items) for (const line of lines(item, io)) io.out(line);
  if (items.length === 0) io.say('There is no break-glass that you may see.');
  if (page['next'] !== undefined) io.say('There are more; the web page shows them all.');
  return 0;
}

async function change({ gate, args, io }: At, what: 'end' | 'review', body: JsonObject): Promise<number> {
  const [id = ''] = wordsOf(args, ['ID']);
  if (!/^gls_[0-9a-z]{26}$/.test(id))
    throw new UsageError(`“${visibleLine(id)}” is no id of a break-glass; break-glass list shows them.`);
  const glass = await gate().post(`/v1/break-glass/${id}/${what}`, body);
  if (args.switches.has('json')) io.out(jsonText(glass));
  else for (const line of lines(glass, io)) io.out(line);
  return 0;
}

/** Read at the door: what is no text is not shown. */
const textIn = (value: JsonValue | undefined, key: string): string => {
  const found = isJsonObject(value ?? null) ? (value as JsonObject)[key] : undefined;
  return typeof found === 'string' ? visibleLine(found) : '';
};

const textsIn = (value: JsonValue | undefined): string =>
  isJsonArray(value ?? null)
    ? (value as readonly JsonValue[])
        .filter((one) => typeof one === 'string')
        .map(visibleLine)
        .join(', ')
    : '';

function lines(glass: JsonValue, io: Io): readonly string[] {
  if (!isJsonObject(glass))
    throw new Failure('What answered is no break-glass: the gate may be of another version.');
  const status = textIn(glass, 'status');
  const painted =
    status === 'open'
      ? io.paint.bad('OPEN')
      : status === 'unreviewed'
        ? io.paint.wait('must be reviewed')
        : io.paint.soft(visible(status));
  const { ended, review, reviewers } = glass;
  const may = isJsonObject(reviewers ?? null) ? textsIn((reviewers as JsonObject)['people']) : '';
  const reviewed = isJsonObject(review ?? null)
    ? [`  reviewed by ${textIn(review, 'by')}: ${textIn(review, 'finding')}`]
    : [];
  return [
    `${io.paint.strong(textIn(glass, 'id'))}  ${painted}  ${textIn(glass, 'operation')} of ${textIn(glass, 'agent')}`,
    `  ${textIn(glass, 'from')} to ${textIn(glass, 'until')}, asked by ${textIn(glass, 'asker')}, approved by ${textsIn(glass['approvers'])}: ${textIn(glass, 'reason')}`,
    ...(isJsonObject(ended ?? null) ? [`  over ${textIn(ended, 'at')} (${textIn(ended, 'why')})`] : []),
    ...reviewed,
    ...(status === 'unreviewed' ? [`  may be reviewed by ${may === '' ? 'nobody who is active' : may}`] : []),
  ];
}
