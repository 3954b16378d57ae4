/** What the pure half of an ask costs: the strict reader on a call of 2 KB, and its canonical bytes with their digests. */
import { randomBytes } from 'node:crypto';
import { identify, type Action } from '../src/core/action.ts';
import { actionIdOf } from '../src/core/ids.ts';
import { isJsonObject, type JsonObject } from '../src/core/json.ts';
import { readJson } from '../src/core/read-json.ts';
import { sha256Hex } from '../src/core/sha256.ts';
import { ask } from './commands.ts';
import { inOrder, type Measurement, type Table } from './measurement.ts';
import { compare, Series, summary } from './stats.ts';

/** Calls in one sample: a single one is too short for the clock. */
const perSample = 50;
const samplesPerSlice = 60;

/** A call of 2 KB: nested, with text that needs escapes and text beyond ASCII. */
export function twoKilobytes(): { readonly text: string; readonly input: JsonObject } {
  const rows = Array.from({ length: 14 }, (_, at) => ({
    id: at * 7919,
    name: `Zoë "Z" Müller ${at}`,
    tags: ['team', 'renewal', null, true],
    amount: at * 12.25,
    note: 'called on Monday;\nasked for an offer',
  }));
  const text = JSON.stringify({ table: 'customers', mode: 'upsert', rows });
  const read = readJson(text);
  if (!read.ok || !isJsonObject(read.value)) throw new Error('The fixture is no JSON object.');
  return { text, input: read.value };
}

export function core(): Measurement {
  const { text, input } = twoKilobytes();
  const bytes = new TextEncoder().encode(text);
  const action: Action = {
    ...ask('allow', { policySet: 1, directory: 1, tools: 1 }, randomBytes(32)).asked.action,
    input,
  };
  const id = actionIdOf(randomBytes(16));
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let sink = 0;
  const variants = [
    {
      series: new Series('JSON.parse'),
      work: () => Object.keys(JSON.parse(decoder.decode(bytes)) as object).length,
    },
    { series: new Series('readJson (strict)'), work: () => (readJson(bytes).ok ? 1 : 0) },
    {
      series: new Series('JSON.stringify + one SHA-256'),
      work: () => sha256Hex(JSON.stringify(action)).length,
    },
    {
      series: new Series('canonical bytes, digest and subject'),
      work: () => identify(id, action).canonical.length,
    },
  ] as const;
  const slice = (samples: number, { series, work }: (typeof variants)[number]): void => {
    const micros: number[] = [];
    for (let at = 0; at < samples; at += 1) {
      const from = performance.now();
      for (let call = 0; call < perSample; call += 1) sink += work();
      micros.push(((performance.now() - from) * 1000) / perSample);
    }
    series.slice(micros);
  };
  for (const variant of variants) {
    slice(samplesPerSlice * 2, variant);
    variant.series.slices.length = 0;
  }
  const [parse, strict, plain, canonical] = variants.map((one) => one.series);
  return {
    name: 'core',
    round: (backwards) =>
      inOrder(
        variants.map((variant) => async () => slice(samplesPerSlice, variant)),
        backwards,
      ),
    tables: (): readonly Table[] => [
      {
        title: 'Core: one call of 2 KB',
        method:
          'In this process, no I/O. Against what the platform does for the same bytes without the promises.',
        unit: 'µs',
        variants: variants.map((one) => summary(one.series)),
        comparisons:
          parse === undefined || strict === undefined || plain === undefined || canonical === undefined
            ? []
            : [compare(strict, parse), compare(canonical, plain)],
        goals: [],
        notes: [`${bytes.length} bytes of JSON; one sample is the mean of ${perSample} calls`],
      },
    ],
    // Reading the sink keeps the work from being optimised away.
    close: async () => void (sink === 0 && console.error('nothing was measured')),
  };
}
