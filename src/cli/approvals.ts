/**
 * `approvals list|show|approve|deny`: reviewing from a terminal, through the gate's API and with a person's own token. What is
 * approved is what was shown: the review names the digest of it, and without a terminal the caller must name it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isJsonArray } from '../core/json.ts';
import { apiOf, type Api } from './api.ts';
import { approvalOf, approvalText, headline, standing, type ApprovalView } from './approval-view.ts';
import { openPage } from './browser.ts';
import { Failure, UsageError, wordsOf, type Args, type Command } from './command.ts';
import { gateUrl, tokenOf, urlOption } from './files.ts';
import { jsonText } from './json-text.ts';
import type { Io } from './io.ts';

const statuses = ['pending', 'closed', 'all'];

export const approvalsCommand: Command = {
  name: 'approvals',
  summary: 'Reviews from a terminal: lists, shows, approves, denies.',
  usage: [
    'approvals list [--status pending|closed|all] [--url URL]',
    'approvals show ID [--url URL]',
    'approvals approve ID [--reason TEXT] [--digest sha256:…] [--url URL]',
    'approvals deny ID --reason TEXT [--unsafe] [--url URL]',
  ],
  options: {
    url: urlOption,
    status: { value: 'STATUS', help: 'which to list: pending (default), closed or all' },
    reason: { value: 'TEXT', help: 'why; a denial needs one, and the agent is told it' },
    digest: {
      value: 'DIGEST',
      help: 'the digest of what you looked at; needed to approve without a terminal',
    },
    unsafe: { help: 'marks a denial: this was dangerous, not only wrong' },
    json: { help: 'list and show print the API’s JSON' },
  },
  details: ['The person’s token is taken from COUNTERSIGN_TOKEN (countersign token person ID).'],
  run: async (args, io) => {
    const [what, ...rest] = args.words;
    const api = (): Api =>
      apiOf(gateUrl(args, io), tokenOf(io, `Make one: ${io.command('token person ID --config FILE')}`));
    switch (what) {
      case 'list':
        wordsOf({ ...args, words: rest }, []);
        return list(api, args, io);
      case 'show':
        return show(await read(idOf(args, rest), api), args, io);
      case 'approve':
        return approve(idOf(args, rest), api, args, io);
      case 'deny':
        return deny(idOf(args, rest), api, args, io);
      case undefined:
        throw new UsageError('Say what to do: list, show, approve or deny.');
      default:
        throw new UsageError(`“${what}” cannot be done with approvals; say list, show, approve or deny.`);
    }
  },
};

function idOf(args: Args, words: readonly string[]): string {
  const [id = ''] = wordsOf({ ...args, words }, ['ID']);
  if (!/^apr_[0-9a-z]+$/.test(id)) throw new UsageError(`“${id}” is no approval: their ids begin with apr_.`);
  return id;
}

/** The gate, once it is needed: what cannot be meant is said before a token is asked for. */
type Gate = () => Api;

const read = async (id: string, gate: Gate): Promise<ApprovalView> =>
  approvalOf(await gate().get(`/v1/approvals/${id}`));

async function list(gate: Gate, args: Args, io: Io): Promise<number> {
  const status = args.values['status'] ?? 'pending';
  if (!statuses.includes(status))
    throw new UsageError(`--status is ${statuses.join(', ')}, not “${status}”.`);
  const page = await gate().get(`/v1/approvals?status=${status}&limit=200`);
  if (args.switches.has('json')) {
    io.out(jsonText(page));
    return 0;
  }
  const items = isJsonArray(page['items']) ? page['items'].map(approvalOf) : [];
  for (const one of items) {
    io.out(`${one.id}  ${io.paint.strong(headline(one))}`);
    io.out(`  ${io.paint.soft(`${standing(one, Date.now())} · agent ${one.action.agent} · ${one.url}`)}`);
  }
  if (items.length === 0) io.say(status === 'pending' ? 'Nothing waits for you.' : 'There is nothing.');
  if (page['next'] !== undefined) io.say('There are more; the web inbox shows them all.');
  return 0;
}

function show(view: ApprovalView, args: Args, io: Io): number {
  if (args.switches.has('json')) io.out(jsonText(view));
  else io.out(rendered(view, io).text.trimEnd());
  return 0;
}

const rendered = (view: ApprovalView, io: Io): ReturnType<typeof approvalText> =>
  approvalText(view, {
    color: io.paint.strong('x') !== 'x',
    width: widthOf(process.stdout.columns),
    nowMs: Date.now(),
  });

