/**
 * Asks one witness for its cosignature (C2SP tlog-witness, `add-checkpoint`). Promises: what it answers is taken only when it
 * verifies with the key that the configuration names; what it says instead is told in one sentence; it never throws.
 */
import { err, ok, type Result } from '../core/result.ts';
import type { WitnessSettings } from '../ports/log-settings.ts';
import { readNote, verifyNote, verifierOf, type Verifier } from './note.ts';

/** How long a witness may take. */
const answerMsMax = 10_000;
/** Bytes of its answer: a few signature lines, or a number. */
const answerBytesMax = 16_384;
/** Lines of a proof that a witness has to take. */
const proofLinesMax = 63;

export interface WitnessFailure {
  /** One sentence for operators. */
  readonly detail: string;
  /** Our view of its size is another: ask again from there. Undefined: it is not. */
  readonly at?: number;
  /** It has seen a log of this name that this one does not follow from: nothing that is asked again changes that. */
  readonly fork: boolean;
}

export interface Submission {
  /** Size of the checkpoint that the witness has cosigned last; 0: none. */
  readonly old: number;
  /** From `old` to the checkpoint; empty for 0 and for the same size. */
  readonly proof: readonly Uint8Array[];
  /** The signed note. */
  readonly note: string;
  /** Leaves that it covers. */
  readonly size: number;
}

/** The cosignature's line, and when the witness saw it. */
export interface Cosigned {
  readonly line: string;
  readonly atMs: number;
}

/** The body of the request. */
const submissionBody = ({ old, proof, note }: Submission): string =>
  `old ${old}\n${proof.map((one) => `${Buffer.from(one).toString('base64')}\n`).join('')}\n${note}`;

export async function askWitness(
  witness: WitnessSettings,
  submission: Submission,
): Promise<Result<Cosigned, WitnessFailure>> {
  const verifier = verifierOf(witness.key);
  if (verifier?.type !== 4)
    return failed(
      `log.witnesses names ${witness.key.split('+')[0] ?? ''} with a key that is none of a witness (type 0x04)`,
    );
  if (submission.proof.length > proofLinesMax) return failed('the proof is longer than a witness takes');
  try {
    const response = await fetch(`${witness.url}/add-checkpoint`, {
      method: 'POST',
      body: submissionBody(submission),
      redirect: 'error',
      signal: AbortSignal.timeout(answerMsMax),
    });
    const text = await shortText(response);
    return text === undefined
      ? failed(`it answered ${response.status} with more than a witness has to say`)
      : judgeAnswer(response, text, { verifier, submission });
  } catch (error) {
    return failed(reasonOf(error));
  }
}

function judgeAnswer(
  response: Response,
  text: string,
  { verifier, submission }: { readonly verifier: Verifier; readonly submission: Submission },
): Result<Cosigned, WitnessFailure> {
  const { status } = response;
  switch (status) {
    case 200: {
      // A signature is judged together with the note that it is of; lines of keys that we do not know are passed over.
      const { text: body = '' } = readNote(submission.note) ?? {};
      const note = readNote(`${body}\n${text}`);
      const [cosigned] = (note === undefined ? null : verifyNote(note, [verifier])) ?? [];
      const line = note?.signatures.find((one) => one.name === verifier.name && one.id === verifier.id)?.line;
      return cosigned === undefined || cosigned.atMs === null || line === undefined
        ? failed('its cosignature does not verify with the key that is configured')
        : ok({ line, atMs: cosigned.atMs });
    }
    case 409: {
      const at = /^(0|[1-9]\d{0,15})\n$/.exec(text)?.[1];
      if (at === undefined || !(response.headers.get('content-type') ?? '').startsWith('text/x.tlog.size'))
        return failed('it answered 409 without a size');
      return Number(at) > submission.size || Number(at) === submission.old
        ? forked(
            `it has cosigned this log at ${at} entries, and this log has ${submission.size} that do not follow from them`,
          )
        : err({
            detail: `it has cosigned ${at} entries, not ${submission.old}`,
            at: Number(at),
            fork: false,
          });
    }
    case 422:
      return forked(
        'it has cosigned another history of this log: what it saw is not a beginning of what is here',
      );
    case 404:
      return failed('it does not know this log: its operator has to add the origin and the key');
    case 403:
      return failed('it knows this log with other keys: its operator has to add the new one');
    default:
      return failed(`it answered ${status}`);
  }
}

const failed = (detail: string): Result<never, WitnessFailure> => err({ detail, fork: false });
const forked = (detail: string): Result<never, WitnessFailure> => err({ detail, fork: true });

/** The body as text; undefined where it is longer than it may be. */
async function shortText(response: Response): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > answerBytesMax) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** What kept a request from being answered; holds no URL, because one may hold a credential. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer in ${answerMsMax / 1000} s`;
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return code === '' ? 'it could not be reached' : `it could not be reached (${code})`;
}
