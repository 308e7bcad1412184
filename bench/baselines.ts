import { D2, MultiSet, count, keyBy, output } from "@electric-sql/d2ts";
import { murmurHash } from "#whitewater/engine/base/hash.js";
import type { Contender } from "./rounds.ts";
import { wordAt } from "./words.ts";
import type { Word } from "./words.ts";

const BATCH = 64;
const KEY_GROUPS = 128;

/** Counting words in a Map, and nothing else. */
export function bareMap(records: number): Contender {
  return {
    name: "bare Map loop",
    unit: "records",
    run: () => {
      const counts = new Map<string, number>();
      for (let index = 0; index < records; index += 1) {
        const { word, count: one } = wordAt(index);
        counts.set(word, (counts.get(word) ?? 0) + one);
      }
      return { units: records, also: { keys: counts.size } };
    },
  };
}

/**
 * What anybody would write by hand who needs the same steps: Java's hash of the word, murmur over it, the
 * key group's owner, a batch of 64 to each owner, a Map there, and an emitted record for each that came.
 */
export function handWritten(records: number, parallelism: number): Contender {
  return {
    name: `hand-written loop, parallelism ${parallelism}`,
    unit: "records",
    run: () => {
      const owners = Array.from({ length: parallelism }, () => new Owner());
      const batches: Word[][] = owners.map(() => []);
      for (let index = 0; index < records; index += 1) {
        const record = wordAt(index);
        const keyGroup = murmurHash(stringHash(record.word)) % KEY_GROUPS;
        const to = Math.floor((keyGroup * parallelism) / KEY_GROUPS);
        const batch = batches[to] as Word[];
        batch.push(record);
        if (batch.length < BATCH) continue;
        (owners[to] as Owner).take(batch);
        batches[to] = [];
      }
      batches.forEach((batch, to) => (owners[to] as Owner).take(batch));
      return { units: records, also: { emitted: owners.reduce((sum, { emitted }) => sum + emitted, 0) } };
    },
  };
}

class Owner {
  readonly #sums = new Map<string, Word>();
  #out: Word[] = [];
  emitted = 0;

  take(batch: readonly Word[]): void {
    for (const record of batch) {
      const before = this.#sums.get(record.word);
      const after = before === undefined ? record : { word: record.word, count: before.count + record.count };
      this.#sums.set(record.word, after);
      this.#out.push(after);
      if (this.#out.length < BATCH) continue;
      this.emitted += this.#out.length;
      this.#out = [];
    }
  }
}

function stringHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i += 1) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0;
  return hash;
}

/** The same count as a differential dataflow, a version for each batch of 64. */
export function differential(records: number): Contender {
  return {
    name: "@electric-sql/d2ts, batches of 64",
    unit: "records",
    run: () => {
      const graph = new D2({ initialFrontier: 0 });
      const input = graph.newInput<Word>();
      let emitted = 0;
      input.pipe(
        keyBy(({ word }: Word) => word),
        count(),
        output(() => {
          emitted += 1;
        }),
      );
      graph.finalize();
      let version = 0;
      for (let start = 0; start < records; start += BATCH) {
        const batch: [Word, number][] = [];
        for (let index = start; index < Math.min(start + BATCH, records); index += 1) batch.push([wordAt(index), 1]);
        input.sendData(version, new MultiSet(batch));
        version += 1;
        input.sendFrontier(version);
        graph.run();
      }
      return { units: records, also: { messages: emitted } };
    },
  };
}
