/**
 * The root of trust that stock verifiers of Sigstore bundles take (dev.sigstore.trustroot.v1, media type version 0.1): every key
 * that ever signed checkpoints, each with its time. It is what `cosign trusted-root create --rekor=…,origin=HOST` makes of them.
 * The key that signs receipts is no part of it: a verifier is given that one by itself (`--key`).
 */
import type { JsonObject } from '../core/json.ts';
import type { LogKey } from '../core/log-key.ts';
import { rfc3339 } from '../core/time.ts';
import { isCheckpointKey, logIdOf } from './log-id.ts';

const trustedRootType = 'application/vnd.dev.sigstore.trustedroot+json;version=0.1';

/** The keys of all origins, the oldest first. */
export const trustedRootOf = (keys: readonly LogKey[]): JsonObject => ({
  mediaType: trustedRootType,
  tlogs: keys.filter(isCheckpointKey).map((key) => ({
    // Its host is the key name that verifiers look for in notes.
    baseUrl: `https://${key.origin}`,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: key.spki,
      keyDetails: 'PKIX_ED25519',
      validFor: {
        start: rfc3339(key.begunAtMs),
        ...(key.endedAtMs === null ? {} : { end: rfc3339(key.endedAtMs) }),
      },
    },
    logId: { keyId: logIdOf(key) },
  })),
});
