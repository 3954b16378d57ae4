/** The identity of a policy set, where the engine looks for it (core/policy-digest.ts). */
export { policyDigest } from '../core/policy-digest.ts';
