/**
 * SHA-256, its HMAC and a comparison that leaks no time. The only file of core that imports anything from
 * outside core: these are functions of their arguments, so core stays pure.
 *
 * Text is hashed as UTF-8. Text with a lone surrogate has no UTF-8 form (the encoder would write U+FFFD for
 * each, and two different texts would share a digest), so it throws a TypeError: a caller let unchecked text
 * in.
 */
import { hash, timingSafeEqual } from 'node:crypto';

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

/** How many bytes {@link sha256} takes text for. */
export const utf8Length = (text: string): number => Buffer.byteLength(text, 'utf8');

/** Bytes of a block of SHA-256, which RFC 2104 fills with the key; and of its digest. */
const blockBytes = 64;
const digestBytes = 32;
const encoder = new TextEncoder();

/** A block of the key under a mask, with room behind it. */
function masked(key: Uint8Array, mask: number, roomBytes: number): Uint8Array {
  const bytes = new Uint8Array(blockBytes + roomBytes).fill(mask, 0, blockBytes);
  for (let at = 0; at < key.length; at += 1) bytes[at] = (key[at] ?? 0) ^ mask;
  return bytes;
}

/**
 * HMAC-SHA-256 (RFC 2104), 64 lower-case hexadecimal digits. Written out as its two hashes: `createHmac` makes an object
 * for each, which costs several times what is hashed.
 */
export function hmacSha256Hex(key: Uint8Array, data: string): string {
  const block = key.length > blockBytes ? sha256(key) : key;
  checked(data);
  const bytes = encoder.encode(data);
  const inner = masked(block, 0x36, bytes.length);
  inner.set(bytes, blockBytes);
  const outer = masked(block, 0x5c, digestBytes);
  outer.set(sha256(inner), blockBytes);
  return sha256Hex(outer);
}

/**
 * Whether the bytes are the same, in a time that depends on their lengths only; lengths are taken as public.
 */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && timingSafeEqual(a, b);
