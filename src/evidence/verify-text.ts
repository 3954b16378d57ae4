/** README.txt and VERIFY.txt: what is in the package, and the exact commands that check it without us. */
import type { SampleQuery } from '../core/evidence/model.ts';
import type { Evidence } from '../core/evidence/model.ts';
import { counted, grouped } from '../core/render/shown.ts';
import { predicateType } from '../core/entry.ts';
import type { SampleReceipt } from './attachments.ts';
import { commandAway, makerWords, moment, periodWords, tierWords } from './words.ts';

export const manifestType = 'application/vnd.countersign.evidence-manifest.v1+json';

export function readmeText(evidence: Evidence): string {
  const { log, completeness, samples } = evidence;
  return `EVIDENCE PACKAGE
${evidence.gate}, ${periodWords(evidence.period)}
Made ${moment(evidence.madeAtMs)} by ${makerWords(evidence.madeBy)}, ${evidence.generator.name} ${evidence.generator.version}

${grouped(completeness.rows)} privileged actions; entries ${grouped(log.from)} to ${grouped(log.to)} of the log ${log.origin ?? '(no origin)'}.
Proof: ${tierWords[log.tier].title}.

Begin with 00-Report.pdf, page 2 (How to read this) and page 3 (The answers).

00-Report.pdf                   the report; the proofs are embedded in it
02-Samples.pdf                  ${counted(samples.chosen.length, 'sample')}, each by itself, with the receipts embedded
Population.xlsx                 one row for each action
Policy-and-roster-changes.xlsx  policies, roster, leavers, access review, tools
Exceptions.xlsx                 exceptions and management's answers
evidence.json                   the report's content for programs
policies/                       the literal text of every version of the policies in force
samples/                        receipts of the samples and the exact actions that they are about
proofs/                         signed states of the log at both ends, consistency between them, public keys
manifest.json                   every file with its SHA-256, size and counts
manifest.dsse.json              its signature by the log's receipt key (DSSE)
SHA256SUMS                      the same digests for sha256sum
VERIFY.txt                      how to check all of it

The same query again, at the gate's machine, in the folder of its countersign.yaml (else with --config FILE):
  ${evidence.command}
From elsewhere, by whoever may read the log, with their own token in COUNTERSIGN_TOKEN:
  ${commandAway(evidence)}
`;
}

export function verifyText(evidence: Evidence, receipts: readonly SampleReceipt[]): string {
  const { log } = evidence;
  const key = log.keys.findLast((one) => one.use === 'receipt');
  const keyFile =
    key === undefined ? 'proofs/receipt-key-ID.pem' : `proofs/receipt-key-${key.id.slice(0, 16)}.pem`;
  const some = receipts.filter((one) => one.bundle !== null);
  const cosign = (one: SampleReceipt): string =>
    one.action === null
      ? `  # entry ${one.index} is about no action: check its .tlog-proof`
      : `  cosign verify-blob-attestation --key ${keyFile} --trusted-root proofs/trusted_root.json \\
    --type ${predicateType} \\
    --bundle samples/entry-${one.index}.sigstore.json samples/entry-${one.index}.action.json`;
  return `HOW TO CHECK THIS PACKAGE
All commands run offline, in this folder.

1. No file was changed.
  sha256sum -c SHA256SUMS

2. The list of files was signed by the log's receipt key (DSSE over manifest.json).
  jq -rj .payload manifest.dsse.json | base64 -d | cmp - manifest.json
  TYPE=${manifestType}
  { printf 'DSSEv1 %d %s %d ' "\${#TYPE}" "$TYPE" "$(wc -c < manifest.json)"; cat manifest.json; } > /tmp/pae
  jq -rj '.signatures[0].sig' manifest.dsse.json | base64 -d > /tmp/sig
  openssl dgst -sha256 -verify ${keyFile} -signature /tmp/sig /tmp/pae

3. Samples: each receipt proves that its entry is in the log, and for which exact action. With cosign 3:
${some.length === 0 ? '  (no receipts of samples are in this package)' : some.map(cosign).join('\n')}

   With this product's own verifier:
${
  some.length === 0
    ? '  countersign log verify --help'
    : some
        .slice(0, 3)
        .map(
          (one) =>
            `  countersign log verify --receipt samples/entry-${one.index}.sigstore.json${one.action === null ? '' : ` --action samples/entry-${one.index}.action.json`} --trusted-root proofs/trusted_root.json`,
        )
        .join('\n')
}

4. The later state of the log continues the earlier one (nothing in between was removed or reordered).
${log.start === null || log.end === null ? '  There are not two signed states in this package.' : '  countersign log verify --consistency proofs/checkpoint-start.txt proofs/checkpoint-end.txt --consistency-proof proofs/consistency.txt --keys proofs/log.vkeys'}

5. The proofs embedded in the PDF are the same files.
  mkdir -p /tmp/proofs && pdfdetach -saveall -o /tmp/proofs 00-Report.pdf && diff -r /tmp/proofs proofs

6. The population is complete: count the entries of type action.asked with indexes ${log.from} to ${log.to} in an export of the log.
  There must be ${evidence.completeness.rows}: ${evidence.completeness.how}
${choiceText(evidence.samples.query, evidence)}
Where the keys come from matters: compare ${keyFile} and proofs/log.vkeys with those that you were given on another way.
`;
}

/** How to choose the same samples with a shell, as core/evidence/selection.ts does. */
function choiceText(query: SampleQuery | null, { log, completeness }: Evidence): string {
  if (query?.kind !== 'seed') return '';
  return `
7. The samples were chosen by nobody: from the end checkpoint's root and the auditor's number.
  ROOT=$(sed -n 3p proofs/checkpoint-end.txt); NUMBER=${query.number}; ROWS=${completeness.rows}; COUNT=${query.count}
  # ROOT is ${log.end?.root ?? 'not known'}
  SEED=$(printf '%s%s' "$ROOT" "$NUMBER" | sha256sum | cut -c1-64)
  for R in $(seq 1 "$ROWS"); do echo "$(printf '%s%s' "$SEED" "$R" | sha256sum | cut -c1-64) $R"; done | sort | head -n "$COUNT" | cut -d' ' -f2 | sort -n
`;
}
