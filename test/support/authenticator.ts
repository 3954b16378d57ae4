/**
 * An authenticator in software, for tests: makes passkeys and signs with them as WebAuthn level 3 says, by node:crypto alone,
 * and lies where a test wants it to. The browser tests have Chromium's own.
 */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import type { Assertion, Registration } from '../../src/ports/passkeys.ts';

/** What a test may change of what an honest browser and authenticator would say. */
export interface Lies {
  readonly origin?: string;
  readonly rpId?: string;
  /** Flags of authenticator data; honest: user present and verified. */
  readonly flags?: number;
  readonly counter?: number;
  readonly crossOrigin?: boolean;
  readonly type?: string;
  readonly aaguid?: Uint8Array;
}

const userPresent = 0x01;
const userVerified = 0x04;
const attestedData = 0x40;
export const honestFlags = userPresent | userVerified;

const sha256 = (data: Uint8Array | string): Buffer => createHash('sha256').update(data).digest();
const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/** CBOR (RFC 8949) of the few shapes that WebAuthn needs: integers, byte and text strings, maps in the order given. */
type Cbor = number | string | Uint8Array | ReadonlyMap<number | string, Cbor>;
function cbor(value: Cbor): Buffer {
  const head = (major: number, count: number): Buffer =>
    count < 24
      ? Buffer.from([(major << 5) | count])
      : count < 256
        ? Buffer.from([(major << 5) | 24, count])
        : Buffer.from([(major << 5) | 25, count >> 8, count & 255]);
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value);
  if (typeof value === 'string')
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  return Buffer.concat([
    head(5, value.size),
    ...[...value].flatMap(([key, each]) => [cbor(key), cbor(each)]),
  ]);
}

export class Authenticator {
  readonly id: string;
  counter = 0;
  readonly #origin: string;
  readonly #rpId: string;
  readonly #key: KeyObject;
  readonly #cose: Buffer;

  constructor(origin: string) {
    this.#origin = origin;
    this.#rpId = new URL(origin).hostname;
    this.id = base64url(randomBytes(32));
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#key = privateKey;
    const { x, y } = publicKey.export({ format: 'jwk' });
    // COSE_Key of ES256 (RFC 9053 §7.1.1).
    this.#cose = cbor(
      new Map<number, Cbor>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, Buffer.from(x ?? '', 'base64url')],
        [-3, Buffer.from(y ?? '', 'base64url')],
      ]),
    );
  }

  #clientData(type: string, challenge: string, lies: Lies): string {
    const { origin = this.#origin, crossOrigin = false } = lies;
    return base64url(
      Buffer.from(JSON.stringify({ type: lies.type ?? type, challenge, origin, crossOrigin })),
    );
  }

  #head(flags: number, lies: Lies): Buffer {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(lies.counter ?? this.counter);
    return Buffer.concat([sha256(lies.rpId ?? this.#rpId), Buffer.from([flags]), counter]);
  }

  /** A new passkey. @param challenge base64url. */
  register(challenge: string, lies: Lies = {}): Registration {
    const id = Buffer.from(this.id, 'base64url');
    const length = Buffer.from([id.length >> 8, id.length & 255]);
    const authData = Buffer.concat([
      this.#head((lies.flags ?? honestFlags) | attestedData, lies),
      lies.aaguid ?? Buffer.alloc(16),
      length,
      id,
      this.#cose,
    ]);
    const attestationObject = cbor(
      new Map<string, Cbor>([
        ['fmt', 'none'],
        ['attStmt', new Map<string, Cbor>()],
        ['authData', authData],
      ]),
    );
    return {
      id: this.id,
      clientDataJSON: this.#clientData('webauthn.create', challenge, lies),
      attestationObject: base64url(attestationObject),
      transports: ['internal'],
    };
  }

  /** A signature. @param challenge base64url. */
  sign(challenge: string, lies: Lies = {}): Assertion {
    this.counter += 1;
    const clientDataJSON = this.#clientData('webauthn.get', challenge, lies);
    const authenticatorData = this.#head(lies.flags ?? honestFlags, lies);
    const signed = Buffer.concat([authenticatorData, sha256(Buffer.from(clientDataJSON, 'base64url'))]);
    return {
      id: this.id,
      clientDataJSON,
      authenticatorData: base64url(authenticatorData),
      signature: base64url(sign('sha256', signed, this.#key)),
    };
  }
}

/** As `PublicKeyCredential.toJSON()` nests it, for bodies of requests. */
export const asCredential = ({ id, ...response }: Assertion | Registration): object => ({
  id,
  rawId: id,
  type: 'public-key',
  response,
});
