/**
 * Codes by which an account of a chat is attached: the web shows eight digits to somebody who is signed in, the account sends
 * them to the gate's app, and the web asks whether that account is theirs. Guessing is bounded by account, and worth nothing alone.
 */
import { sha256Hex } from './sha256.ts';

/** What such a code may finish (core/begun.ts). */
export const chatKind = 'chat';
/** Wrong codes of one account, counted. */
export const chatTriesKind = 'chat.tries';

/** How long a code can be sent, and what was sent be confirmed. */
export const chatCodeMs = 10 * 60_000;
/** Wrong codes that one account may send within that time. */
export const chatTriesMax = 5;
/** Largest multiple of 10^8 that 32 bits hold: what is above would make some codes likelier. */
const fair = 4_200_000_000;

/** Eight digits from random bytes, each code as likely as every other; null where these four bytes do not serve. */
export function chatCodeOf(random: Uint8Array): string | null {
  const number = new DataView(random.buffer, random.byteOffset, 4).getUint32(0);
  return number >= fair ? null : String(number % 100_000_000).padStart(8, '0');
}

/** What the store knows a code by. Spaces and hyphens that people put between digits mean nothing. */
export const chatCodeHash = (code: string): string =>
  sha256Hex(`countersign.chat-code.v1\0${code.replace(/[\s-]/g, '')}`);

/** Where an account's wrong codes are counted. */
export const chatTriesHash = (account: { kind: string; issuer: string; subject: string }): string =>
  sha256Hex(`countersign.chat-tries.v1\0${JSON.stringify([account.kind, account.issuer, account.subject])}`);
