/** `evidence` at the machine: from the store itself, beside a running gate or without one. */
import type { EvidenceDesk, MadeEvidence } from '../app/evidence-make.ts';
import { createWorld } from '../app/world.ts';
import { keysFrom } from '../log/keys.ts';
import { receiptKeyId, spkiOf } from '../log/leaf.ts';
import { readingLog } from '../log/reading.ts';
import { evidenceDesk } from '../main/evidence.ts';
import { keysFolderOf } from '../main/log.ts';
import { openStore, originOf, systemClock, systemRandom } from '../main.ts';
import { createPolicyEngine } from '../policy/engine.ts';
import { Failure, type Args } from './command.ts';
import type { Handed } from './evidence-handed.ts';
import { exists, settingsOf } from './files.ts';
import { Interrupted, untilSignal, type Io } from './io.ts';

/** What it is asked for. */
type Asked = Pick<Parameters<EvidenceDesk['make']>[0], 'by' | 'query'>;

/** Fails where there is no store yet, or none of its keys. */
export async function evidenceOfStore(args: Args, io: Io, asked: Asked): Promise<Handed> {
  // The key alone is a secret that is needed, and only where it is not in the store's folder.
  const found = await settingsOf(args, io, 'ignored');
  const settings = found.log.keys.receipt === null ? found : await settingsOf(args, io, 'required');
  const { store: at, log, timezone } = settings;
  // Opening would make one.
  if (at.kind === 'sqlite' && !(await exists(at.directory)))
    throw new Failure(
      `There is no store at ${io.typed(at.directory)} yet; a gate makes it when it first runs.`,
    );
  const store = await openStore(settings, { exclusive: false });
  const ending = untilSignal();
  const ends = new AbortController();
  void ending.signal.then(() => ends.abort());
  const progress = progressOf();
  try {
    const policy = createPolicyEngine({ timezone });
    // Never brought up to date: that is the gate's, and would be recorded as its own. Nothing is hidden from who has the machine.
    const world = createWorld({ store, policy, clock: systemClock, random: systemRandom });
    const { receipt } = await keysFrom(keysFolderOf(settings), log.keys).read();
    const id = receiptKeyId(spkiOf(receipt));
    if (!(await store.logKeys()).some((one) => one.id === id))
      throw new Failure(
        'The log does not know the key that would sign the evidence: start the gate once first.',
      );
    const origin = originOf(settings, settings.listen.port);
    const desk = evidenceDesk(
      { store, policy, clock: systemClock, world, origin },
      readingLog(store, receipt, log.quorum),
      log.quorum,
    );
    const made = await desk.make({
      ...asked,
      ends: ends.signal,
      tell: (what, part) => progress.tell(what, part),
    });
    if (!made.ok) throw new Failure(made.error.detail);
    return handedOf(made.value);
  } catch (error) {
    if (ends.signal.aborted) throw new Interrupted();
    throw error;
  } finally {
    progress.end();
    ending.release();
    await store.close();
  }
}

const handedOf = ({ evidence, packed, name }: MadeEvidence): Handed => ({
  files: packed.files,
  zip: () => packed.zip(),
  name,
  rows: evidence.completeness.rows,
  entries: [evidence.log.from, evidence.log.to],
  exceptions: evidence.exceptions.length,
  complete: evidence.completeness.complete,
  published: evidence.log.tier !== 'unpublished',
});

/** One line on a terminal that is written over, and gone at the end; else one line for each new thing that is done. */
function progressOf(): { tell(what: string, part: number): void; end(): void } {
  const { stderr } = process;
  let said = '';
  return {
    tell: (what, part) => {
      const text = stderr.isTTY ? `${what}: ${Math.min(100, Math.floor(part * 100))} %` : what;
      if (text === said) return;
      said = text;
      stderr.write(stderr.isTTY ? `\r\u001B[K${text}` : `${text}\n`);
    },
    end: () => {
      if (said !== '' && stderr.isTTY) stderr.write('\r\u001B[K');
    },
  };
}
