/**
 * What others say of the trace that a request belongs to (W3C Trace Context and Baggage). Anybody can write anything there, so a
 * value passes only where it is exactly of the standard's form, and within its bounds; all else is as if it were not said. Pure.
 */

/** Of a `traceparent`, by its fields. */
export interface TraceParent {
  /** 32 hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** 16 hexadecimal digits, not all zero. */
  readonly spanId: string;
  readonly sampled: boolean;
}

/** W3C Trace Context §3.2: version 00 has nothing after its flags; of later ones what is known is read. */
const parentForm = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[\x21-\x7e]{0,200})?$/;

/** Reads a `traceparent`; undefined for what is none. */
export function readTraceParent(value: unknown): TraceParent | undefined {
  if (typeof value !== 'string') return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = parentForm.exec(value) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** As version 00 writes it. */
export const traceParentText = ({ traceId, spanId, sampled }: TraceParent): string =>
  `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;

/** W3C Trace Context §3.3.1.5: at least so much is to be passed on, and we pass on no more. */
const stateCharsMax = 512;
const stateMembersMax = 32;
/** W3C Trace Context §3.3.1.3, without empty members. */
const stateMember =
  /^[ \t]*[a-z0-9][a-z0-9_\-*/]{0,240}(?:@[a-z][a-z0-9_\-*/]{0,13})?=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e][ \t]*$/;

/** A `tracestate` as it may be passed on; undefined for what is none, or too long. */
export function readTraceState(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > stateCharsMax) return undefined;
  const members = value.split(',');
  return members.length <= stateMembersMax && members.every((member) => stateMember.test(member))
    ? value
    : undefined;
}

/** W3C Baggage §3.3.2: more need not be passed on. */
const baggageCharsMax = 8192;
const baggageMembersMax = 64;
/** W3C Baggage §3.3.1: a token, `=`, octets without commas; properties behind semicolons. */
const baggageMember = /^[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]*=[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e \t]*$/;

/** Baggage as it may be passed on, unread; undefined for what is none, or too much. */
export function readBaggage(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > baggageCharsMax) return undefined;
  const members = value.split(',');
  return members.length <= baggageMembersMax && members.every((member) => baggageMember.test(member))
    ? value
    : undefined;
}
