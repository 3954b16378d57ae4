/** Numbers out of samples. Slices are kept apart, so that two variants can be compared slice by slice. */

/** Samples of one variant: one list a slice. For latencies, milliseconds; for rates, one number a slice. */
export class Series {
  readonly name: string;
  readonly slices: number[][] = [];

  constructor(name: string) {
    this.name = name;
  }

  slice(samples: readonly number[]): void {
    if (samples.length > 0) this.slices.push([...samples]);
  }

  all(): readonly number[] {
    return this.slices.flat();
  }

  medians(): readonly number[] {
    return this.slices.map((slice) => median(slice));
  }
}

/** Nearest-rank percentile of unsorted samples; NaN of none. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

export const median = (samples: readonly number[]): number => percentile(samples, 50);

/** What a table shows of one variant. */
export interface Summary {
  readonly name: string;
  readonly samples: number;
  readonly slices: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** The median of each slice, in the order in which they were taken. */
  readonly sliceP50: readonly number[];
}

export function summary(series: Series): Summary {
  const all = series.all();
  return {
    name: series.name,
    samples: all.length,
    slices: series.slices.length,
    p50: median(all),
    p95: percentile(all, 95),
    p99: percentile(all, 99),
    sliceP50: series.medians(),
  };
}

/** One variant against another: medians of what each pair of neighbouring slices says. */
export interface Comparison {
  readonly of: string;
  readonly to: string;
  /** Median of the slices' ratios. */
  readonly ratio: number;
  readonly ratios: readonly number[];
  /** Median of the slices' differences, in the unit of the series. */
  readonly added: number;
}

export function compare(of: Series, to: Series): Comparison {
  const base = to.medians();
  const pairs = of.medians().flatMap((value, at) => {
    const other = base[at];
    return other === undefined ? [] : [{ value, other }];
  });
  const ratios = pairs.map(({ value, other }) => value / other);
  return {
    of: of.name,
    to: to.name,
    ratio: median(ratios),
    ratios,
    added: median(pairs.map(({ value, other }) => value - other)),
  };
}
