/** Stock verifiers of Sigstore bundles, as an outsider runs them: sigstore-js with a root of trust and a key given by hand. */
import { createHash, createPublicKey } from 'node:crypto';
import { bundleFromJSON } from '@sigstore/bundle';
import { PublicKeyDetails, TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';

/** Throws where the bundle does not verify. @param key SPKI PEM of the receipt key. */
export function verifyBundle(bundle: string, trustedRoot: unknown, key: string): void {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const hint = createHash('sha256').update(spki).digest('base64');
  const trust = toTrustMaterial(TrustedRoot.fromJSON(trustedRoot), {
    [hint]: { rawBytes: spki, keyDetails: PublicKeyDetails.PKIX_ECDSA_P256_SHA_256 },
  });
  const verifier = new Verifier(trust, { tlogThreshold: 1, timestampThreshold: 0 });
  verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(bundle))));
}
