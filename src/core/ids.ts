/**
 * Names of things: branded strings, so that an approval's id cannot be passed where an action's is meant.
 * Ids of things that the gate makes are a prefix and 128 random bits in Crockford's base 32, lower case.
 */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type ActionId = Branded<'ActionId'>;
export type ApprovalId = Branded<'ApprovalId'>;
export type ExecutionId = Branded<'ExecutionId'>;
export type PersonId = Branded<'PersonId'>;
export type AgentId = Branded<'AgentId'>;
export type GroupId = Branded<'GroupId'>;
/** Somebody standing in for somebody else. */
export type DelegationId = Branded<'DelegationId'>;
/** A legal hold. */
export type HoldId = Branded<'HoldId'>;
/** The `@id` of a policy; a requirement is named by its policy. */
export type PolicyId = Branded<'PolicyId'>;
/** `sha256:` and 64 lower-case hexadecimal digits. */
export type Digest = Branded<'Digest'>;
/** 64 lower-case hexadecimal digits: a plain SHA-256. */
export type Sha256Hex = Branded<'Sha256Hex'>;

/** What a run leaves at its target, so that the target's own record names it (core/reconcile.ts). */
export interface RunIds {
  readonly action: ActionId;
  readonly execution: ExecutionId;
}

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** 16 bytes as 26 characters. */
function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet.charAt((held >>> bits) & 31);
      held &= (1 << bits) - 1;
    }
  }
  return bits > 0 ? text + alphabet.charAt((held << (5 - bits)) & 31) : text;
}

// The casts below are where brands are made: each function is the only maker of its kind of id.
export const actionIdOf = (random: Uint8Array): ActionId => `act_${base32(random)}` as ActionId;
export const approvalIdOf = (random: Uint8Array): ApprovalId => `apr_${base32(random)}` as ApprovalId;
export const executionIdOf = (random: Uint8Array): ExecutionId => `exe_${base32(random)}` as ExecutionId;
export const delegationIdOf = (random: Uint8Array): DelegationId => `dlg_${base32(random)}` as DelegationId;
export const reconciliationIdOf = (random: Uint8Array): string => `rec_${base32(random)}`;
/** A running gate: another each time that it is started. */
export const gateIdOf = (random: Uint8Array): string => `gte_${base32(random)}`;
export const holdIdOf = (random: Uint8Array): HoldId => `hld_${base32(random)}` as HoldId;

// At the door: a string from a request, a row or the configuration becomes a name. A name proves nothing by itself.
export const asActionId = (text: string): ActionId => text as ActionId;
export const asApprovalId = (text: string): ApprovalId => text as ApprovalId;
export const asExecutionId = (text: string): ExecutionId => text as ExecutionId;
export const asDelegationId = (text: string): DelegationId => text as DelegationId;
export const asHoldId = (text: string): HoldId => text as HoldId;
export const asPersonId = (text: string): PersonId => text as PersonId;
export const asAgentId = (text: string): AgentId => text as AgentId;
export const asGroupId = (text: string): GroupId => text as GroupId;
export const asPolicyId = (text: string): PolicyId => text as PolicyId;
export const asDigest = (text: string): Digest => text as Digest;
export const asSha256Hex = (text: string): Sha256Hex => text as Sha256Hex;
