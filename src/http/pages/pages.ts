/**
 * The pages: finds the route, learns who asks, and answers HTML. A GET only shows; whatever changes something is a POST by a
 * signed-in person from a form of ours (the port `identity` checks origin and token), and ends in one use case of `app`.
 */
import { asApprovalId, type ApprovalId } from '../../core/ids.ts';
import { refuse, type Refusal } from '../../core/refusal.ts';
import type { About } from '../../app/about.ts';
import type { Parts } from '../../app/parts.ts';
import { readHeld } from '../../app/review.ts';
import type { Identity } from '../../ports/identity.ts';
import { accountPage } from './account.ts';
import {
  accountConfirmed,
  codeAsked,
  codeConfirmed,
  groupConfirmed,
  notesRead,
  sessionEnded,
  unlinked,
} from './account-change.ts';
import { agentPage, agentsPage } from './agents.ts';
import { approvalPage } from './approval.ts';
import { cameBack, wentAway } from './away-change.ts';
import { assetResponse } from './assets.ts';
import { cancelled, reviewed, settled, stoppedHere } from './change.ts';
import { evidenceMade, evidencePage, exceptionAnswered } from './evidence.ts';
import { createEvents, type Events } from './events.ts';
import { readForm } from './form.ts';
import { glassAsked, glassEnded, glassPage, glassReviewed } from './glass.ts';
import { inboxPage } from './inbox.ts';
import { linkConfirmed, linkLooked, linkPage } from './link.ts';
import { entryPage, logPage } from './log.ts';
import { logExported } from './log-export.ts';
import { refused, signInNeeded } from './message.ts';
import { accepted, lifted, stopped } from './operate.ts';
import { onceOf } from './once.ts';
import { passkeysPage } from './passkeys.ts';
import { confirmed, enrolled, enrolmentAsked, granted, revoked, signingAsked } from './passkeys-change.ts';
import { peoplePage, personPage } from './people.ts';
import { policiesPage } from './policies.ts';
import { reconciliationPage, reconciliationsPage } from './reconciliations.ts';
import { receiptDownload, trustedRootDownload } from './receipts.ts';
import { refusalPage, type Answer } from './frame.ts';
import { otherMethod, page, seeOther } from './responses.ts';
import { retentionPage } from './retention.ts';
import { retentionChanged } from './retention-change.ts';
import { routeOf, type Change, type Route } from './routes.ts';
import { serversPage, toolPage } from './servers.ts';
import { statusPage } from './status.ts';
import { visitOf, type Visit } from './visit.ts';

/** Answers the paths of the pages; undefined for any other. Never decides on a GET. */
export function createPages(
  parts: Parts,
  identity: Identity,
  about: About,
): (request: Request) => Promise<Response | undefined> {
  const events = createEvents(parts);
  return async (request) => {
    const url = new URL(request.url);
    const found = routeOf(url.pathname);
    if (found === undefined) return undefined;
    const reads = request.method === 'GET' || request.method === 'HEAD';
    if (found.changes ? request.method !== 'POST' : !reads)
      return otherMethod(found.changes ? 'POST' : 'GET, HEAD');
    // A stream without a reader would stay open.
    if (found.to === 'events' && request.method === 'HEAD') return otherMethod('GET');
    if (found.to === 'asset') return assetResponse(request, found.id);
    const session = await identity.session(request);
    if (!session.ok) return notSignedIn(session.error, url, found);
    const visit = await visitOf(parts, about, session.value);
    return found.changes ? change(visit, request, found) : show(visit, url, { found, events });
  };
}

/** Where signing in should lead back to: never to a POST. */
function notSignedIn(refusal: Refusal, url: URL, found: Route): Promise<Response> {
  if (refusal.code === 'unauthenticated')
    return page(
      401,
      signInNeeded(
        found.changes ? backTo(found.to) : url.pathname + url.search,
        !found.changes,
        found.to === 'link',
      ),
    );
  const { status, body } = refused(refusal, null);
  return page(status, body);
}

/** Where one begins anew what could not be done: a link of a chat is kept in the browser until then. */
const backTo = (to: Change): string => (to === 'linkLook' || to === 'linkConfirm' ? '/link' : '/inbox');

const answer = ({ status, body }: Answer): Promise<Response> => page(status, body);

