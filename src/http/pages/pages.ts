/**
 * The pages: finds the route, learns who asks, and answers HTML. A GET only shows; whatever changes something is a POST by a
 * signed-in person from a form of ours (the port `identity` checks origin and token), and ends in one use case of `app`.
 */
import { asApprovalId, asDigest, asExecutionId, type ApprovalId } from '../../core/ids.ts';
import { refuse, statusOf, type Refusal } from '../../core/refusal.ts';
import { exactOf } from '../../core/render/exact.ts';
import type { Result } from '../../core/result.ts';
import type { Case } from '../../core/case.ts';
import type { Parts } from '../../app/parts.ts';
import { cancel, readHeld, review, settle } from '../../app/review.ts';
import type { Identity } from '../../ports/identity.ts';
import { approvalPage } from './approval.ts';
import { assetResponse } from './assets.ts';
import type { Attempted } from './decide.ts';
import { createEvents, type Events } from './events.ts';
import { readForm, reasonIn } from './form.ts';
import { inboxPage } from './inbox.ts';
import { logPage } from './log.ts';
import { refused, signInNeeded } from './message.ts';
import { otherMethod, page, seeOther } from './responses.ts';
import { layoutOf, pendingOf, visitOf, type Visit } from './visit.ts';

/** Answers the paths of the pages; undefined for any other. Never decides on a GET. */
export function createPages(
  parts: Parts,
  identity: Identity,
): (request: Request) => Promise<Response | undefined> {
  const events = createEvents(parts);
  return async (request) => {
    const url = new URL(request.url);
    const found = routeOf(url);
    if (found === undefined) return undefined;
    const reads = request.method === 'GET' || request.method === 'HEAD';
    if (found.changes ? request.method !== 'POST' : !reads)
      return otherMethod(found.changes ? 'POST' : 'GET, HEAD');
    // A stream without a reader would stay open.
    if (found.to === 'events' && request.method === 'HEAD') return otherMethod('GET');
    if (found.to === 'asset') return assetResponse(request, found.id);
    const session = await identity.session(request);
    if (!session.ok) return notSignedIn(session.error, url, found);
    const visit = await visitOf(parts, session.value);
    return found.changes ? change(visit, request, found) : show(visit, url, { found, events });
  };
}

interface Route {
  readonly to: 'asset' | 'home' | 'inbox' | 'approval' | 'log' | 'events' | 'review' | 'cancel' | 'settle';
  readonly changes: boolean;
  readonly id: string;
}

/** Ids in paths: short, and of our own alphabet. */
const patterns: readonly (readonly [to: Route['to'], changes: boolean, pattern: RegExp])[] = [
  ['home', false, /^\/$/],
  ['inbox', false, /^\/inbox$/],
  ['approval', false, /^\/approvals\/([\w-]{1,80})$/],
  ['log', false, /^\/log$/],
  ['events', false, /^\/events$/],
  ['asset', false, /^\/assets\/([\w.-]{1,40})$/],
  ['review', true, /^\/approvals\/([\w-]{1,80})\/review$/],
  ['cancel', true, /^\/approvals\/([\w-]{1,80})\/cancel$/],
  ['settle', true, /^\/executions\/([\w-]{1,80})\/settle$/],
];

function routeOf(url: URL): Route | undefined {
  for (const [to, changes, pattern] of patterns) {
    const match = pattern.exec(url.pathname);
    if (match !== null) return { to, changes, id: match[1] ?? '' };
  }
  return undefined;
}

/** Where signing in should lead back to: never to a POST. */
function notSignedIn(refusal: Refusal, url: URL, found: Route): Promise<Response> {
  if (refusal.code === 'unauthenticated')
    return page(401, signInNeeded(found.changes ? '/inbox' : url.pathname + url.search, !found.changes));
  const { status, body } = refused(refusal, null);
  return page(status, body);
}

