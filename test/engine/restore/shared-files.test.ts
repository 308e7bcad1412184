import { expect, it } from "vitest";
import { SharedFileCache } from "#whitewater/engine/checkpoint/shared-file-cache.js";
import { SharedUploads } from "#whitewater/engine/checkpoint/shared-uploads.js";
import type { SharedFile } from "#whitewater/engine/checkpoint/subtask-state.js";
import { TaskSharedFiles } from "#whitewater/engine/checkpoint/task-shared-files.js";
import type { ProcessPorts } from "#whitewater/engine/ports/process-ports.js";
import { SharedFileReads } from "#whitewater/engine/restore/shared-files.js";
import type { RestoreReads } from "#whitewater/engine/restore/restore-strategy.js";
import { createKeyedBackend } from "#whitewater/engine/state/backends/create-keyed-backend.js";
import { valueState } from "#whitewater/engine/state/descriptors.js";
import { FakeProcess } from "../operators/fake-process.ts";
import { MemoryDisk } from "../state/memory-disk.ts";
import { randomStream } from "../state/random-stream.ts";

const KEYS = 5_000;

/** Remote storage, and hosts that checkpoint to it and restore from it. */
class Storage {
  readonly objects: Map<string, Uint8Array> = new Map();
  putBytes = 0;

  host(disk: MemoryDisk): { readonly process: FakeProcess; readonly files: TaskSharedFiles; readonly ports: ProcessPorts } {
    const process = new FakeProcess();
    const blobs: Pick<ProcessPorts["blobs"], "get" | "put"> = {
      get: (key, done) => done({ ok: true, value: this.objects.get(key) as Uint8Array }),
      put: (key, bytes, done) => {
        this.putBytes += bytes.length;
        this.objects.set(key, bytes.slice());
        done({ ok: true, value: null });
      },
    };
    const ports: ProcessPorts = { ...process.ports, blobs: blobs as ProcessPorts["blobs"] };
    disk.makeDirectory("/w");
    const cache = new SharedFileCache(disk, "/w/shared");
    return { process, ports, files: new TaskSharedFiles({ ports, cache, subject: 1, subtask: "0:0", storagePrefix: "c" }) };
  }

  read(disk: MemoryDisk, checkpointId: number, shared: readonly SharedFile[]): RestoreReads {
    const { process, files, ports } = this.host(disk);
    const reads = new SharedFileReads(ports, checkpointId, files, () => true);
    const reasons: (string | null)[] = [];
    reads.read(shared, (reason) => void reasons.push(reason));
    process.advance(60_000_000);
    expect(reasons).toEqual([null]);
    return reads.reads();
  }
}

it("after k changed keys an increment uploads, and a restore of a host that has the one before fetches, in proportion to k", () => {
  const storage = new Storage();
  const disk = new MemoryDisk();
  const { process, files } = storage.host(disk);
  const backend = createKeyedBackend({
    config: { name: "lsm" },
    range: { start: 0, end: 15 },
    maxParallelism: 16,
    tieBreak: randomStream(1),
    libraries: { sqlite: null },
    nowMs: () => 0,
    disk: new MemoryDisk(),
    directory: () => "/state",
    storeId: "s1",
    random: () => randomStream(1),
  });
  const { state } = backend.bind(valueState<Uint8Array>("v"));
  /** Changes so many keys and takes a checkpoint. */
  const checkpoint = (id: number, changed: number): { readonly shared: readonly SharedFile[]; readonly uploadedBytes: number } => {
    for (let i = 0; i < changed; i++) {
      backend.setCurrentKey((i * 7919) % KEYS);
      state.update(Uint8Array.from({ length: 100 }, (_, at) => Math.imul(i + id, 2654435761 + at) >>> 24));
    }
    const before = storage.putBytes;
    const writer = backend.incremental!.snapshot(id);
    while (writer.step(1000) > 0);
    const uploads = new SharedUploads(files, id, () => true);
    uploads.run(writer.files().map((file) => ({ uid: "sum", file })), (error) => expect(error).toBe(null));
    process.advance(60_000_000);
    backend.notifyComplete(id);
    files.confirm(id);
    return { shared: uploads.shared, uploadedBytes: storage.putBytes - before };
  };
  const all = checkpoint(1, KEYS);
  expect(all.uploadedBytes).toBeGreaterThan(KEYS * 100);
  for (const changed of [10, 100]) {
    const cold = new MemoryDisk();
    const base = storage.read(cold, 1, all.shared);
    expect([base.localBytes, base.remoteBytes]).toEqual([0, all.uploadedBytes]);
    const next = checkpoint(changed, changed);
    expect(next.uploadedBytes).toBeLessThan(4096 + changed * 400);
    const restored = storage.read(cold, changed, next.shared);
    expect(restored.remoteBytes).toBeLessThan(8192 + 2 * changed * 400);
    expect(restored.localBytes).toBeGreaterThan(KEYS * 90);
    // The host that took the checkpoint itself fetches nothing.
    expect(storage.read(disk, changed, next.shared).remoteBytes).toBe(0);
  }
});
