/**
 * `config status`, `config propose` and `config accept`: what of the files waits to be accepted, who stands for it, and the door
 * at the machine for when nobody else can open one.
 */
import { acceptAtMachine } from '../app/acceptance.ts';
import { configurationOf } from '../app/accepted.ts';
import { readPolicies } from '../config/policies.ts';
import { asPersonId } from '../core/ids.ts';
import { isJsonArray, isJsonObject, type JsonValue } from '../core/json.ts';
import { visibleLine } from '../core/visible.ts';
import { createPolicyEngine } from '../policy/engine.ts';
import { openStore } from '../main.ts';
import { apiOf } from './api.ts';
import { Failure, only, UsageError, wordsOf, type Args, type Command } from './command.ts';
import { configOption, gateUrl, mustBeIn, settingsOf, tokenOf, urlOption } from './files.ts';
import type { Io } from './io.ts';

const tokenHelp =
  'It is the token of a person (countersign token person ID), or of an agent that changes.proposers names.';

export const configCommand: Command = {
  name: 'config',
  summary: 'Shows what of the files waits to be accepted, stands for it, or accepts it at the machine.',
  usage: [
    'config status [--url URL]',
    'config propose [--author PERSON] [--approver NAME] [--url URL]',
    'config accept [--config FILE] [--as PERSON]',
  ],
  options: {
    url: urlOption,
    author: { value: 'PERSON', help: 'propose: who made the change; for CI identities only' },
    approver: { value: 'NAME', help: 'propose: who approved the merge; shown, and fills no place' },
    config: configOption,
    as: { value: 'PERSON', help: 'accept: who made the change, so that it counts as theirs for 7 days' },
  },
  details: [
    'What loosens who may do what waits for people of the group that roles.admins names; what tightens is in force at once.',
    'accept asks nobody. It is for whoever has the machine, when nobody else can accept: it is recorded, and pages show it for 30 days.',
  ],
  run: (args, io) => {
    const [what] = args.words;
    if (what === undefined) throw new UsageError('Say what to do: status, propose or accept.');
    wordsOf(args, [what]);
    only(args, what, {
      url: ['status', 'propose'],
      author: ['propose'],
      approver: ['propose'],
      config: ['accept'],
      as: ['accept'],
    });
    switch (what) {
      case 'status':
        return status(args, io);
      case 'propose':
        return propose(args, io);
      case 'accept':
        return accept(args, io);
      default:
        throw new UsageError(
          `“${what}” is not something to do with a configuration; say status, propose or accept.`,
        );
    }
  },
};

const textOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');

interface Standing {
  readonly candidate: string;
  readonly lines: readonly string[];
  readonly waits: boolean;
}

async function standingOf(args: Args, io: Io): Promise<Standing> {
  const answer = await apiOf(gateUrl(args, io), tokenOf(io, tokenHelp)).get('/v1/config');
  if (!isJsonObject(answer)) throw new Failure('The gate answered something else than its configuration.');
  const { waiting, approval, stuck, candidate } = answer;
  const waits = isJsonArray(waiting) ? waiting.filter(isJsonObject) : [];
  const lines = waits.flatMap((one) => {
    const state = one['inForce'] === true ? 'in force' : 'waits';
    return [
      `${io.paint.strong(visibleLine(textOf(one['says'])))} (${state})`,
      ...literal('-', one['before']),
      ...literal('+', one['after']),
    ];
  });
  const asked = isJsonObject(approval)
    ? [
        `It waits for people of ${visibleLine(textOf(answer['acceptedBy']))}: ${visibleLine(textOf(approval['url']))}`,
      ]
    : [];
  return {
    candidate: textOf(candidate),
    waits: waits.length > 0,
    lines: [...lines, ...asked, ...(typeof stuck === 'string' ? [visibleLine(stuck)] : [])],
  };
}

/** As it stands there, escaped, one line each. */
const literal = (sign: string, value: JsonValue | undefined): readonly string[] =>
  typeof value === 'string' ? value.split('\n').map((one) => `  ${sign} ${visibleLine(one)}`) : [];

async function status(args: Args, io: Io): Promise<number> {
  const { candidate, lines, waits } = await standingOf(args, io);
  if (candidate === '')
    io.out('The files cannot be used, so everything is denied; the gate’s output says why.');
  else if (!waits) io.out('Nothing waits: what the files say is in force.');
  for (const one of lines) io.out(one);
  return 0;
}

async function propose(args: Args, io: Io): Promise<number> {
  const { candidate, lines, waits } = await standingOf(args, io);
  if (!waits) {
    io.out('Nothing waits: what the files say is in force.');
    return 0;
  }
  for (const one of lines) io.say(one);
  const { author, approver } = args.values;
  const answer = await apiOf(gateUrl(args, io), tokenOf(io, tokenHelp)).post('/v1/config/proposals', {
    candidate,
    ...(author === undefined ? {} : { author }),
    ...(approver === undefined ? {} : { approver }),
  });
  const approval = isJsonObject(answer) ? answer['approval'] : null;
  io.out(isJsonObject(approval) ? visibleLine(textOf(approval['url'])) : 'Asked.');
  return 0;
}

async function accept(args: Args, io: Io): Promise<number> {
  const settings = await settingsOf(args, io, 'ignored');
  const as = args.values['as'];
  const { people } = settings.proposal.directory;
  if (as !== undefined)
    mustBeIn(
      as,
      people.map((one) => one.id),
      'person',
      io.typed(settings.file),
    );
  const found = await readPolicies(settings.policies);
  if (found.kind === 'unusable') throw new Failure(found.reason);
  const store = await openStore(settings, { exclusive: false });
  try {
    const configuration = configurationOf(store.joinKey(), settings.proposal, found.texts);
    const policy = createPolicyEngine({ timezone: settings.timezone });
    const made = as === undefined ? null : asPersonId(as);
    const done = await acceptAtMachine({ store, policy }, configuration, made);
    switch (done.kind) {
      case 'failed':
        throw new Failure(done.detail);
      case 'unproven':
        throw new Failure(
          done.problems.map((one) => `${one.file}:${one.line}: ${one.message}`).join('\n') ||
            'It has no policies.',
        );
      case 'accepted':
        for (const one of done.differences) io.out(visibleLine(one.says));
        io.say(
          done.differences.length === 0
            ? 'It says what was in force already.'
            : 'Accepted at the machine, without anybody’s approval. It is in the log, and pages show it for 30 days.',
        );
        return 0;
    }
  } finally {
    await store.close();
  }
}
