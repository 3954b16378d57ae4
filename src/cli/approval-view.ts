/**
 * An approval as the API answers it, read at the door and laid out for a terminal in the order of the web page. Every text of it
 * passes core/render: nothing that an agent wrote reaches the terminal as anything but visible characters.
 */
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Action } from '../core/action.ts';
import type { Asked, Seen } from '../core/case.ts';
import { asActionId, asAgentId, asDigest, asSha256Hex } from '../core/ids.ts';
import type { JsonObject, JsonValue } from '../core/json.ts';
import type { Profile } from '../core/profile.ts';
import { channelName } from '../core/render/channels.ts';
import { headlineOf } from '../core/render/headline.ts';
import { writeJson, type Written } from '../core/render/json-lines.ts';
import { notesOn } from '../core/render/notes.ts';
import { line, lines, listed, say } from '../core/render/shown.ts';
import { Sheet } from '../core/render/text.ts';
import { undeterminedOf } from '../core/render/undetermined.ts';
import { duration } from '../core/time.ts';
import { Failure } from './command.ts';

interface SeenView {
  readonly tool: string;
  readonly input: JsonValue;
  readonly at: string;
  readonly answer: Seen['answer'];
}

/** The part of the API's answer that this file reads. */
export interface ApprovalView {
  readonly id: string;
  readonly status: string;
  readonly state: string;
  readonly digest: string;
  readonly url: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly action: {
    readonly operation: string;
    readonly resource: { readonly type: string; readonly id: string };
    readonly input: JsonObject;
    /** What it holds is not this person's to see; absent where it is. */
    readonly hidden?: boolean;
    /** What it held was erased: the index of the entry that says so. Then it is hidden too. */
    readonly erased?: number;
    readonly agent: string;
    readonly session: string | null;
    readonly reason: string | null;
    readonly enforcement: Action['enforcement'];
    readonly explanation?: {
      readonly text: string;
      readonly clauses: readonly {
        readonly text: string;
        readonly left: string | null;
        readonly right: string | null;
      }[];
      readonly wouldAllow?: readonly string[];
    };
    readonly profile?: Profile | null;
    readonly preview?: SeenView | null;
    readonly before?: SeenView | null;
    readonly afterUnknown?: string | null;
  };
  readonly requirements: readonly {
    readonly id: string;
    readonly title: string;
    readonly approvers: string;
    readonly quorum: number;
    readonly count: number;
    readonly met: boolean;
    /** Absent in the answers of older gates. */
    readonly reasonRequired?: boolean;
    /** `passkey` where the policy asks for one; absent in the answers of older gates. */
    readonly stepUp?: string | null;
  }[];
  readonly reviews: readonly {
    readonly person: string;
    /** Who was away, whose place it fills. Absent where the person spoke for themself. */
    readonly standingInFor?: string;
    readonly decision: string;
    readonly reason: string | null;
  }[];
  readonly cannotApprove: readonly { readonly person: string; readonly why: string }[];
  readonly ending?: { readonly code: string; readonly reason: string | null };
  /** Where people were told. Absent in lists, and in the answers of older gates. */
  readonly told?: readonly {
    readonly channel: string;
    readonly to: string | null;
    readonly state: string;
    readonly at: string;
    readonly detail: string | null;
    readonly nextTryAt: string | null;
    readonly instead: readonly string[];
  }[];
}

const text = { type: 'string' } as const;
const textOrNull = { type: ['string', 'null'] } as const;
const list = (required: readonly string[]) =>
  ({ type: 'array', items: { type: 'object', required } }) as const;

