/** Notes to a person in plain words. A kind that this file does not know is shown by its name: a note is never swallowed. */
import { nameOf } from '../conflict.ts';
import type { Directory } from '../directory.ts';
import { asPersonId } from '../ids.ts';
import type { JsonValue } from '../json.ts';
import type { Note } from '../note.ts';
import { rfc3339 } from '../time.ts';
import { pickText } from './read.ts';
import { clock, say, short, type Shown } from './shown.ts';

/** One sentence about a note. */
export function noteWords({ kind, body, atMs }: Note, directory: Directory): Shown {
  const text = (name: string): Shown => short(pickText(body, [name]) ?? '?', 200);
  const name = (field: string): string => nameOf(directory, asPersonId(pickText(body, [field]) ?? '?'));
  /** Whoever has the machine is nobody's name. */
  const by = (): string => (pickText(body, ['by']) === null ? 'Somebody at the gate’s machine' : name('by'));
  const at = (field: string): string => {
    const ms = Date.parse(pickText(body, [field]) ?? '');
    return Number.isFinite(ms) ? clock(ms) : text(field);
  };
  const from = fromWords(body['countsFromMs'], atMs);
  switch (kind) {
    case 'account.linked':
      return say`The account ${text('display')} (${text('issuer')}) was linked to you${from}.`;
    case 'account.confirmed':
      return say`${name('by')} confirmed your account ${text('display')}: it counts for approving.`;
    case 'account.unlinked':
      return say`Your account ${text('display')} (${text('issuer')}) was taken away.`;
    case 'group.claimed':
      return say`${text('provider')} says that you are in ${text('group')}${from}.`;
    case 'group.confirmed':
      return say`It was confirmed that you are in ${text('group')}: it counts for approving.`;
    case 'group.lost':
      return say`${text('provider')} no longer says that you are in ${text('group')}.`;
    case 'delegation.made':
      return say`${name('to')} stands in for ${name('from')} from ${at('begins')} until ${at('until')}.`;
    case 'delegation.ended':
      return say`${name('by')} ended that ${name('to')} stands in for ${name('from')}.`;
    case 'passkey.granted':
      return say`${by()} let you enrol a passkey.`;
    case 'passkey.enrolled':
      return say`The passkey ${text('name')} was enrolled for you${from}.`;
    case 'passkey.confirmed':
      return say`${by()} confirmed your passkey ${text('name')}: it counts for approving.`;
    case 'passkey.revoked':
      return say`${by()} revoked your passkey ${text('name')}: nothing that it signs from now on counts.`;
    case 'sessions.ended':
      return say`Sessions of yours were ended.`;
    default:
      return otherWords(kind, body);
  }
}

const fromWords = (countsFromMs: JsonValue | undefined, atMs: number): string =>
  typeof countsFromMs === 'number' && countsFromMs > atMs
    ? `; what is done with it counts for approving from ${clock(countsFromMs)}`
    : '';

/** Its name, and the texts that it holds. */
function otherWords(kind: string, body: Note['body']): Shown {
  const words = Object.entries(body).flatMap(([key, value]) => {
    if (typeof value === 'string') return [`${key} ${value}`];
    return typeof value === 'number' && key.endsWith('Ms') ? [`${key.slice(0, -2)} ${rfc3339(value)}`] : [];
  });
  return short(words.length === 0 ? kind : `${kind}: ${words.join(', ')}`, 400);
}
