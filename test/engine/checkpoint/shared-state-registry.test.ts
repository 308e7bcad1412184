import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FileHandle } from "#whitewater/engine/checkpoint/checksummed-file.js";
import { SharedStateRegistry } from "#whitewater/engine/checkpoint/shared-state-registry.js";

function file(key: string, checksum = 7): FileHandle {
  return { key, sizeBytes: 10, checksum };
}

/** Uploads, then placeholders, of one checkpoint; all must be taken. */
function acknowledge(registry: SharedStateRegistry, id: number, uploaded: string, placeholders = ""): void {
  for (const key of uploaded) expect(registry.register(file(key), false, id)).toBe(null);
  for (const key of placeholders) expect(registry.register(file(key), true, id)).toBe(null);
}

function deletedAt(registry: SharedStateRegistry, lowestRetained: number): string {
  return registry.unregisterUnused(lowestRetained).map((entry) => entry.file.key).join("");
}

describe("the shared state registry: Flink's vectors", () => {
  it("deletes what the oldest retained checkpoint and none since used", () => {
    const registry = new SharedStateRegistry();
    acknowledge(registry, 1, "ab");
    acknowledge(registry, 2, "c", "b");
    expect(deletedAt(registry, 2)).toBe("a");
    acknowledge(registry, 3, "d", "c");
    // Checkpoint 3 is aborted: its files stay, because 4 may have been told of nothing yet.
    acknowledge(registry, 4, "e", "c");
    expect(deletedAt(registry, 4)).toBe("bd");
    expect(registry.entries()).toEqual([
      { file: file("c"), createdBy: 2, lastUsed: 4 },
      { file: file("e"), createdBy: 4, lastUsed: 4 },
    ]);
  });

  it("keeps what an aborted checkpoint brought until a later one completes", () => {
    const registry = new SharedStateRegistry();
    acknowledge(registry, 1, "ab");
    acknowledge(registry, 2, "c", "b");
    expect(deletedAt(registry, 2)).toBe("a");
    acknowledge(registry, 3, "d", "b");
    expect(deletedAt(registry, 2)).toBe("");
    acknowledge(registry, 4, "", "c");
    expect(deletedAt(registry, 4)).toBe("bd");
  });

  it("never deletes what belongs to a checkpoint that was restored without a claim, or to one before", () => {
    const registry = new SharedStateRegistry();
    expect(registry.registerAllAfterRestored(1, [file("a"), file("b")], false)).toBe(null);
    acknowledge(registry, 2, "cd");
    expect(deletedAt(registry, 2)).toBe("");
    acknowledge(registry, 3, "e", "d");
    expect(deletedAt(registry, 3)).toBe("c");
    expect(registry.entries().map((entry) => entry.file.key)).toEqual(["d", "e"]);
  });

  it("deletes the files of a claimed checkpoint as its own", () => {
    const registry = new SharedStateRegistry();
    registry.registerAllAfterRestored(7, [file("a"), file("b")], true);
    acknowledge(registry, 8, "c", "b");
    expect(deletedAt(registry, 8)).toBe("a");
  });
});

describe("the shared state registry", () => {
  it("refuses a placeholder for what it does not know, and remembers nothing of it", () => {
    const registry = new SharedStateRegistry();
    expect(registry.register(file("a"), true, 1)).toBe("unknown");
    expect(registry.has("a")).toBe(false);
    acknowledge(registry, 1, "a");
    expect(registry.register(file("a"), true, 2)).toBe(null);
    deletedAt(registry, 3);
    expect(registry.register(file("a"), true, 3)).toBe("unknown");
  });

  it("refuses other bytes under a key that is taken, be they uploaded or named (FLINK-29913)", () => {
    const registry = new SharedStateRegistry();
    acknowledge(registry, 1, "a");
    for (const isPlaceholder of [false, true]) {
      expect(registry.register(file("a", 8), isPlaceholder, 2)).toBe("other-file");
      expect(registry.register({ ...file("a"), sizeBytes: 11 }, isPlaceholder, 2)).toBe("other-file");
    }
    expect(registry.entries()).toEqual([{ file: file("a"), createdBy: 1, lastUsed: 1 }]);
  });

  it("takes the same file twice for one thing: nothing is deleted as a duplicate (FLINK-26101)", () => {
    const registry = new SharedStateRegistry();
    acknowledge(registry, 1, "a");
    acknowledge(registry, 2, "a");
    acknowledge(registry, 1, "a");
    expect(registry.entries()).toEqual([{ file: file("a"), createdBy: 1, lastUsed: 2 }]);
    expect(deletedAt(registry, 2)).toBe("");
  });

  it("recovers from the retained checkpoints, oldest first, what an earlier registry knew of them", () => {
    const registry = new SharedStateRegistry();
    registry.registerAllAfterRestored(4, [file("a"), file("b")], true);
    registry.registerAllAfterRestored(6, [file("b"), file("c")], true);
    expect(registry.entries().map(({ createdBy, lastUsed }) => [createdBy, lastUsed])).toEqual([
      [4, 4],
      [4, 6],
      [6, 6],
    ]);
    expect(deletedAt(registry, 6)).toBe("a");
  });

  it("lets go of everything unreferenced when no acknowledgement can come any more", () => {
    const registry = new SharedStateRegistry();
    registry.registerAllAfterRestored(1, [file("a")], false);
    acknowledge(registry, 2, "bc");
    acknowledge(registry, 3, "d", "b");
    expect(registry.unregisterAllBut(new Set(["b"])).map((entry) => entry.file.key)).toEqual(["c", "d"]);
    expect(registry.entries().map((entry) => entry.file.key)).toEqual(["b"]);
  });
});