async function show(
  visit: Visit,
  url: URL,
  { found, events }: { readonly found: Route; readonly events: Events },
): Promise<Response | undefined> {
  const after = url.searchParams.get('after');
  const before = /^\d{1,15}$/.exec(url.searchParams.get('before') ?? '');
  switch (found.to) {
    case 'home':
      return seeOther('/inbox');
    case 'inbox':
      return page(200, await inboxPage(visit, after === null ? undefined : asApprovalId(after)));
    case 'approval':
      return approval(visit, asApprovalId(found.id));
    case 'log': {
      const { status, body } = await logPage(visit, before === null ? undefined : Number(before[0]));
      return page(status, body);
    }
    case 'events':
      return events.open(visit.person);
    case 'asset':
    case 'review':
    case 'cancel':
    case 'settle':
      return undefined;
  }
}

async function approval(visit: Visit, id: ApprovalId): Promise<Response> {
  const held = await readHeld(visit.parts, visit.by, id);
  return held.ok ? page(200, await approvalPage(visit, held.value, null)) : refusalPage(visit, held.error);
}

async function refusalPage(visit: Visit, error: Refusal): Promise<Response> {
  const { status, body } = refused(error, layoutOf(visit, await pendingOf(visit), 'message', ''));
  return page(status, body);
}

async function change(visit: Visit, request: Request, found: Route): Promise<Response> {
  const fields = await readForm(request);
  if (fields === undefined)
    return refusalPage(visit, refuse('input_invalid', 'This form could not be read; open the page again.'));
  switch (found.to) {
    case 'review':
      return reviewed(visit, asApprovalId(found.id), fields);
    case 'cancel': {
      const id = asApprovalId(found.id);
      const result = await cancel(visit.parts, visit.by, id, { reason: reasonIn(fields) });
      return answered(visit, id, { result, attempted: { form: 'cancel', reason: null, unsafe: false } });
    }
    case 'settle':
      return settled(visit, found.id, fields);
    case 'asset':
    case 'home':
    case 'inbox':
    case 'approval':
    case 'log':
    case 'events':
      return refusalPage(visit, refuse('not_found', 'There is no such page.'));
  }
}

async function reviewed(
  visit: Visit,
  id: ApprovalId,
  fields: ReadonlyMap<string, string>,
): Promise<Response> {
  const decision = fields.get('decision');
  if (decision !== 'approve' && decision !== 'deny')
    return refusalPage(visit, refuse('input_invalid', 'This form names no decision; open the page again.'));
  const held = await readHeld(visit.parts, visit.by, id);
  if (!held.ok) return refusalPage(visit, held.error);
  const said = { reason: reasonIn(fields), unsafe: fields.get('unsafe') === 'yes' };
  const result = await review(visit.parts, visit.by, id, {
    ...said,
    decision,
    digest: asDigest(fields.get('digest') ?? ''),
    channel: 'web',
    // What this page would show now is what it showed: the action is immutable, and its rendering a function of it.
    shownWhole: exactOf(held.value.asked).whole,
  });
  return answered(visit, id, { result, attempted: { form: decision, ...said } });
}

async function settled(visit: Visit, id: string, fields: ReadonlyMap<string, string>): Promise<Response> {
  const status = fields.get('status');
  if (status !== 'succeeded' && status !== 'failed')
    return refusalPage(visit, refuse('input_invalid', 'This form names no outcome; open the page again.'));
  const reason = reasonIn(fields) ?? '';
  const result = await settle(visit.parts, visit.person, asExecutionId(id), { status, reason });
  return answered(visit, asApprovalId(fields.get('approval') ?? ''), {
    result,
    attempted: { form: 'settle', reason, unsafe: false },
  });
}

/** Done: back to the page by GET. Refused: the page as it is now, with the words and what was typed. */
async function answered(
  visit: Visit,
  id: ApprovalId,
  { result, attempted }: { readonly result: Result<Case, Refusal>; readonly attempted: Attempted },
): Promise<Response> {
  if (result.ok) return seeOther(`/approvals/${result.value.approval?.id ?? id}`);
  const held = await readHeld(visit.parts, visit.by, id);
  if (!held.ok) return refusalPage(visit, result.error);
  const now = { ...visit, nowMs: visit.parts.clock.nowMs() };
  return page(
    statusOf(result.error.code),
    await approvalPage(now, held.value, { ...attempted, refusal: result.error }),
  );
}
