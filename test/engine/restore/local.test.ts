import { describe, expect, it } from "vitest";
import type { FileHandle } from "#whitewater/engine/checkpoint/checksummed-file.js";
import { handleOf } from "#whitewater/engine/checkpoint/checksummed-file.js";
import type { VertexCheckpoint } from "#whitewater/engine/checkpoint/checkpoint-metadata.js";
import { LocalCopies } from "#whitewater/engine/checkpoint/local-copies.js";
import type { OperatorSnapshot } from "#whitewater/engine/checkpoint/snapshot-file.js";
import { encodeSnapshotFile } from "#whitewater/engine/checkpoint/snapshot-file.js";
import { TaskLocalState } from "#whitewater/engine/checkpoint/task-local-state.js";
import { EIO } from "#whitewater/engine/ports/disk.js";
import type { ProcessPorts } from "#whitewater/engine/ports/process-ports.js";
import { localRestore } from "#whitewater/engine/restore/local.js";
import type { RestoreOutcome, RestoreTarget } from "#whitewater/engine/restore/restore-strategy.js";
import { HeapKeyedBackend } from "#whitewater/engine/state/backends/heap/heap-keyed-backend.js";
import { valueState } from "#whitewater/engine/state/descriptors.js";
import { OperatorStateBackend } from "#whitewater/engine/state/operator-state-backend.js";
import { keyGroupOf, keyGroupRange } from "#whitewater/engine/stream/key-groups.js";
import { FakeProcess } from "../operators/fake-process.ts";
import { MemoryDisk } from "../state/memory-disk.ts";

/** Two stateful operators in one chain, keyed alike: "count" keeps n for key n, "sum" keeps 10 n. */
const UIDS = ["count", "sum"] as const;
const MAX_PARALLELISM = 8;
const KEYS = Array.from({ length: 40 }, (_, n) => n);
const VERTEX = 4;
const CHECKPOINT = 7;

const valueOf = (uid: string, key: number): number => (uid === "count" ? key : 10 * key);
const backendOf = (parallelism: number, subtask: number): HeapKeyedBackend =>
  new HeapKeyedBackend({
    range: keyGroupRange(MAX_PARALLELISM, parallelism, subtask),
    maxParallelism: MAX_PARALLELISM,
    tieBreak: { below: () => 0 },
  });
const isIn = (key: number, { start, end }: { start: number; end: number }): boolean => {
  const group = keyGroupOf(key, MAX_PARALLELISM);
  return start <= group && group <= end;
};

function operatorOf(uid: string, parallelism: number, subtask: number): OperatorSnapshot {
  const backend = backendOf(parallelism, subtask);
  const { state } = backend.bind(valueState<number>("n"));
  for (const key of KEYS) {
    if (!isIn(key, backend.range)) continue;
    backend.setCurrentKey(key);
    state.update(valueOf(uid, key));
  }
  const writer = backend.snapshot();
  while (writer.step(1000) > 0);
  return { uid, keyed: writer.bytes(), files: null, lists: new Uint8Array(0) };
}

/** A checkpoint of so many subtasks in remote storage, and hosts that restore from it. */
class Cluster {
  readonly remote: Map<string, Uint8Array> = new Map();
  readonly vertex: VertexCheckpoint;
  readonly handles: readonly FileHandle[];
  gets = 0;

  constructor(parallelism: number) {
    this.handles = Array.from({ length: parallelism }, (_, subtask) => {
      const operators = UIDS.map((uid) => operatorOf(uid, parallelism, subtask));
      const file = encodeSnapshotFile({ checkpointId: CHECKPOINT, vertex: VERTEX, subtask, operators, channels: null });
      const handle = handleOf(`chk-${CHECKPOINT}/v${VERTEX}-s${subtask}-a1`, file);
      this.remote.set(handle.key, file);
      return handle;
    });
    const subtasks = this.handles.map((file) => ({ file, lists: [], inFlight: null, shared: [] }));
    this.vertex = { vertex: VERTEX, isFinished: false, uids: UIDS, subtasks };
  }

  file(subtask: number): Uint8Array {
    return this.remote.get(this.handles[subtask]?.key ?? "") as Uint8Array;
  }

  /** Restores one subtask on a host; what it holds afterwards, by operator and key. */
  restore(disk: MemoryDisk, subtask: number, parallelism: number): { outcome: RestoreOutcome; state: Map<string, number>; requests: number } {
    const process = new FakeProcess();
    const blobs: Pick<ProcessPorts["blobs"], "get"> = {
      get: (key, done) => {
        this.gets += 1;
        const bytes = this.remote.get(key);
        done(bytes === undefined ? { ok: false, code: "not-found" } : { ok: true, value: bytes });
      },
    };
    const ports: ProcessPorts = { ...process.ports, blobs: blobs as ProcessPorts["blobs"] };
    const owner = { allocation: subtask, vertex: VERTEX, subtask };
    const localState = new TaskLocalState(ports, new LocalCopies(disk, "/local"), owner, 1);
    const keyed = UIDS.map(() => backendOf(parallelism, subtask));
    const targets: RestoreTarget[] = UIDS.map((uid, i) => ({ uid, keyed: keyed[i] ?? null, lists: new OperatorStateBackend() }));
    const request = { checkpointId: CHECKPOINT, vertices: [this.vertex], isOwned: true };
    const outcomes: RestoreOutcome[] = [];
    const before = this.gets;
    const inFlight = { files: () => [], load: () => null };
    localRestore.restore(
      { ports, request, subtask, parallelism, maxParallelism: MAX_PARALLELISM, targets, inFlight, localState, sharedFiles: null, isWanted: () => true },
      (outcome) => outcomes.push(outcome),
    );
    process.advance(60_000_000);
    expect(outcomes).toHaveLength(1);
    const state = new Map<string, number>();
    keyed.forEach((backend, i) => {
      for (const { key, value } of backend.entries()) state.set(`${UIDS[i]}/${String(key)}`, value as number);
    });
    return { outcome: outcomes[0] as RestoreOutcome, state, requests: this.gets - before };
  }

