/**
 * The meters in memory, as Prometheus's client keeps them. Promises: counting costs a lookup and an addition; a metric has at most
 * `seriesMax` series, whatever is counted, and what would be one more is counted as `other`.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Counters, GaugeName, Histograms, Meters } from '../ports/meters.ts';
import { counterHelp, gaugeHelp, histogramHelp, prefix } from './catalogue.ts';

/** Series of one metric: routes times methods times statuses are the most. */
const seriesMax = 500;

export interface KeptMeters extends Meters {
  readonly registry: Registry;
}

type Labels = Readonly<Record<string, string>>;

const counterLabels: Readonly<Partial<Record<keyof Counters, readonly string[]>>> = {
  store_flushes: ['result'],
  verdicts: ['effect', 'mode'],
  refusals: ['command', 'code'],
  change_faults: ['command'],
  change_stale: ['command'],
  reviews: ['decision', 'channel'],
  approvals_ended: ['status'],
  grants_unused: ['code'],
  executions: ['status', 'enforcement'],
  authentication_failures: ['how'],
  spans: ['result'],
};

const histogramLabels: Readonly<Partial<Record<keyof Histograms, readonly string[]>>> = {
  change_seconds: ['command'],
  decision_seconds: ['status'],
  execution_seconds: ['enforcement'],
  http_request_seconds: ['method', 'route', 'status'],
};

/** Names of a record that are its own. */
const namesOf = <N extends string>(record: Readonly<Record<N, unknown>>): readonly N[] =>
  Object.keys(record) as N[]; // a record of these names was written as a literal

export function createMeters(): KeptMeters {
  const registry = new Registry();
  const registers = [registry];
  const counters = new Map<string, Counter>();
  for (const name of namesOf<keyof Counters>(counterHelp)) {
    const labelNames = [...(counterLabels[name] ?? [])];
    const counter = new Counter({
      name: `${prefix}${name}_total`,
      help: counterHelp[name],
      labelNames,
      registers,
    });
    counters.set(name, counter);
  }
  const histograms = new Map<string, Histogram>();
  for (const name of namesOf<keyof Histograms>(histogramHelp)) {
    const { help, buckets } = histogramHelp[name];
    const labelNames = [...(histogramLabels[name] ?? [])];
    histograms.set(
      name,
      new Histogram({ name: prefix + name, help, labelNames, buckets: [...buckets], registers }),
    );
  }
  const gauges = new Map<GaugeName, () => number>();
  for (const name of namesOf<GaugeName>(gaugeHelp)) {
    gauge({
      name: prefix + name,
      help: gaugeHelp[name],
      registers,
      collect() {
        // Only what somebody answers for is there.
        const value = read(gauges.get(name));
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  }
  const bounded = seriesWithin(seriesMax);
  return {
    registry,
    count(name, labels, by = 1) {
      counters.get(name)?.inc(bounded(name, labels), by);
    },
    observe(name, value, labels) {
      // A clock that was set back measures nothing.
      if (value >= 0) histograms.get(name)?.observe(bounded(name, labels), value);
    },
    gauge(name, answer) {
      gauges.set(name, answer);
      return () => {
        if (gauges.get(name) === answer) gauges.delete(name);
      };
    },
  };
}

/** It is kept by its registry. */
const gauge = (of: ConstructorParameters<typeof Gauge>[0]): Gauge => new Gauge(of);

/** What a gauge says; undefined where nobody answers for it, or whoever does cannot. */
function read(answer: (() => number) | undefined): number | undefined {
  try {
    return answer?.();
  } catch {
    return undefined;
  }
}

/** Labels as they are, or every value `other` once a metric has too many series. */
function seriesWithin(max: number): (name: string, labels: Labels) => Record<string, string> {
  const known = new Map<string, Set<string>>();
  return (name, labels) => {
    const values = Object.values(labels);
    if (values.length === 0) return {};
    const series = known.get(name) ?? new Set();
    known.set(name, series);
    const key = JSON.stringify(values);
    if (!series.has(key) && series.size >= max)
      return Object.fromEntries(Object.keys(labels).map((label) => [label, 'other']));
    series.add(key);
    return { ...labels };
  };
}
