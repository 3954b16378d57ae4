/**
 * What gates tell each other when one of them has committed: a hint, never the truth. Whoever may NOTIFY on the database can
 * send any; all that one does is to make gates read again.
 */
import { asActionId, type ActionId } from '../core/ids.ts';
import { sha256Hex } from '../core/sha256.ts';
import type { Told } from './driver.ts';

export interface Hint extends Told {
  /** The store that sent it. */
  readonly from: string;
  /** Entries in the log after the commit; 0: not said. */
  readonly size: number;
}

/** PostgreSQL takes payloads of fewer than 8,000 bytes. */
const payloadCharsMax = 7_900;

const form = /^([0-9a-f]{16}) (\d{1,15}) ([n-]) (\*|-|act_[0-9a-z]{26}(?: act_[0-9a-z]{26})*)$/;

/** One channel for all gates of a schema; a name for LISTEN, which takes no parameter. */
export const channelOf = (schema: string): string => `countersign_${sha256Hex(schema).slice(0, 16)}`;

export function hintText({ from, size, changed, notices }: Hint): string {
  const all = changed === 'everything' ? '*' : changed.length === 0 ? '-' : changed.join(' ');
  const head = `${from} ${size} ${notices ? 'n' : '-'} `;
  const text = head + all;
  // Too many, or an id that is none of ours: everybody looks.
  return text.length <= payloadCharsMax && form.test(text) ? text : `${head}*`;
}

/** What is no hint of ours says that anything may have changed. */
export function hintOf(payload: string): Hint {
  const [, from = '', size = '0', notices, ids = '*'] =
    payload.length <= payloadCharsMax ? (form.exec(payload) ?? []) : [];
  return {
    from,
    size: Number(size),
    notices: notices !== '-',
    changed:
      ids === '*' ? 'everything' : ids === '-' ? [] : ids.split(' ').map((id): ActionId => asActionId(id)),
  };
}
