/** The identity of a policy set: what its texts hash to, whatever order they were read in. */
import { canonicalize } from '../core/canonical.ts';
import { asDigest, type Digest } from '../core/ids.ts';
import { sha256Hex } from '../core/sha256.ts';
import type { PolicyTexts } from '../ports/policy.ts';

/** Domain separator of the digest. Changing it is a new format. */
const domain = 'countersign.policies.v1\0';

/** SHA-256 over the canonical JSON (RFC 8785) of all texts, files sorted by name. */
export function policyDigest(texts: PolicyTexts): Digest {
  const sorted = (files: PolicyTexts['policies']): { readonly file: string; readonly text: string }[] =>
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