  /** The host keeps a copy of what this subtask wrote. */
  keep(disk: MemoryDisk, allocation: number, subtask: number): void {
    const writer = new LocalCopies(disk, "/local").write({ allocation, vertex: VERTEX, subtask }, CHECKPOINT, this.file(subtask));
    while (writer.step());
    expect(writer.isStored).toBe(true);
  }
}

function expectedState(parallelism: number, subtask: number): Map<string, number> {
  const range = keyGroupRange(MAX_PARALLELISM, parallelism, subtask);
  const expected = new Map<string, number>();
  for (const uid of UIDS) for (const key of KEYS) if (isIn(key, range)) expected.set(`${uid}/${key}`, valueOf(uid, key));
  return expected;
}

const bytesOf = ({ outcome }: { outcome: RestoreOutcome }): readonly number[] =>
  outcome.ok ? [outcome.reads.remoteBytes, outcome.reads.localBytes, outcome.reads.requests] : [];

describe("the local restore strategy", () => {
  it("asks remote storage for nothing where the host holds the file, also when the same checkpoint is restored twice", () => {
    const cluster = new Cluster(2);
    const disk = new MemoryDisk();
    cluster.keep(disk, 1, 1);
    for (let time = 1; time <= 2; time += 1) {
      const restored = cluster.restore(disk, 1, 2);
      expect(restored.state).toEqual(expectedState(2, 1));
      expect(bytesOf(restored)).toEqual([0, cluster.file(1).length, 0]);
    }
    expect(cluster.gets).toBe(0);
  });

  it("fetches what is missing, and keeps it, so that the next restore finds it", () => {
    const cluster = new Cluster(2);
    const disk = new MemoryDisk();
    const first = cluster.restore(disk, 0, 2);
    expect(first.state).toEqual(expectedState(2, 0));
    expect(bytesOf(first)).toEqual([cluster.file(0).length, 0, 1]);
    const second = cluster.restore(disk, 0, 2);
    expect(second.state).toEqual(expectedState(2, 0));
    expect(bytesOf(second)).toEqual([0, cluster.file(0).length, 0]);
  });

  it("replaces a damaged copy from remote storage", () => {
    const cluster = new Cluster(2);
    const disk = new MemoryDisk();
    cluster.keep(disk, 0, 0);
    const path = `/local/slot-0/v${VERTEX}-s0-chk-${CHECKPOINT}.copy`;
    disk.file(path).bytes.set([77], 60);
    const restored = cluster.restore(disk, 0, 2);
    expect(restored.state).toEqual(expectedState(2, 0));
    expect(bytesOf(restored)).toEqual([cluster.file(0).length, 0, 1]);
    expect(disk.file(path).content()).toEqual(cluster.file(0));
  });

  it("after a rescale takes the pieces that this host holds, whoever wrote them, and the others from remote storage", () => {
    const cluster = new Cluster(4);
    const disk = new MemoryDisk();
    cluster.keep(disk, 1, 1);
    const restored = cluster.restore(disk, 0, 2);
    expect(restored.state).toEqual(expectedState(2, 0));
    expect(bytesOf(restored)).toEqual([cluster.file(0).length, cluster.file(1).length, 1]);
    // What it fetched is no file of its own.
    expect(new LocalCopies(disk, "/local").inspect()).toEqual([{ allocation: 1, vertex: VERTEX, subtask: 1, checkpointId: CHECKPOINT }]);
    const more = new Cluster(2);
    more.keep(new MemoryDisk(), 0, 0);
    expect(more.restore(new MemoryDisk(), 3, 4).state).toEqual(expectedState(4, 3));
  });

  it("reads everything from remote storage on a disk that answers nothing but errors", () => {
    const cluster = new Cluster(2);
    const disk = new MemoryDisk();
    cluster.keep(disk, 1, 1);
    disk.judge = () => EIO;
    const restored = cluster.restore(disk, 1, 2);
    expect(restored.state).toEqual(expectedState(2, 1));
    expect(bytesOf(restored)).toEqual([cluster.file(1).length, 0, 1]);
  });

  it("fails with the reason where neither the host nor remote storage has the file", () => {
    const cluster = new Cluster(1);
    cluster.remote.clear();
    const { outcome } = cluster.restore(new MemoryDisk(), 0, 1);
    expect(outcome).toEqual({ ok: false, reason: expect.stringContaining("not-found"), isLost: true });
  });
});
