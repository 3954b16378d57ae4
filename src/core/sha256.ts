/**
 * SHA-256, its HMAC and a comparison that leaks no time. The only file of core that imports anything from
 * outside core: these are functions of their arguments, so core stays pure.
 *
 * Text is hashed as UTF-8. Text with a lone surrogate has no UTF-8 form (the encoder would write U+FFFD for
 * each, and two different texts would share a digest), so it throws a TypeError: a caller let unchecked text
 * in.
 */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';

function checked(data: Uint8Array | string): Uint8Array | string {
  if (typeof data === 'string' && !data.isWellFormed())
    throw new TypeError('text with a lone surrogate has no digest');
  return data;
}

/** 32 bytes (FIPS 180-4). */
export const sha256 = (data: Uint8Array | string): Uint8Array =>
  new Uint8Array(hash('sha256', checked(data), 'buffer'));

/** 64 lower-case hexadecimal digits. */
export const sha256Hex = (data: Uint8Array | string): string => hash('sha256', checked(data), 'hex');

/** HMAC-SHA-256 (RFC 2104), 64 lower-case hexadecimal digits. */
export const hmacSha256Hex = (key: Uint8Array, data: string): string =>
  createHmac('sha256', key).update(checked(data)).digest('hex');

/**
 * Whether the bytes are the same, in a time that depends on their lengths only; lengths are taken as public.
 */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && timingSafeEqual(a, b);
