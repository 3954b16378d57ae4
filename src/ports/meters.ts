/**
 * What operators count. Promises: counting never fails and is never waited for; what is counted is kept in memory from the start
 * of the process on; names that are not the gate's own are counted as `other`, so that nobody outside makes up new ones.
 */
import type { ChatKind } from '../core/chat.ts';

export interface Meters {
  /** One try to tell a channel of one notice: whether it has arrived. */
  delivered(channel: string, ok: boolean): void;
  /** A press in a chat was carried out or refused. @param outcome `done`, or the code of a refusal. */
  pressed(channel: ChatKind, outcome: string): void;
}