/**
 * A subtask that keeps Flink's rules beside a leader that loses and delays notifications, checked against plain
 * sets: which checkpoint holds which file, which are retained.
 */
type Command = "snapshot" | "complete" | "abort" | "notify" | "drop a file" | "late";

interface Taken {
  readonly id: number;
  readonly files: readonly string[];
  readonly placeholders: ReadonlySet<string>;
}

class Model {
  readonly registry: SharedStateRegistry = new SharedStateRegistry();
  readonly storage: Set<string> = new Set();
  readonly #retained: number;
  /** Contents that are alive in the subtask, each with its confirmed file. */
  #contents: number[] = [];
  #nextContent = 0;
  #nextId = 1;
  #base: ReadonlyMap<number, string> = new Map();
  readonly #uploads: Map<number, ReadonlyMap<number, string>> = new Map();
  #pending: Taken[] = [];
  readonly #lost: Taken[] = [];
  readonly #store: Taken[] = [];
  /** Completed, and the subtask has not heard of it yet. */
  readonly #news: number[] = [];

  constructor(retained: number) {
    this.#retained = retained;
  }

  run(command: Command): void {
    if (command === "snapshot") this.#snapshot();
    else if (command === "drop a file") this.#contents.shift();
    else if (command === "complete") this.#complete();
    else if (command === "abort") this.#abort();
    else if (command === "late") this.#late();
    else this.#notify();
    this.#check();
  }

  #snapshot(): void {
    const id = this.#nextId++;
    this.#contents.push(this.#nextContent++);
    const files = new Map<number, string>();
    const placeholders = new Set<string>();
    for (const content of this.#contents) {
      const known = this.#base.get(content);
      const isReusable = known !== undefined && [...this.#uploads.values()].every((upload) => upload.get(content) === known);
      const key = isReusable ? known : `${content}@${id}`;
      if (isReusable) placeholders.add(key);
      else this.storage.add(key);
      files.set(content, key);
    }
    this.#uploads.set(id, files);
    this.#pending.push({ id, files: [...files.values()], placeholders });
  }

  #register({ id, files, placeholders }: Taken): void {
    for (const key of files) expect(this.registry.register(file(key), placeholders.has(key), id)).toBe(null);
  }

  #complete(): void {
    const taken = this.#pending.shift();
    if (taken === undefined) return;
    this.#register(taken);
    this.#store.push(taken);
    if (taken.id % 5 !== 0) this.#news.push(taken.id);
    while (this.#store.length > this.#retained) this.#store.shift();
    for (const entry of this.registry.unregisterUnused(this.#store[0]!.id)) this.storage.delete(entry.file.key);
  }

  /** Half of them after their acknowledgement, whose task never hears of the abort. */
  #abort(): void {
    const taken = this.#pending.pop();
    if (taken === undefined) return;
    if (taken.id % 2 === 0) this.#register(taken);
    else this.#lost.push(taken);
    if (taken.id % 3 === 0) this.#uploads.delete(taken.id);
  }

  /** The acknowledgement of an aborted checkpoint arrives after all. */
  #late(): void {
    const taken = this.#lost.shift();
    if (taken === undefined) return;
    for (const key of taken.files) {
      const refusal = this.registry.register(file(key), taken.placeholders.has(key), taken.id);
      expect([null, "unknown"]).toContain(refusal);
    }
  }

  /** The subtask learns of a completed checkpoint, be it long subsumed; of every fifth it never does. */
  #notify(): void {
    const id = this.#news.shift();
    if (id === undefined) return;
    this.#base = this.#uploads.get(id) ?? this.#base;
    for (const other of this.#uploads.keys()) if (other <= id) this.#uploads.delete(other);
  }

  #check(): void {
    for (const { id, files } of this.#store) {
      for (const key of files) expect(this.storage.has(key) ? null : `checkpoint ${id} lost ${key}`).toBe(null);
    }
    for (const { id, placeholders } of this.#pending) {
      for (const key of placeholders) expect(this.registry.has(key) ? null : `pending ${id} lost ${key}`).toBe(null);
    }
  }
}

describe("a registry and a task that keeps the rules", () => {
  it("never delete a file of a retained or pending checkpoint, whatever is aborted, late or never heard of", () => {
    const command = fc.constantFrom<Command>("snapshot", "snapshot", "complete", "abort", "notify", "drop a file", "late");
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.array(command, { maxLength: 60, size: "max" }), (retained, commands) => {
        const model = new Model(retained);
        for (const one of commands) model.run(one);
      }),
      { seed: 4, numRuns: 500 },
    );
  });
});
