/**
 * Which account of a chat belongs to whom an ID token is about. Only two kinds of providers can say it, because they keep both:
 * Microsoft Entra (the Teams account of the same directory) and Slack. From any other issuer the same claims are somebody's words.
 *
 * Pure, and strict: the issuer as it is configured, and was compared with the token's byte by byte; every claim in its own form.
 */
import type { AccountKey } from '../core/accounts.ts';

/**
 * Issuers of Entra, each for one directory (tenant): the public cloud, the one of the US government (GCC High and DoD), and the one
 * of 21Vianet in China. An issuer for several directories (`common`, `organizations`) names none and matches nothing.
 */
const entra =
  /^https:\/\/login\.(?:microsoftonline\.com|microsoftonline\.us|partner\.microsoftonline\.cn)\/([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\/v2\.0$/;
const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const slack = 'https://slack.com';
/** A workspace, and a member as that workspace or its enterprise names them. */
const slackTeam = /^T[A-Z0-9]{1,30}$/;
const slackEnterprise = /^E[A-Z0-9]{1,30}$/;
const slackUser = /^[UW][A-Z0-9]{1,30}$/;

/** @param claims of an ID token that has been verified for this issuer. Null: it names no account of a chat. */
export function chatAccountOf(issuer: string, claims: Readonly<Record<string, unknown>>): AccountKey | null {
  const textOf = (name: string): string => {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    return typeof value === 'string' ? value : '';
  };
  const directory = entra.exec(issuer)?.[1]?.toLowerCase();
  if (directory !== undefined) {
    const [tid, oid] = [textOf('tid').toLowerCase(), textOf('oid').toLowerCase()];
    return tid === directory && guid.test(oid) ? { kind: 'teams', issuer: tid, subject: oid } : null;
  }
  if (issuer !== slack) return null;
  const [team, user] = [textOf(`${slack}/team_id`), textOf(`${slack}/user_id`)];
  const enterprise = textOf(`${slack}/enterprise_id`);
  if (!slackTeam.test(team) || !slackUser.test(user)) return null;
  if (enterprise === '') return { kind: 'slack', issuer: team, subject: user };
  // A member of an enterprise is known by it in all its workspaces.
  return slackEnterprise.test(enterprise) ? { kind: 'slack', issuer: enterprise, subject: user } : null;
}
