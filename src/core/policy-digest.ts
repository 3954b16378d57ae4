/** The identity of a policy set: what its texts hash to, whatever order they were read in. Verdicts and the evidence name it. */
import { canonicalize } from './canonical.ts';
import type { AcceptedPolicies } from './config-change.ts';
import { asDigest, type Digest } from './ids.ts';
import { sha256Hex } from './sha256.ts';

/** Domain separator of the digest. Changing it is a new format. */
const domain = 'countersign.policies.v1\0';

/** SHA-256 over the canonical JSON (RFC 8785) of all texts, files sorted by name. */
export function policyDigest(texts: AcceptedPolicies): Digest {
  const sorted = (files: AcceptedPolicies['policies']): { readonly file: string; readonly text: string }[] =>
    files
      .map(({ file, text }) => ({ file, text }))
      .toSorted((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
  const canonical = canonicalize({
    policies: sorted(texts.policies),
    schemas: sorted(texts.schemas),
    entities: texts.entities,
  });
  return asDigest(`sha256:${sha256Hex(domain + canonical)}`);
}