const validate = new Ajv2020({
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
}).compile<ApprovalView>({
  type: 'object',
  required: [
    'id',
    'status',
    'state',
    'digest',
    'url',
    'createdAt',
    'expiresAt',
    'action',
    'requirements',
    'reviews',
    'cannotApprove',
  ],
  properties: {
    id: text,
    status: text,
    state: text,
    digest: text,
    url: text,
    createdAt: text,
    expiresAt: text,
    action: {
      type: 'object',
      required: ['operation', 'resource', 'input', 'agent', 'session', 'reason', 'enforcement'],
      properties: {
        operation: text,
        resource: { type: 'object' },
        input: { type: 'object' },
        hidden: { type: 'boolean' },
        erased: { type: 'number' },
        agent: text,
        session: textOrNull,
        reason: textOrNull,
        enforcement: { enum: ['mediated', 'cooperative'] },
      },
    },
    requirements: list(['id', 'title', 'approvers', 'quorum', 'count', 'met']),
    reviews: list(['person', 'decision', 'reason']),
    cannotApprove: list(['person', 'why']),
    told: list(['channel', 'to', 'state', 'at', 'detail', 'nextTryAt', 'instead']),
  },
});

/** Reads one approval; fails where the answer is not one. */
export function approvalOf(answer: JsonValue): ApprovalView {
  if (!validate(answer)) throw new Failure('The gate’s answer is no approval; is it of another version?');
  // What the schema does not name is only ever printed through `line`.
  return answer;
}

/** The action as core's renderers want it. What the API does not tell (target, salt) is empty, and nothing here reads it. */
function askedOf(view: ApprovalView): Asked {
  const { action } = view;
  const seen = (one: SeenView | null | undefined): Seen | null =>
    one == null ? null : { tool: one.tool, input: one.input, atMs: Date.parse(one.at), answer: one.answer };
  return {
    id: asActionId(''),
    digest: asDigest(view.digest),
    canonical: '',
    subject: asSha256Hex(''),
    joinKey: '',
    likeKey: '',
    mode: 'enforce',
    callback: null,
    amount: null,
    run: null,
    atMs: Date.parse(view.createdAt),
    verdict: {
      effect: 'allow',
      versions: { policySet: 0, directory: 0, tools: 0 },
      recent: null,
      policyDigest: null,
      toldAgent: '',
      explanation: { text: '', policies: [], clauses: [], wouldAllow: [] },
    },
    profile: action.profile ?? null,
    ...(action.hidden === true ? { veiled: true as const } : {}),
    ...(action.erased === undefined ? {} : { erased: action.erased }),
    preview: seen(action.preview),
    before: seen(action.before),
    action: {
      v: 1,
      agent: asAgentId(action.agent),
      session: action.session,
      startedBy: null,
      delegation: [],
      operation: action.operation,
      resource: action.resource,
      input: action.input,
      target: { kind: 'http', profile: asSha256Hex(''), declaration: asSha256Hex('') },
      enforcement: action.enforcement,
      reason: action.reason,
      salt: '',
    },
  };
}

/** "Export 5,204 rows of customers · prod", as everywhere. */
export const headline = (view: ApprovalView): string => headlineOf(askedOf(view)).text;

/** How long people still have, or how it ended. */
export function standing(view: ApprovalView, nowMs: number): string {
  if (view.status === 'pending') return `pending, ${duration(Date.parse(view.expiresAt) - nowMs)} left`;
  return line(view.status === view.state ? view.status : `${view.status}, ${view.state}`);
}

/** The whole approval. `whole` is false where the action is too large to be shown, and so must not be approved here. */
export function approvalText(
  view: ApprovalView,
  options: { readonly color: boolean; readonly width: number; readonly nowMs: number },
): { readonly text: string; readonly whole: boolean } {
  const page = new Sheet(options);
  const asked = askedOf(view);
  const input = writeJson(view.action.input);
  top(page, view, asked, options.nowMs);
  exact(page, view, input);
  below(page, view, asked);
  return { text: page.text(), whole: input.whole && view.action.hidden !== true };
}

