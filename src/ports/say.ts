/** What an operator reads: one line at a time, with what programs find it by. */

/**
 * What a line is about. Names are stable: alarms are set on them. `note` is what is good to know, `trouble` what somebody should
 * look at; the part before the dot is who speaks.
 */
export type EventName =
  | 'gate.note'
  | 'gate.warning'
  | 'gate.fault'
  | 'gate.ready'
  | 'config.note'
  | 'log.trouble'
  | 'identity.trouble'
  | 'channel.trouble'
  | 'approval.told'
  | 'upstream.output'
  | 'traces.trouble'
  | 'request.answered';

export interface SaidOf {
  readonly event?: EventName;
  readonly level?: 'debug' | 'info' | 'warn' | 'error';
  readonly action?: string;
  readonly approval?: string;
  readonly execution?: string;
  /** 32 hexadecimal digits (W3C Trace Context). */
  readonly trace?: string;
  /** The gate that says it. */
  readonly gate?: string;
  /** More that is a number or a name of the gate's own. */
  readonly more?: Readonly<Record<string, string | number | null>>;
}

/** Says one line; its end is added. */
export type Say = (line: string, of?: SaidOf) => void;
