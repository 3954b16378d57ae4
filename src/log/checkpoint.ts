/** Checkpoints (C2SP tlog-checkpoint): what a log says of itself in three lines: its name, its size, its root. */
import { fromBase64 } from './note.ts';
import { hashBytes, type Hash } from './merkle.ts';

export interface Checkpoint {
  /** A bare host name: verifiers of Sigstore bundles take the name of the signing key from a URL's host. */
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
}

/** The text of the note; extension lines are not used. */
export const checkpointText = ({ origin, size, root }: Checkpoint): string =>
  `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;

/** Reads a note's text; undefined for what is no checkpoint. Extension lines after the third are let pass. */
export function checkpointOf(text: string): Checkpoint | undefined {
  const [origin = '', size = '', root = '', ...rest] = text.split('\n');
  const bytes = fromBase64(root);
  if (origin === '' || !/^(?:0|[1-9]\d{0,15})$/.test(size) || rest.length < 1) return undefined;
  if (bytes?.length !== hashBytes || !Number.isSafeInteger(Number(size))) return undefined;
  return { origin, size: Number(size), root: bytes };
}
