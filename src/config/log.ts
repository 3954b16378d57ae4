/** The log of a configuration: defaults, and what is wrong with it. */
import { createPrivateKey } from 'node:crypto';
import { resolve } from 'node:path';
import { isoDurationMs } from '../core/time.ts';
import type { LogSettings, ShipSettings, ShipTarget } from '../ports/log-settings.ts';
import type { ConfigDocument, Path, Problem } from './document.ts';
import type { Secrets } from './secrets.ts';
import { urlProblems } from './servers.ts';
import type { Written, WrittenLog, WrittenShip } from './written.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What holds where the file says nothing. */
export const logDefaults: LogSettings = {
  origin: null,
  keys: { log: null, logBefore: null, receipt: null },
  public: false,
  heartbeatMs: hourMs,
  witnesses: [],
  quorum: 0,
  lateMs: 10 * 60_000,
  stamps: null,
  payloadsMs: null,
  ship: [],
  ocsf: '1.8.0',
};

/** A syslog receiver over TLS (RFC 5425, section 4.1). */
const syslogPort = 6514;

export function logOf(written: Written, secrets: Secrets, folder: string): LogSettings {
  const log: WrittenLog = written.log ?? {};
  const ms = (text: string | undefined, byDefault: number): number =>
    (text === undefined ? undefined : isoDurationMs(text)) ?? byDefault;
  const key = (name: 'log' | 'logBefore' | 'receipt'): string | null => {
    const one = log.keys?.[name];
    return one === undefined ? null : secrets.read(one, ['log', 'keys', name]);
  };
  const witnesses = (log.witnesses ?? []).map((one) => ({ key: one.key, url: one.url.replace(/\/+$/, '') }));
  const { timestamps, retention } = log;
  return {
    origin: log.origin ?? null,
    keys: { log: key('log'), logBefore: key('logBefore'), receipt: key('receipt') },
    public: log.public === true,
    heartbeatMs: ms(log.heartbeat, logDefaults.heartbeatMs),
    witnesses,
    quorum: witnesses.length === 0 ? 0 : (log.quorum ?? 1),
    lateMs: ms(log.late, logDefaults.lateMs),
    stamps: timestamps === undefined ? null : { url: timestamps.url, everyMs: ms(timestamps.every, dayMs) },
    payloadsMs: retention?.payloads === undefined ? null : (isoDurationMs(retention.payloads) ?? null),
    ship: Object.entries(log.ship ?? {}).flatMap(([name, one]): readonly ShipSettings[] => {
      const target = targetOf(name, one, secrets, folder);
      return target === undefined ? [] : [{ name, format: one.format ?? 'entry', target }];
    }),
    ocsf: log.ocsf ?? logDefaults.ocsf,
  };
}

function targetOf(name: string, one: WrittenShip, secrets: Secrets, folder: string): ShipTarget | undefined {
  const at = ['log', 'ship', name] as const;
  if (one.webhook !== undefined)
    return { kind: 'webhook', url: one.webhook, secret: secrets.read(one.secret ?? '', [...at, 'secret']) };
  if (one.file !== undefined) return { kind: 'file', path: resolve(folder, one.file) };
  if (one.syslog === undefined) return undefined;
  const { hostname, port } = new URL(one.syslog);
  return {
    kind: 'syslog',
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? syslogPort : Number(port),
    ca: one.ca === undefined ? null : secrets.read(one.ca, [...at, 'ca']),
  };
}

export function logProblems(
  written: Written,
  log: LogSettings,
  document: ConfigDocument,
): readonly Problem[] {
  const problems: Problem[] = [];
  const wrong = (path: Path, message: string): void =>
    void problems.push(document.problem(['log', ...path], message));
  for (const [name, kind] of [
    ['log', 'ed25519'],
    ['logBefore', 'ed25519'],
    ['receipt', 'ec'],
  ] as const) {
    const pem = log.keys[name];
    if (pem !== null && pem !== '' && !isKey(pem, kind))
      wrong(
        ['keys', name],
        `log.keys.${name} must be ${kind === 'ec' ? 'an ECDSA P-256' : 'an Ed25519'} private key in PEM (PKCS #8), without a passphrase.`,
      );
  }
  if (log.keys.logBefore !== null && log.keys.log === null)
    wrong(['keys', 'logBefore'], 'log.keys.logBefore is the key before log.keys.log: give both.');
  if (log.quorum > log.witnesses.length)
    wrong(['quorum'], `log.quorum is ${log.quorum}, and there are ${log.witnesses.length} witnesses.`);
  for (const [at, one] of (written.log?.witnesses ?? []).entries())
    problems.push(...urlProblems(one.url, ['log', 'witnesses', at, 'url'], document));
  if (written.log?.timestamps !== undefined)
    problems.push(...urlProblems(written.log.timestamps.url, ['log', 'timestamps', 'url'], document));
  for (const [name, one] of Object.entries(written.log?.ship ?? {})) {
    const places = [one.webhook, one.syslog, one.file].filter((place) => place !== undefined);
    if (places.length !== 1) wrong(['ship', name], `log.ship.${name} names one of webhook, syslog and file.`);
    if (one.webhook !== undefined) {
      problems.push(...urlProblems(one.webhook, ['log', 'ship', name, 'webhook'], document));
      if (one.secret === undefined)
        wrong(['ship', name], `log.ship.${name}: a webhook wants a secret to sign with.`);
    } else if (one.secret !== undefined) wrong(['ship', name, 'secret'], 'Only a webhook has a secret.');
    if (one.ca !== undefined && one.syslog === undefined)
      wrong(['ship', name, 'ca'], 'Only syslog has a ca.');
  }
  for (const key of ['heartbeat', 'late'] as const) {
    const text = written.log?.[key];
    if (text !== undefined && isoDurationMs(text) === undefined)
      wrong([key], `log.${key} must be longer than nothing.`);
  }
  const payloads = written.log?.retention?.payloads;
  if (payloads !== undefined && (isoDurationMs(payloads) ?? 0) < dayMs)
    wrong(['retention', 'payloads'], 'log.retention.payloads is at least P1D.');
  return problems;
}

function isKey(pem: string, kind: 'ed25519' | 'ec'): boolean {
  try {
    const key = createPrivateKey(pem);
    return (
      key.asymmetricKeyType === kind &&
      (kind === 'ed25519' || key.asymmetricKeyDetails?.namedCurve === 'prime256v1')
    );
  } catch {
    return false;
  }
}
