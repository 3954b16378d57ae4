/** The log's sentences about how people and agents prove who they are: tokens, passkeys, sessions, accounts, claimed groups. */
import { nameOf } from '../conflict.ts';
import type { Directory } from '../directory.ts';
import type { Entry } from '../entry.ts';
import { asPersonId } from '../ids.ts';
import { isJsonObject, type JsonValue } from '../json.ts';
import { bad, personWords, plain, text, type EntryOf, type Lines } from './log-words-line.ts';
import { brief, pickText } from './read.ts';
import { line, say, short, type Shown } from './shown.ts';

type PeopleEntry = EntryOf<'passkey' | 'token' | 'sign_in' | 'person' | 'account' | 'membership'>;

export const peopleLines: Lines<PeopleEntry> = {
  'token.issued': plain(({ data }) => say`A token was issued for ${principalWords(data['for'])}.`),
  'token.revoked': plain(
    ({ data }) => say`The token ${text(data, 'token')} of ${principalWords(data['for'])} was revoked.`,
  ),
  'passkey.granted': plain(
    ({ data, by, directory }) => say`${by} let ${personWords(data['person'], directory)} enrol a passkey.`,
  ),
  'passkey.enrolled': plain(({ data, by }) => say`${by} enrolled the passkey ${text(data, 'name')}.`),
  'passkey.refused': bad(
    ({ data, by, directory }) =>
      say`A passkey for ${personWords(data['for'], directory)}, asked by ${by}, was refused (${text(data, 'code')}).`,
  ),
  'passkey.confirmed': plain(
    ({ data, by, directory }) =>
      say`${by} confirmed the passkey ${text(data, 'name')} of ${personWords(data['person'], directory)}.`,
  ),
  'passkey.revoked': plain(
    ({ data, by, directory }) =>
      say`${by} revoked the passkey ${text(data, 'name')} of ${personWords(data['person'], directory)}.`,
  ),
  'sign_in.issued': plain(
    ({ data, directory }) => say`A sign-in link was issued for ${personWords(data['person'], directory)}.`,
  ),
  'person.signed_in': plain(({ by }) => say`${by} signed in.`),
  'person.signed_out': plain(({ by }) => say`${by} signed out.`),
  'account.linked': plain(
    ({ data, directory }) =>
      say`The account ${accountWords(data)} was linked to ${whoWords(data, directory)}; it counts from ${text(data, 'countsFrom')}.`,
  ),
  'account.unlinked': plain(({ data, by }) => say`${by} took their account ${accountWords(data)} away.`),
  'account.confirmed': plain(
    ({ data, by, directory }) =>
      say`${by} confirmed the account ${accountWords(data)} of ${whoWords(data, directory)}; it counts at once.`,
  ),
  'account.refused': bad(
    ({ data }) =>
      say`${refusedWords(data)} (${text(data, 'code')}): ${brief(pickText(data, ['why']) ?? 'no reason given', 120)}.`,
  ),
  'membership.changed': plain(({ data, directory }) => membershipWords(data, whoWords(data, directory))),
};

const principalWords = (principal: JsonValue | undefined): Shown =>
  say`${short(pickText(principal, ['kind']) ?? 'somebody', 20)} ${short(pickText(principal, ['id']) ?? '', 80)}`;

const whoWords = (data: Entry['data'], directory: Directory): Shown =>
  line(nameOf(directory, asPersonId(pickText(data, ['person']) ?? '?')));

/** The key of an account, which names a provider and what it calls somebody. */
function accountWords(data: Entry['data']): Shown {
  const { account } = data;
  const of = (name: string): Shown => short(pickText(account, [name]) ?? '?', 120);
  return say`${of('subject')} at ${of('issuer')}`;
}

/** What a provider answered may have named no account that could be believed. */
const refusedWords = (data: Entry['data']): Shown =>
  isJsonObject(data['account'])
    ? say`The account ${accountWords(data)} was refused`
    : say`A sign-in with ${short(pickText(data, ['provider']) ?? '?', 80)} was refused`;

function membershipWords(data: Entry['data'], who: Shown): Shown {
  const how = pickText(data, ['how']);
  if (how === 'lost')
    return say`${text(data, 'provider')} no longer says that ${who} is in ${text(data, 'group')}.`;
  return how === 'confirmed'
    ? say`It was confirmed that ${who} is in ${text(data, 'group')}, which counts at once.`
    : say`${text(data, 'provider')} says that ${who} is in ${text(data, 'group')}; it counts for approving from ${text(data, 'countsFrom')}.`;
}
