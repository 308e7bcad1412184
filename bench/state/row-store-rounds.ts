import { median } from "../rounds.ts";
import type { RowStore, RowStoreMaker } from "./row-stores.ts";
import type { Rows } from "./rows.ts";

export const BATCH_ROWS = 1000;

/** One store with one number of rows: medians over the rounds, in microseconds a row. */
export interface StoreTimes {
  readonly name: string;
  readonly rows: number;
  readonly cacheBytes: number;
  readonly putUs: number;
  /** Processor time of all threads from the first put until the background work was done. */
  readonly putCpuUs: number;
  readonly getUs: number;
  readonly getCpuUs: number;
  readonly scanUs: number;
  readonly rounds: readonly StoreTimesOfRound[];
}

type Figure = "putUs" | "putCpuUs" | "getUs" | "getCpuUs" | "scanUs";
type StoreTimesOfRound = Readonly<Record<Figure, number>>;

/** Lets the stores take turns, each from empty to removed. */
export async function measureStores(
  makers: readonly RowStoreMaker[],
  rows: Rows,
  cacheBytes: number,
  rounds: number,
): Promise<readonly StoreTimes[]> {
  const all = makers.map((): StoreTimesOfRound[] => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, maker] of makers.entries()) {
      globalThis.gc?.();
      const store = await maker.open();
      all[index]?.push(await measureStore(store, rows));
      await store.close();
    }
  }
  return makers.map(({ name }, index) => {
    const ofStore = all[index] ?? [];
    const middle = (figure: Figure): number => median(ofStore.map((one) => one[figure]));
    return {
      name,
      rows: rows.count,
      cacheBytes,
      putUs: middle("putUs"),
      putCpuUs: middle("putCpuUs"),
      getUs: middle("getUs"),
      getCpuUs: middle("getCpuUs"),
      scanUs: middle("scanUs"),
      rounds: ofStore,
    };
  });
}

async function measureStore(store: RowStore, rows: Rows): Promise<StoreTimesOfRound> {
  const cpuBefore = process.cpuUsage();
  const putUs = await timePuts(store, rows);
  await store.settle();
  const putCpuUs = cpuUsSince(cpuBefore) / rows.count;
  for (let warmUp = 0; warmUp < 2; warmUp += 1) timeGets(store, rows);
  const gets = timeGets(store, rows);
  const startedMs = performance.now();
  const scanned = await store.scan();
  const scanUs = ((performance.now() - startedMs) * 1000) / rows.count;
  if (scanned !== rows.count) throw new Error(`${store.name} has ${scanned} rows, not ${rows.count}`);
  return { putUs, putCpuUs, getUs: gets.wallUs, getCpuUs: gets.cpuUs, scanUs };
}

function cpuUsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

async function timePuts(store: RowStore, rows: Rows): Promise<number> {
  let tookMs = 0;
  for (let from = 0; from < rows.count; from += BATCH_ROWS) {
    const batch = store.batch(rows, from, Math.min(rows.count, from + BATCH_ROWS));
    const startedMs = performance.now();
    const pending = store.write(batch);
    if (pending !== undefined) await pending;
    tookMs += performance.now() - startedMs;
  }
  const startedMs = performance.now();
  store.finish();
  tookMs += performance.now() - startedMs;
  return (tookMs * 1000) / rows.count;
}

/** Keys are made just before they are asked for, so that nobody waits for the memory of a million keys. */
function timeGets(store: RowStore, rows: Rows): Timed {
  const { read } = rows;
  let found = 0;
  let tookMs = 0;
  let cpuUs = 0;
  for (let from = 0; from < read.length; from += BATCH_ROWS) {
    const keys = Array.from(read.subarray(from, from + BATCH_ROWS), (row) => rows.key(row).slice());
    const cpuBefore = process.cpuUsage();
    const startedMs = performance.now();
    for (const key of keys) {
      const value = store.get(key);
      if (value !== null && value !== undefined) found += value.length;
    }
    tookMs += performance.now() - startedMs;
    cpuUs += cpuUsSince(cpuBefore);
  }
  if (found !== read.length * rows.value(0).length) throw new Error(`${store.name} does not find every row`);
  return { wallUs: (tookMs * 1000) / read.length, cpuUs: cpuUs / read.length };
}

interface Timed {
  readonly wallUs: number;
  readonly cpuUs: number;
}
