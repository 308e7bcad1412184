/** Something that is measured: does its work once and tells how many units of it. */
export interface Contender {
  readonly name: string;
  /** What is counted: "records", "trace points". */
  readonly unit: string;
  readonly run: () => Work;
  /** Stays in memory as long as the contender. */
  readonly halfWay?: object;
}

export interface Work {
  readonly units: number;
  /** Further numbers of the same run, by name; the last round's are shown. */
  readonly also?: Readonly<Record<string, number>>;
}

/** What the rounds of one contender gave. */
export interface Measured {
  readonly name: string;
  readonly unit: string;
  /** Of the median round. */
  readonly unitsPerSecond: number;
  readonly nanosecondsPerUnit: number;
  /** Of every round, in order. */
  readonly rounds: readonly number[];
  readonly also: Readonly<Record<string, number>>;
}

/**
 * Lets the contenders take turns, so that what else the machine does hits all of them alike. Warm-up rounds
 * are not counted. Before each turn the garbage of the others is taken away, where Node lets us.
 */
export function measure(contenders: readonly Contender[], warmups: number, rounds: number): readonly Measured[] {
  const nanoseconds = contenders.map((): number[] => []);
  const also = contenders.map((): Readonly<Record<string, number>> => ({}));
  for (let round = 0; round < warmups + rounds; round += 1) {
    contenders.forEach((contender, index) => {
      globalThis.gc?.();
      const startedNs = process.hrtime.bigint();
      const work = contender.run();
      const tookNs = Number(process.hrtime.bigint() - startedNs);
      if (round < warmups) return;
      nanoseconds[index]?.push(tookNs / work.units);
      also[index] = work.also ?? {};
    });
  }
  return contenders.map(({ name, unit }, index) => {
    const all = nanoseconds[index] ?? [];
    const nanosecondsPerUnit = median(all);
    return { name, unit, unitsPerSecond: 1e9 / nanosecondsPerUnit, nanosecondsPerUnit, rounds: all, also: also[index] ?? {} };
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
