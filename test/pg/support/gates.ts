/** Several whole gates on one database, each with its own files, as replicas behind a load balancer are. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { operations, people, startTestGate, type TestGate } from '../../support/gate.ts';
import { postgresBench } from '../bench.ts';

type Options = NonNullable<Parameters<typeof startTestGate>[0]>;

export interface Gates {
  /** Of the schema that they share. */
  readonly url: string;
  /** The configuration that each has, unless another is given. */
  readonly config: string;
  /** One statement past all of them. */
  readonly raw: (sql: string) => Promise<readonly Readonly<Record<string, string | number | null>>[]>;
  /** Starts one more. */
  start(options?: Options): Promise<TestGate>;
  /** Stops those that run, and takes the schema away. */
  stop(): Promise<void>;
}

export interface More {
  readonly more?: string;
  readonly log?: string;
}

const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/** @param more YAML behind people and operations. @param log the same of `log`, indented by two. */
export async function sharedDatabase({ more = '', log = '' }: More = {}): Promise<Gates> {
  const bench = await postgresBench();
  const folder = await mkdtemp(join(tmpdir(), 'countersign-gates-'));
  const keys = {
    log: generateKeyPairSync('ed25519').privateKey,
    receipt: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  };
  for (const [name, key] of Object.entries(keys))
    await writeFile(join(folder, `${name}.pem`), pem(key), { mode: 0o600 });
  const config = `database: ${JSON.stringify(bench.url)}
log:
  origin: log.example.test
  keys:
    log: { fromFile: ${JSON.stringify(join(folder, 'log.pem'))} }
    receipt: { fromFile: ${JSON.stringify(join(folder, 'receipt.pem'))} }
${log}${people}${operations}${more}`;
  const running: TestGate[] = [];
  return {
    url: bench.url,
    config,
    raw: (sql) => bench.raw(sql),
    async start(options = {}) {
      const gate = await startTestGate({ config, ...options });
      running.push(gate);
      return gate;
    },
    async stop() {
      await Promise.allSettled(running.map((one) => one.stop()));
      await bench.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A test's work on a database of its own. */
export async function onDatabase(work: (gates: Gates) => Promise<void>, more?: More): Promise<void> {
  assert.notEqual(
    process.env['DATABASE_URL'] ?? '',
    '',
    'npm run test:pg starts a PostgreSQL for these tests',
  );
  const gates = await sharedDatabase(more);
  try {
    await work(gates);
  } finally {
    await gates.stop();
  }
}
