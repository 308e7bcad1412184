import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SnapshotWriter } from "#whitewater/engine/state/keyed-backend.js";
import { KeyedStateReader } from "#whitewater/simulator/reference/changelog-reader.js";
import { readKeyedSection } from "#whitewater/simulator/reference/snapshot-reader.js";
import { CHANGES, KEYS, NAMESPACES, canonical, change, expectSame, ownerOf, subtasks, written } from "./lockstep-job.js";
import type { Change, Twin } from "./lockstep-job.js";

interface Flight {
  readonly id: number;
  readonly writers: readonly SnapshotWriter[];
  /** What each subtask held when the checkpoint was taken, as a heap writes it. */
  readonly expected: readonly Uint8Array[];
  readonly done: boolean[];
}

interface Finished {
  readonly id: number;
  readonly pieces: readonly Uint8Array[];
  readonly expected: readonly Uint8Array[];
}

/** Both kinds of backend through the same history: checkpoints, materializations, restores at other parallelisms. */
class Lockstep {
  private twins: Twin[];
  private flights: Flight[] = [];
  private readonly finished: Finished[] = [];
  private readonly readers: KeyedStateReader[] = [];
  private lastId = 0;
  private readonly afterBytes: number;

  constructor(parallelism: number, afterBytes: number) {
    this.twins = subtasks(parallelism, afterBytes);
    this.afterBytes = afterBytes;
  }

  apply(one: Change): void {
    const { real, plain } = this.twins[ownerOf(one.key, this.twins.length)]!;
    expectSame(change(real, one), change(plain, one));
  }

  control(name: string, item: number): void {
    const flight = this.flights[item % Math.max(1, this.flights.length)];
    const twin = this.twins[item % this.twins.length]!;
    switch (name) {
      case "checkpoint":
        this.begin();
        break;
      case "step":
        if (flight !== undefined) this.step(flight, item % this.twins.length, 1 + (item % 3));
        break;
      case "finish":
        if (flight !== undefined) this.finish(flight);
        break;
      case "abort":
        if (flight !== undefined) this.abort(flight);
        break;
      case "complete":
        this.complete(item);
        break;
      case "maintain":
        if (twin.real.needsMaintenance) twin.real.maintain();
        break;
      case "materialize":
        for (let i = 0; twin.real.needsMaintenance && i < 50; i++) twin.real.maintain();
        break;
      case "restore":
        this.restore(item);
        break;
      default:
        throw new Error(name);
    }
  }

  /** At the end: everything is as it must be, live and restored. */
  check(): void {
    for (const { real, plain } of this.twins) expectSame(written(real.snapshot()), written(plain.snapshot()));
    this.begin();
    this.finish(this.flights.at(-1)!);
  }

  private begin(): void {
    const id = ++this.lastId;
    const expected = this.twins.map(({ plain }) => written(plain.snapshot()));
    const writers = this.twins.map(({ real }) => real.checkpoint(id));
    this.flights.push({ id, writers, expected, done: writers.map(() => false) });
  }

  private step({ writers, done }: Flight, subtask: number, budget: number): void {
    if (!done[subtask]) done[subtask] = writers[subtask]!.step(budget) === 0;
  }

  private finish(flight: Flight): void {
    this.flights = this.flights.filter((other) => other !== flight);
    flight.writers.forEach((_, subtask) => {
      while (!flight.done[subtask]) this.step(flight, subtask, 2);
    });
    const pieces = flight.writers.map((writer) => writer.bytes());
    pieces.forEach((piece, subtask) => {
      const section = flight.expected[subtask]!;
      expectSame(canonical([piece], this.twins[subtask]!.real.range), section);
      // The independent reader keeps what it read of the checkpoint before.
      expectSame((this.readers[subtask] ??= new KeyedStateReader()).read(piece), readKeyedSection(section));
    });
    this.finished.push({ id: flight.id, pieces, expected: flight.expected });
  }

  private abort(flight: Flight): void {
    this.flights = this.flights.filter((other) => other !== flight);
    for (const writer of flight.writers) writer.cancel();
    for (const { real } of this.twins) real.notifyAborted(flight.id);
  }

  /** News of any finished checkpoint, also a second time, or late; to some subtasks only. */
  private complete(item: number): void {
    const { id } = this.finished[item % Math.max(1, this.finished.length)] ?? { id: 1000 };
    this.twins.forEach(({ real }, subtask) => {
      if ((item + subtask) % 3 !== 0) real.notifyComplete(id);
    });
  }

  private restore(item: number): void {
    const from = this.finished[item % Math.max(1, this.finished.length)];
    if (from === undefined) return;
    for (const { writers } of this.flights) for (const writer of writers) writer.cancel();
    this.flights = [];
    for (const { real } of this.twins) real.dispose();
    this.twins = subtasks(1 + (item % 4), this.afterBytes);
    for (const { real, plain } of this.twins) {
      // A canonical section is as good as a container; so is a mixture of both.
      real.restore(from.pieces.map((piece, subtask) => ((item + subtask) % 4 === 0 ? from.expected[subtask]! : piece)));
      plain.restore(from.expected);
      expect(real.watermarkMs).toBe(plain.watermarkMs);
      expectSame(written(real.snapshot()), written(plain.snapshot()));
    }
  }
}

const place = { key: fc.constantFrom(...KEYS), namespace: fc.constantFrom(...NAMESPACES), item: fc.nat(30) };
const step = fc.oneof(
  { weight: 14, arbitrary: fc.record({ do: fc.constantFrom(...CHANGES), ...place }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("step", "maintain", "materialize", "complete"), item: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("checkpoint", "checkpoint", "finish", "finish", "abort", "restore"), item: fc.nat(30) }) },
);

describe("a changelog backend", () => {
  it("holds and restores what a heap does, through any history of checkpoints, materializations and restores", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom(1, 60, 400, 1 << 20),
        fc.array(step, { minLength: 20, maxLength: 200, size: "max" }),
        (parallelism, afterBytes, steps) => {
          const lockstep = new Lockstep(parallelism, afterBytes);
          for (const one of steps) {
            if ("key" in one) lockstep.apply(one);
            else lockstep.control(one.do, one.item);
          }
          lockstep.check();
        },
      ),
      { numRuns: 120 },
    );
  });
});
