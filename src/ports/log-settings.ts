/** How the log is signed, witnessed, stamped, kept and shipped, once validated. Holds secrets; never log one. */

/** A private key, PKCS #8 PEM. */
export type KeyPem = string;

export interface WitnessSettings {
  /** Verifier key (C2SP signed-note): `NAME+HEX+BASE64`, of type 0x04 (cosignature/v1). */
  readonly key: string;
  /** Where `add-checkpoint` is, without a slash at its end (C2SP tlog-witness, submission prefix). */
  readonly url: string;
}

export interface StampSettings {
  /** The time-stamping authority (RFC 3161 over HTTP, section 3.4). */
  readonly url: string;
  readonly everyMs: number;
}

/** `entry`: as it stands in the log; `ocsf`: mapped (docs/siem.md). */
export type ShipFormat = 'entry' | 'ocsf';

export type ShipTarget =
  | { readonly kind: 'webhook'; readonly url: string; /** `whsec_…` */ readonly secret: string }
  | {
      readonly kind: 'syslog';
      readonly host: string;
      readonly port: number;
      /** PEM of who may have signed the receiver's certificate; null: the system's authorities. */
      readonly ca: string | null;
    }
  | { readonly kind: 'file'; /** Absolute. */ readonly path: string };

export interface ShipSettings {
  /** Stable: its cursor goes by it. */
  readonly name: string;
  readonly format: ShipFormat;
  readonly target: ShipTarget;
}

export interface LogSettings {
  /** A bare host name, the key name of every note; null: the host name of the gate's URL. */
  readonly origin: string | null;
  /** Null: generated at first start in the store's folder. The second of each, where there is one, is the one before, while both sign. */
  readonly keys: {
    readonly log: KeyPem | null;
    readonly logBefore: KeyPem | null;
    readonly receipt: KeyPem | null;
  };
  /** Whether checkpoint, tiles and keys are served to everybody; else to auditors. They hold digests, and how much happens when. */
  readonly public: boolean;
  /** An entry at least this often. */
  readonly heartbeatMs: number;
  readonly witnesses: readonly WitnessSettings[];
  /** Witnesses that must have cosigned for the word "witnessed"; at least 1 where there are any. */
  readonly quorum: number;
  /** What is not cosigned, stamped or shipped after this long is an alarm. */
  readonly lateMs: number;
  readonly stamps: StampSettings | null;
  /** Payloads older than this are erased; null: kept for ever. */
  readonly payloadsMs: number | null;
  readonly ship: readonly ShipSettings[];
  /** Version of the schema that `ocsf` is mapped to. */
  readonly ocsf: '1.6.0' | '1.8.0' | '1.9.0';
}
