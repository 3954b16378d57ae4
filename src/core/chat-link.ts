/**
 * Links by which an account of a chat is attached: the account presses, its platform shows it a link that works once, and whoever
 * opens that link and is signed in here says that the account is theirs. The secret is in the link's fragment, which no server
 * and no log in between gets to see; it proves the account and nobody's person.
 */
import { sha256Hex } from './sha256.ts';

/** What such a secret may finish (core/begun.ts). */
export const chatLinkKind = 'chat.link';

/** How long a link can be used. */
export const chatLinkMs = 10 * 60_000;

/** 32 bytes in base64url, without padding (RFC 4648 §5), after what says what it is: scanners find a leaked one. */
const secretForm = /^cs_chatlink_[A-Za-z0-9_-]{43}$/;

/** The secret of a link from 32 random bytes in base64url. */
export const chatLinkSecret = (random: string): string => `cs_chatlink_${random}`;

/** What the store knows a secret by; undefined where the text has not the form of one. */
export const chatLinkHash = (secret: string): string | undefined =>
  secretForm.test(secret) ? sha256Hex(`countersign.chat-link.v1\0${secret}`) : undefined;
