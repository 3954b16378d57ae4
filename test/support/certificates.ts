/** An authority made for one test, and certificates that it signs: by openssl, which every machine that runs the tests has. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Signed {
  readonly key: string;
  readonly cert: string;
}

export interface Authority {
  /** PEM of the authority itself. */
  readonly ca: string;
  /** A certificate for names as `subjectAltName` writes them: `DNS:localhost,IP:127.0.0.1`. */
  sign(names: string): Signed;
}

export function makeAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-ca-'));
  const openssl = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'] as const;
  try {
    openssl(
      'req',
      '-x509',
      ...ec,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-days',
      '2',
      '-subj',
      '/CN=Test authority',
    );
    const made = { ca: read('ca.pem'), key: read('ca.key') };
    return { ca: made.ca, sign: (names) => signWith(made, names) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function signWith({ ca, key }: { readonly ca: string; readonly key: string }, names: string): Signed {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-ca-'));
  const openssl = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    writeFileSync(join(folder, 'ca.pem'), ca);
    writeFileSync(join(folder, 'ca.key'), key);
    writeFileSync(join(folder, 'names'), `subjectAltName=${names}\n`);
    openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      'one.key',
      '-out',
      'one.csr',
      '-subj',
      '/CN=receiver',
    );
    openssl(
      'x509',
      '-req',
      '-in',
      'one.csr',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      'names',
      '-out',
      'one.pem',
    );
    return {
      key: readFileSync(join(folder, 'one.key'), 'utf8'),
      cert: readFileSync(join(folder, 'one.pem'), 'utf8'),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
