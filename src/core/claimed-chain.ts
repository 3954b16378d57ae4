/**
 * For whom an agent acts is what its verified token says (`Principal.chain`), never what it writes. A request that tries to
 * say so is refused whole: passed over, it would look to its agent as if it had been believed. Pure.
 */
import { isJsonObject, type JsonValue } from './json.ts';
import { refuse, type Refusal } from './refusal.ts';

/** Names by which protocols and people say it (RFC 8693 §4, OpenID AuthZEN, ARAP), without case, `-` and `_`. */
const names: ReadonlySet<string> = new Set([
  'act',
  'actor',
  'actortoken',
  'mayact',
  'delegation',
  'delegationchain',
  'delegator',
  'startedby',
  'onbehalfof',
  'subjecttoken',
]);

/** The name without a prefix such as `dev.countersign/`. */
const bare = (key: string): string =>
  key
    .slice(key.lastIndexOf('/') + 1)
    .toLowerCase()
    .replaceAll(/[-_]/g, '');

// RULE verified-chain
/** The first key of an object that claims a chain; undefined where there is none, or no object. */
export const claimsChain = (value: JsonValue | undefined): string | undefined =>
  isJsonObject(value) ? Object.keys(value).find((key) => names.has(bare(key))) : undefined;

/** @param pointer RFC 6901: where it was found. */
export const refusesClaimedChain = (pointer: string): Refusal =>
  refuse(
    'input_invalid',
    'Whom an agent acts for is taken from its verified token (the claim "act"), and never from a request; leave it out.',
    { pointer },
  );
