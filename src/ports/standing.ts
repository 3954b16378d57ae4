/**
 * What a part of the gate says of itself, for the status page: a channel after each delivery, an upstream after each
 * connection, a place that the log is shipped to after each batch. Promises: saying it never fails and is never waited for; the detail holds no credential, header or variable.
 */

export interface Standing {
  readonly kind: 'channel' | 'upstream' | 'shipping';
  /** Of the channel, of the server or of the place. */
  readonly name: string;
  readonly ok: boolean;
  /** What failed, in a sentence; null where nothing did. */
  readonly detail: string | null;
  readonly atMs: number;
}

export interface Board {
  say(standing: Standing): void;
  /** One more (1) or one fewer (-1) connection of agents to a server. */
  sessions(server: string, by: 1 | -1): void;
}
