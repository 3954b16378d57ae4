/**
 * A witness (C2SP tlog-witness) on loopback, behind the contract that a real one passes (test/log/witness.test.ts,
 * test/interop): it cosigns what follows from what it saw, and nothing else.
 */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { generateKeyPairSync } from 'node:crypto';
import { checkpointOf } from '../../src/log/checkpoint.ts';
import { emptyRoot, verifyConsistency, sameHash, type Hash } from '../../src/log/merkle.ts';
import { cosignLine, fromBase64, readNote, verifierOf, verifyNote, vkeyOf } from '../../src/log/note.ts';

export interface TestWitness {
  readonly url: string;
  readonly vkey: string;
  /** Sizes that it has cosigned, in order. */
  readonly cosigned: readonly number[];
  /** Answers nothing, something else, or as it should; default: as it should. */
  behave(how: 'well' | 'hang' | 'refuse' | 'forge'): void;
  /** As an operator adds a log: its verifier key. */
  add(vkey: string): void;
  close(): Promise<void>;
}

export async function startWitness(name = 'witness.test/w1'): Promise<TestWitness> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const logs = new Map<string, { readonly vkeys: string[]; size: number; root: Hash }>();
  const cosigned: number[] = [];
  let how: Parameters<TestWitness['behave']>[0] = 'well';

  const answer = (body: string): readonly [status: number, text: string, type?: string] => {
    const blank = body.indexOf('\n\n');
    const [first = '', ...lines] = body.slice(0, blank).split('\n');
    const old = Number(/^old (0|[1-9]\d*)$/.exec(first)?.[1] ?? Number.NaN);
    const proof = lines.map((line) => fromBase64(line) ?? new Uint8Array());
    const note = readNote(body.slice(blank + 2));
    const checkpoint = note === undefined ? undefined : checkpointOf(note.text);
    if (note === undefined || checkpoint === undefined || Number.isNaN(old)) return [400, 'bad request\n'];
    const log = logs.get(checkpoint.origin);
    if (log === undefined) return [404, 'unknown log\n'];
    const verifiers = log.vkeys.map(verifierOf).filter((one) => one !== undefined);
    if ((verifyNote(note, verifiers) ?? []).length === 0) return [403, 'no signature\n'];
    if (old > checkpoint.size) return [400, 'old size is larger\n'];
    if (old !== log.size) return [409, `${log.size}\n`, 'text/x.tlog.size'];
    if (old === checkpoint.size && !sameHash(log.root, checkpoint.root))
      return [409, `${log.size}\n`, 'text/x.tlog.size'];
    const follows =
      old === 0 || old === checkpoint.size
        ? proof.length === 0
        : verifyConsistency({
            from: old,
            to: checkpoint.size,
            fromRoot: log.root,
            toRoot: checkpoint.root,
            proof,
          });
    if (!follows) return [422, 'bad consistency proof\n'];
    [log.size, log.root] = [checkpoint.size, checkpoint.root];
    cosigned.push(checkpoint.size);
    const line = cosignLine(note.text, { name, key: privateKey, seconds: Math.floor(Date.now() / 1000) });
    // A forger has the name and the key's id, and not the key.
    const forged = line.replace(/.{20}$/, `${'A'.repeat(18)}==`);
    return [200, `${how === 'forge' ? forged : line}\n`];
  };

  const server = createServer((request, response) => {
    if (how === 'hang') return;
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const [status, text, type = 'text/plain'] =
        how === 'refuse' ? [503, 'later\n'] : answer(Buffer.concat(parts).toString('utf8'));
      response.writeHead(status, { 'content-type': type }).end(text);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Listens on TCP.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    vkey: vkeyOf(name, privateKey, 4),
    cosigned,
    behave: (next) => void (how = next),
    add: (vkey) => {
      const origin = vkey.split('+')[0] ?? '';
      const log = logs.get(origin) ?? { vkeys: [], size: 0, root: emptyRoot };
      log.vkeys.push(vkey);
      logs.set(origin, log);
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
