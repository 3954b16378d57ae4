/**
 * RFC 3161 time-stamps over checkpoints: somebody else says that a checkpoint existed at a time. The only file that knows
 * pkijs. Promises: what is asked is the digest of the note and nothing else; a token is taken only where it is over that
 * digest, answers that request, and verifies with a certificate for time-stamping; whose certificate that is, is for whoever
 * reads the token (docs/verify.md has the `openssl ts` line).
 */
import { hash, randomFillSync } from 'node:crypto';
import { fromBER, Integer, OctetString } from 'asn1js';
import {
  AlgorithmIdentifier,
  ContentInfo,
  MessageImprint,
  PKIStatus,
  SignedData,
  TimeStampReq,
  TimeStampResp,
  TSTInfo,
  type Certificate,
} from 'pkijs';
import { err, ok, type Result } from '../core/result.ts';
import { reasonOf } from './witness.ts';

const sha256 = '2.16.840.1.101.3.4.2.1';
/** id-kp-timeStamping (RFC 3161, section 2.3) and the extension it stands in (RFC 5280, section 4.2.1.12). */
const forTimeStamping = '1.3.6.1.5.5.7.3.8';
const extendedKeyUsage = '2.5.29.37';

const answerMsMax = 20_000;
/** A token with a chain of certificates has a few KB. */
const tokenBytesMax = 65_536;
const nonceBytes = 8;

export interface Stamp {
  /** The TimeStampToken (a CMS ContentInfo), DER, base64. */
  readonly token: string;
  /** What the authority says the time was. */
  readonly atMs: number;
}

/** Asks an authority over HTTP (RFC 3161, section 3.4). The failure is one sentence for operators. */
export async function askStamp(url: string, note: string): Promise<Result<Stamp, string>> {
  const nonce = randomFillSync(new Uint8Array(nonceBytes));
  // A positive number in its shortest form, so that the authority gives back the same bytes.
  nonce[0] = 1 + ((nonce[0] ?? 0) & 0x3f);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/timestamp-query' },
      body: requestOf(digestOf(note), nonce),
      redirect: 'error',
      signal: AbortSignal.timeout(answerMsMax),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      return err(`it answered ${response.status}`);
    }
    if (!(response.headers.get('content-type') ?? '').startsWith('application/timestamp-reply')) {
      await response.body?.cancel();
      return err('it answered something else than a time-stamp');
    }
    const bytes = await shortBytes(response);
    if (bytes === undefined) return err('its answer is larger than a time-stamp is');
    return await readAnswer(bytes, note, nonce);
  } catch (error) {
    return err(reasonOf(error));
  }
}

/** The body; undefined where it is longer than it may be, and no more of it is read. */
async function shortBytes(response: Response): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > tokenBytesMax) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const digestOf = (note: string): Uint8Array => hash('sha256', Buffer.from(note), 'buffer');

/** A buffer of its own, as pkijs wants it. */
const buffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

function requestOf(digest: Uint8Array, nonce: Uint8Array): ArrayBuffer {
  const request = new TimeStampReq({
    version: 1,
    messageImprint: new MessageImprint({
      hashAlgorithm: new AlgorithmIdentifier({ algorithmId: sha256 }),
      hashedMessage: new OctetString({ valueHex: buffer(digest) }),
    }),
    nonce: new Integer({ valueHex: buffer(nonce) }),
    certReq: true,
  });
  return request.toSchema().toBER(false);
}

async function readAnswer(
  bytes: Uint8Array,
  note: string,
  nonce: Uint8Array,
): Promise<Result<Stamp, string>> {
  const { result, offset } = fromBER(buffer(bytes));
  if (offset === -1) return err('its answer is no time-stamp');
  const response = new TimeStampResp({ schema: result });
  // granted, or granted with modifications (RFC 3161, section 2.4.2)
  const { status } = response.status;
  if (status !== PKIStatus.granted && status !== PKIStatus.grantedWithMods)
    return err(`it refused (status ${String(status)})`);
  if (response.timeStampToken === undefined) return err('its answer holds no token');
  const token = Buffer.from(response.timeStampToken.toSchema().toBER(false));
  const read = await readToken(token, note);
  if (!read.ok) return read;
  const said = read.value.info.nonce?.valueBlock.valueHexView;
  if (said === undefined || Buffer.compare(said, nonce) !== 0) return err('its answer is to another request');
  return ok({ token: token.toString('base64'), atMs: read.value.info.genTime.getTime() });
}

/** Whether a stored token is over this note; when, and the common name in the certificate that it brings, which nobody checked. */
export async function checkStamp(
  token: string,
  note: string,
): Promise<Result<{ readonly atMs: number; readonly by: string }, string>> {
  const read = await readToken(Buffer.from(token, 'base64'), note);
  return read.ok ? ok({ atMs: read.value.info.genTime.getTime(), by: read.value.by }) : read;
}

async function readToken(
  token: Uint8Array,
  note: string,
): Promise<Result<{ readonly info: TSTInfo; readonly by: string }, string>> {
  try {
    const { result, offset } = fromBER(buffer(token));
    if (offset === -1) return err('the token cannot be read');
    const signed = new SignedData({ schema: new ContentInfo({ schema: result }).content });
    const bytes = signed.encapContentInfo.eContent?.getValue();
    if (bytes === undefined) return err('the token holds no time');
    const info = new TSTInfo({ schema: fromBER(bytes).result });
    if (info.messageImprint.hashAlgorithm.algorithmId !== sha256)
      return err('the token is over another digest');
    if (Buffer.compare(info.messageImprint.hashedMessage.valueBlock.valueHexView, digestOf(note)) !== 0)
      return err('the token is over another checkpoint');
    const verified = await signed.verify({
      signer: 0,
      checkChain: false,
      extendedMode: true,
      data: buffer(Buffer.from(note)),
    });
    const certificate = verified.signerCertificate;
    if (verified.signatureVerified !== true || certificate == null)
      return err('the signature of the token does not verify');
    if (!stampsTime(certificate))
      return err('the token is signed with a certificate that is none for time-stamping');
    return ok({ info, by: nameOf(certificate) });
  } catch {
    // pkijs throws on whatever does not fit its schemas; what exactly is for nobody.
    return err('the token cannot be read');
  }
}

function stampsTime(certificate: Certificate): boolean {
  const usage = certificate.extensions?.find((one) => one.extnID === extendedKeyUsage)?.parsedValue;
  // pkijs parses this extension into its list of purposes.
  const purposes = (usage as { readonly keyPurposes?: readonly string[] } | undefined)?.keyPurposes;
  return purposes?.includes(forTimeStamping) === true;
}

/** The common name of the certificate's subject. */
function nameOf({ subject }: Certificate): string {
  const commonName = '2.5.4.3';
  const one = subject.typesAndValues.find((part) => part.type === commonName);
  return one === undefined ? 'none' : one.value.valueBlock.value;
}
