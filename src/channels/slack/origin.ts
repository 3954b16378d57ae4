/**
 * Whether a payload is for this gate, and of whose account. Slack's signature says only that Slack sent it: to some app, from
 * some workspace, of anybody who can see the message. Pure.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import { refuse } from '../../core/refusal.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { SlackSettings } from '../../ports/channel-settings.ts';
import type { TurnedAway } from '../../ports/chat.ts';
import { textAt, type Sender } from './payload.ts';

export type Origin =
  /** Of another app, or of another organisation: not for us at all. */
  | { readonly kind: 'foreign'; readonly detail: string }
  /** For us, by somebody of another organisation: Slack Connect shares channels between them. */
  | { readonly kind: 'stranger'; readonly issuer: string }
  | { readonly kind: 'ours'; readonly issuer: string };

/** Settings name an enterprise where the app is installed for all of its workspaces (Enterprise Grid). */
const isEnterprise = (team: string): boolean => team.startsWith('E');

/** Judges what the payload says. What Slack says of the person is asked as well (`judgeMember`): neither alone is enough. */
export function judgeOrigin(sender: Sender, { appId, team }: SlackSettings): Origin {
  if (sender.appId !== appId)
    return { kind: 'foreign', detail: `of the app ${named(sender.appId)}, not of ${appId}` };
  const from = isEnterprise(team) ? sender.enterprise : sender.team;
  if (from !== team) return { kind: 'foreign', detail: `from ${named(from)}, not from ${team}` };
  // An account of an enterprise is the same in all of its workspaces.
  const issuer = sender.enterprise ?? team;
  if (sender.userTeam === null)
    return sender.saysUserTeam ? { kind: 'stranger', issuer: 'unknown' } : { kind: 'ours', issuer };
  // Workspaces of an enterprise are not known by name: whether the user is of it, the member check says.
  if (isEnterprise(team)) return { kind: 'ours', issuer };
  const isOurs = sender.userTeam === team || sender.userTeam === sender.enterprise;
  return isOurs ? { kind: 'ours', issuer } : { kind: 'stranger', issuer: sender.userTeam };
}

/** An identifier out of a payload, for a line of ours: what does not look like one is not repeated. */
const named = (id: string | null): string => (id !== null && /^[A-Z0-9]{1,32}$/.test(id) ? id : 'another');

/**
 * Whether the platform's own record of a user (`users.info`) is that of a full member of our organisation. What it does not
 * say is not assumed: `deleted` and `is_bot` must be there and false. @param issuer of the account that pressed.
 */
export function judgeMember(
  answer: JsonObject,
  account: { readonly issuer: string; readonly subject: string },
  { team }: SlackSettings,
): Result<null, TurnedAway> {
  const user = answer['user'];
  if (!isJsonObject(user) || user['id'] !== account.subject)
    return turned('not_permitted', 'Slack does not say who you are, so nothing was done.', {
      user: account.subject,
    });
  const evidence: JsonObject = {
    user: account.subject,
    team: textAt(user, 'team_id'),
    enterprise: textAt(user, 'enterprise_user', 'enterprise_id'),
  };
  const flagged = (flag: string): boolean => user[flag] === true;
  if (user['deleted'] !== false)
    return turned('not_permitted', 'This Slack account is deactivated.', { ...evidence, deleted: true });
  if (user['is_bot'] !== false || account.subject === 'USLACKBOT' || flagged('is_workflow_bot'))
    return turned('not_a_person', 'Only people decide; this is the account of a bot.', {
      ...evidence,
      bot: true,
    });
  if (flagged('is_stranger') || !isOfOurs(user, account.issuer, team))
    return turned('not_permitted', strangerSays, { ...evidence, stranger: true });
  if (flagged('is_restricted') || flagged('is_ultra_restricted'))
    return turned('not_permitted', 'Guests of a workspace decide nothing here; only full members do.', {
      ...evidence,
      guest: true,
    });
  return ok(null);
}

/** What people of other organisations are told. */
export const strangerSays =
  'You are not a member of the organisation that this gate serves, so nothing was done.';

const turned = (
  code: 'not_permitted' | 'not_a_person',
  detail: string,
  evidence: JsonObject,
): Result<never, TurnedAway> => err({ refusal: refuse(code, detail), evidence });

/** Of our workspace or enterprise, and of the one that the press said: the account's key must not depend on who answers. */
function isOfOurs(user: JsonObject, issuer: string, team: string): boolean {
  const enterprise = textAt(user, 'enterprise_user', 'enterprise_id');
  if (issuer !== (enterprise ?? team)) return false;
  if (isEnterprise(team)) return enterprise === team;
  return textAt(user, 'team_id') === team || includes(user, team);
}

/** Somebody of an enterprise is a member of several workspaces; `team_id` names one of them. */
function includes(user: JsonObject, team: string): boolean {
  const member: JsonValue | undefined = user['enterprise_user'];
  const teams = isJsonObject(member) ? member['teams'] : undefined;
  return isJsonArray(teams) && teams.includes(team);
}