/** Some terminals do not know how wide they are. */
const widthOf = (columns: number | undefined): number =>
  columns === undefined || columns <= 0 ? 100 : Math.min(columns, 120);

async function approve(id: string, gate: Gate, args: Args, io: Io): Promise<number> {
  const view = await read(id, gate);
  if (view.status === 'pending' && wantsPasskey(view)) return signedThere(view, gate(), io);
  const named = args.values['digest'];
  if (named !== undefined && named !== view.digest)
    throw new Failure(`${id} holds ${view.digest}, not ${named}. Look at it again.`);
  if (named === undefined) {
    if (!io.interactive)
      throw new UsageError(
        'Without a terminal, approve needs --digest: the digest of what you looked at (approvals show ID).',
      );
    const shown = rendered(view, io);
    io.out(shown.text.trimEnd());
    if (!shown.whole)
      throw new Failure(
        view.action.hidden === true
          ? 'What this action holds is not yours to see, so you cannot approve it.'
          : 'This action is too large to be shown here; review it in the web inbox.',
      );
    if ((await io.ask('\nApprove this exact action? Type yes: ')).trim() !== 'yes') {
      io.say('Not approved; nothing was changed.');
      return 1;
    }
  }
  const reason = args.values['reason'] ?? (await neededReason(view, io));
  return decided(await review(gate(), view, { decision: 'approve', reason }), io);
}

/** A terminal has no authenticator: what asks for a passkey is signed on the approval's own page. */
const wantsPasskey = (view: ApprovalView): boolean =>
  view.requirements.some((one) => !one.met && one.stepUp === 'passkey');

/** How often the gate is asked whether somebody decided, and for how long. */
const lookMs = 2000;
const signedWithinMs = 15 * 60_000;

/** Shows where to sign, opens the page, and waits until something was decided there. */
async function signedThere(view: ApprovalView, api: Api, io: Io): Promise<number> {
  io.say('The policy asks for your passkey, which a terminal has not. Look at it and sign here:');
  io.out(view.url);
  openPage(view.url, io);
  for (let waitedMs = 0; waitedMs < signedWithinMs; waitedMs += lookMs) {
    await sleep(lookMs);
    const now = approvalOf(await api.get(`/v1/approvals/${view.id}`));
    if (now.status !== 'pending' || now.reviews.length > view.reviews.length) return decided(now, io);
  }
  io.say('Nothing was decided; the page stays where it is.');
  return 1;
}

/** Where a policy wants a reason, and none was typed yet. */
async function neededReason(view: ApprovalView, io: Io): Promise<string | undefined> {
  if (!view.requirements.some((one) => one.reasonRequired === true && !one.met)) return undefined;
  if (!io.interactive) throw new UsageError('A policy wants a reason with this approval: --reason TEXT.');
  return io.ask('Why? A policy wants a reason: ');
}

async function deny(id: string, gate: Gate, args: Args, io: Io): Promise<number> {
  if ((args.values['reason'] ?? '').trim() === '')
    throw new UsageError('deny needs --reason: the agent is told it, and can do better.');
  const view = await read(id, gate);
  if (io.interactive) {
    io.out(rendered(view, io).text.trimEnd());
    if ((await io.ask('\nDeny it? Type yes: ')).trim() !== 'yes') {
      io.say('Not denied; nothing was changed.');
      return 1;
    }
  }
  const said = {
    decision: 'deny',
    reason: args.values['reason'],
    unsafe: args.switches.has('unsafe'),
  } as const;
  return decided(await review(gate(), view, said), io);
}

interface Said {
  readonly decision: 'approve' | 'deny';
  readonly reason: string | undefined;
  readonly unsafe?: boolean;
}

async function review(
  api: Api,
  view: ApprovalView,
  { decision, reason, unsafe = false }: Said,
): Promise<ApprovalView> {
  return approvalOf(
    await api.post(`/v1/approvals/${view.id}/reviews`, {
      decision,
      digest: view.digest,
      ...(reason === undefined ? {} : { reason }),
      ...(unsafe ? { unsafe: true } : {}),
    }),
  );
}

function decided(view: ApprovalView, io: Io): number {
  io.out(`${view.id}: ${standing(view, Date.now())}`);
  for (const one of view.requirements.filter((each) => !each.met && view.status === 'pending')) {
    io.out(`  still needed: ${one.quorum - one.count} of ${one.approvers}`);
  }
  return 0;
}
