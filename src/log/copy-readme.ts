/** What a stranger who opens a copy of the log reads first. */

export const readmeText = (origin: string): string => `A copy of the log of ${origin}

What is here

  checkpoint            what the log says of itself: its name, how many entries it has, the root of its tree; signed
  tile/                 the tree (C2SP tlog-tiles); tile/entries/ holds its leaves, which are digests and signatures
  entries/              what the entries say, one a line, 256 a file; an erased one has only its digest
  checkpoints.jsonl     the checkpoints that were kept, with the signatures of witnesses and the time stamps
  keys.json             the keys that have signed, and when
  trusted_root.json     the same keys for verifiers of Sigstore bundles, such as cosign
  manifest.json         SHA-256 of the small files

How to check it, without the gate and without a network

  countersign log verify . --key VKEY

VKEY is the key of the log (${origin}+…+…), which you should have from somewhere else than this folder. Without --key the
command takes the keys that are in here: that shows that the log is whole, not whose it is. With a checkpoint that you kept
earlier (--checkpoint FILE) it shows as well that nothing was rewritten or removed since.

The tree can be checked by code that is not ours: any program that reads C2SP tlog-tiles, for instance golang.org/x/mod/sumdb/tlog
or Tessera's fsck. The product's page docs/verify.md has the lines to type, and says what each of them shows and what it does not.

The entries name people and what was asked in their name: keep this folder as safe as the gate keeps its store.
`;