async function show(
  visit: Visit,
  { searchParams: query }: URL,
  { found, events }: { readonly found: Route & { readonly changes: false }; readonly events: Events },
): Promise<Response | undefined> {
  const named = (name: string): string => query.get(name) ?? '';
  switch (found.to) {
    case 'home':
      return seeOther('/inbox');
    case 'inbox':
      return page(200, await inboxPage(visit, query.has('after') ? asApprovalId(named('after')) : undefined));
    case 'approval':
      return approval(visit, asApprovalId(found.id));
    case 'log':
      return answer(await logPage(visit, query));
    case 'entry':
      return answer(await entryPage(visit, Number(found.id)));
    case 'receipt':
      return receiptDownload(visit, Number(found.id), query);
    case 'trustedRoot':
      return trustedRootDownload(visit);
    case 'policies':
      return answer(await policiesPage(visit, query));
    case 'agents':
      return answer(await agentsPage(visit, query));
    case 'agent':
      return answer(await agentPage(visit, named('id')));
    case 'people':
      return answer(await peoplePage(visit, query));
    case 'person':
      return answer(await personPage(visit, named('id')));
    case 'servers':
      return answer(await serversPage(visit, query));
    case 'tool':
      return answer(await toolPage(visit, { server: named('server'), name: named('name') }));
    case 'status':
      return answer(await statusPage(visit));
    case 'reconciliations':
      return answer(await reconciliationsPage(visit));
    case 'reconciliation':
      return answer(await reconciliationPage(visit, found.id));
    case 'glass':
      return answer(await glassPage(visit, query));
    case 'evidence':
      return answer(await evidencePage(visit, query));
    case 'retention':
      return answer(await retentionPage(visit));
    case 'passkeys':
      return answer(await passkeysPage(visit));
    case 'account':
      return answer(await accountPage(visit));
    case 'link':
      return answer(await linkPage(visit));
    case 'events':
      return events.open(visit.person);
    case 'asset':
      return undefined;
  }
}

async function approval(visit: Visit, id: ApprovalId): Promise<Response> {
  const held = await readHeld(visit.parts, visit.by, id);
  return held.ok ? page(200, await approvalPage(visit, held.value, null)) : refusalPage(visit, held.error);
}

async function change(
  visited: Visit,
  request: Request,
  found: Route & { readonly changes: true },
): Promise<Response> {
  const fields = await readForm(request);
  if (fields === undefined)
    return refusalPage(visited, refuse('input_invalid', 'This form could not be read; open the page again.'));
  const { pathname } = new URL(request.url);
  const visit = { ...visited, once: onceOf(visited.person, pathname, fields) };
  switch (found.to) {
    case 'review':
      return reviewed(visit, asApprovalId(found.id), fields);
    case 'cancel':
      return cancelled(visit, asApprovalId(found.id), fields);
    case 'settle':
      return settled(visit, found.id, fields);
    case 'stopHere':
      return stoppedHere(visit, asApprovalId(found.id), fields);
    case 'stop':
      return stopped(visit, fields);
    case 'lift':
      return lifted(visit, fields);
    case 'accept':
      return accepted(visit, fields);
    case 'unlink':
    case 'accountConfirm':
    case 'groupConfirm':
    case 'sessionEnd':
    case 'notesRead':
    case 'chatCode':
    case 'chatConfirm':
    case 'linkLook':
    case 'linkConfirm':
    case 'awayBegin':
    case 'awayEnd':
      return ownChange(visit, found.to, fields);
    case 'sign':
      return signingAsked(visit, asApprovalId(found.id), fields);
    case 'passkeyOptions':
      return enrolmentAsked(visit);
    case 'passkeyEnrol':
      return enrolled(visit, fields);
    case 'passkeyRevoke':
      return revoked(visit, fields);
    case 'passkeyConfirm':
      return confirmed(visit, fields);
    case 'passkeyGrant':
      return granted(visit, fields);
    case 'glassAsk':
      return glassAsked(visit, fields);
    case 'glassEnd':
      return glassEnded(visit, fields);
    case 'glassReview':
      return glassReviewed(visit, fields);
    case 'erase':
    case 'holdPlace':
    case 'holdRelease':
      return retentionChanged(visit, found.to, fields);
    case 'evidenceMake':
      return evidenceMade(visit, fields, request.signal);
    case 'evidenceAnswer':
      return exceptionAnswered(visit, fields);
    case 'logExport':
      return logExported(visit, fields);
  }
}

/** What people change about themselves: accounts, groups, sessions, chats, absences. */
async function ownChange(
  visit: Visit,
  to:
    | 'unlink'
    | 'accountConfirm'
    | 'groupConfirm'
    | 'sessionEnd'
    | 'notesRead'
    | 'chatCode'
    | 'chatConfirm'
    | 'linkLook'
    | 'linkConfirm'
    | 'awayBegin'
    | 'awayEnd',
  fields: ReadonlyMap<string, string>,
): Promise<Response> {
  switch (to) {
    case 'unlink':
      return unlinked(visit, fields);
    case 'accountConfirm':
      return accountConfirmed(visit, fields);
    case 'groupConfirm':
      return groupConfirmed(visit, fields);
    case 'sessionEnd':
      return sessionEnded(visit, fields);
    case 'notesRead':
      return notesRead(visit);
    case 'chatCode':
      return codeAsked(visit);
    case 'chatConfirm':
      return codeConfirmed(visit);
    case 'linkLook':
      return linkLooked(visit, fields);
    case 'linkConfirm':
      return linkConfirmed(visit, fields);
    case 'awayBegin':
      return wentAway(visit, fields);
    case 'awayEnd':
      return cameBack(visit, fields);
  }
}
