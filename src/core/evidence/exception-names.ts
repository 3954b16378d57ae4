/** Which names exceptions have (model-exceptions.ts): what management answers is one of these, and nothing else. */
import { checkNames } from './model-rows.ts';
import { exceptionKinds, type ExceptionKind } from './model-exceptions.ts';

/** Longest name, in UTF-16 units. */
export const exceptionCharsMax = 300;
/** Longest answer, in characters. */
export const answerCharsMax = 2000;

const index = /^(?:0|[1-9]\d{0,15})$/;
/** Names of operations, servers and people: what the configuration lets be one, and nothing that could be anything else. */
const name = /^[\p{L}\p{N}_.@:-]+$/u;
const checked = new RegExp(`^(?:0|[1-9]\\d{0,15}):(?:${checkNames.join('|')})$`);

const forms: Readonly<Record<ExceptionKind, RegExp>> = {
  observe: name,
  cooperative: name,
  downtime: index,
  machine: index,
  unreviewed: index,
  'break-glass': /^(?:gls_[0-9a-z]+|\d+)$/,
  'fast-approval': index,
  'unknown-outcome': index,
  'in-doubt': index,
  erased: index,
  tampered: index,
  late: index,
  origin: index,
  restored: index,
  'target-only': name,
  'failed-check': checked,
  leaver: name,
};

/** `KIND/WHAT` in one of the forms. Whether there is such an exception is for the evidence to say. */
export function isExceptionName(text: string): boolean {
  const slash = text.indexOf('/');
  const kind = exceptionKinds.find((one) => one === text.slice(0, slash));
  return text.length <= exceptionCharsMax && kind !== undefined && forms[kind].test(text.slice(slash + 1));
}