function top(page: Sheet, view: ApprovalView, asked: Asked, nowMs: number): void {
  const { profile } = asked;
  page.say(headline(view), 0, 'bold');
  page.say(standing(view, nowMs), 0);
  if (view.ending?.reason != null) page.quote(line(view.ending.reason));
  if (profile?.reversible === false) page.say('This cannot be undone.', 0, 'red');
  if (profile?.consequence !== undefined) page.say(line(profile.consequence), 0);
  const gaps = undeterminedOf(asked);
  if (view.action.afterUnknown != null)
    page.say('The same action ran before, and nobody knows how it ended.', 0, 'red');
  if (gaps.length > 0) page.heading('What the gate could not determine');
  for (const one of gaps) page.item(`${one.what}: ${one.why}`, 'yellow');
  page.heading('Why people are asked');
  for (const one of view.requirements)
    page.item(
      line(
        `${one.title}: ${one.count} of ${one.quorum} from ${one.approvers}${one.reasonRequired === true ? ', with a reason' : ''}`,
      ),
    );
  if (view.action.explanation !== undefined) page.say(line(view.action.explanation.text));
  for (const one of view.action.explanation?.clauses ?? [])
    page.pair(line(one.text), line(`${one.left ?? 'absent'}  against  ${one.right ?? 'absent'}`));
  for (const one of view.action.explanation?.wouldAllow ?? [])
    page.item(line(`it would be allowed without asking ${one}`));
}

function exact(page: Sheet, view: ApprovalView, input: Written): void {
  page.heading('The exact action');
  page.pair('agent', line(view.action.agent));
  page.pair('operation', line(view.action.operation));
  page.pair('resource', line(`${view.action.resource.type}::${JSON.stringify(view.action.resource.id)}`));
  page.pair('enforcement', view.action.enforcement);
  page.pair('digest', line(view.digest));
  page.code(input.lines);
  if (!input.whole)
    page.say('The input is too large to be shown here, so it cannot be approved here.', 2, 'red');
  if (view.action.hidden === true)
    page.say(
      view.action.erased === undefined
        ? 'What it holds is not yours to see, so you cannot approve it.'
        : `What it held was erased; entry ${view.action.erased} of the log says why.`,
      2,
    );
  else
    for (const note of notesOn(view.action.input))
      page.item(line(note.path === '' ? note.text : `${note.path}: ${note.text}`), 'yellow');
}

function below(page: Sheet, view: ApprovalView, asked: Asked): void {
  for (const [title, seen] of [
    ['Before', asked.before],
    ['Preview', asked.preview],
  ] as const) {
    if (seen === null) continue;
    page.heading(`${title}: ${line(seen.tool)}, read ${new Date(seen.atMs).toISOString()}, informative only`);
    if (seen.answer.ok) page.code(writeJson(seen.answer.value, { charsMax: 8000, linesMax: 60 }).lines);
    else page.say(line(seen.answer.detail), 2, 'yellow');
  }
  page.heading('The agent’s reason (unverified)');
  for (const row of lines(view.action.reason ?? 'none given')) page.quote(row);
  page.heading('Who');
  for (const one of view.reviews)
    page.item(
      line(
        `${one.person}: ${one.decision}${one.standingInFor === undefined ? '' : ` for ${one.standingInFor}`}${one.reason === null ? '' : ` (${one.reason})`}`,
      ),
    );
  for (const one of view.cannotApprove) page.item(line(`${one.person} cannot approve: ${one.why}`));
  if (view.reviews.length === 0 && view.cannotApprove.length === 0) page.say('Nobody has decided yet.');
  untold(page, view);
  page.pair('page', listed([line(view.url)]));
}

/** A line for each channel that could not tell people. */
function untold(page: Sheet, { told = [] }: ApprovalView): void {
  for (const { channel, state, at, detail, nextTryAt, instead } of told) {
    if (state !== 'failing' && state !== 'given_up') continue;
    const next = nextTryAt === null ? 'not tried again' : `tried again at ${nextTryAt}`;
    const others = instead.length === 0 ? '' : `; told instead: ${listed(instead.map(channelName))}`;
    page.item(
      say`${channelName(channel)} could not tell people since ${at} (${detail?.replace(/\.\s*$/, '') ?? 'no reason given'}), ${next}${others}`,
      'yellow',
    );
  }
}
