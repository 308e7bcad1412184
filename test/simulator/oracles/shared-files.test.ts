import { afterEach, describe, expect, it, vi } from "vitest";
import { UploadedFiles } from "#whitewater/engine/state/uploaded-files.js";
import { sharedFilesOracle } from "#whitewater/simulator/oracles/shared-files.js";
import { crashOf, onEvent, WatchedWorld, type WatchOptions } from "./watched-world.ts";

const SUM = "sum -> counts[0]";
const SHARING: WatchOptions = { backend: "lsm", restore: "incremental" };
/** Checkpoint 3 takes long, and is given up when its snapshots have been taken. */
const GIVEN_UP: NonNullable<WatchOptions["plan"]> = [
  ...["worker-1", "worker-2", "worker-3"].map((worker) => ({ kind: "blob-slow", delayUs: 500_000, at: onEvent("blobPutIssued", worker, 3) }) as const),
  { kind: "checkpoint-abort", at: onEvent("snapshotTaken", SUM, 3) },
];
const UPLOADED_AGAIN = /^sum -> counts\[\d\] in attempt (\d+) uploaded \S+\/shared\/chk-(\d+)\/\S+ \(\d+ bytes\) for checkpoint \2, which the last completed checkpoint that it knew of has already$/;

afterEach(() => {
  vi.restoreAllMocks();
});

function found(options: WatchOptions): string {
  return new WatchedWorld(sharedFilesOracle, options).runUntil(14_000_000).findings[0] ?? "nothing";
}

describe("the oracle of shared files is silent", () => {
  const crash = crashOf(SUM, 6);
  const rescale = { kind: "rescale", parallelism: 3, at: onEvent("checkpointCompleted", "jm-1", 5) } as const;
  const savepoint = { kind: "savepoint", at: onEvent("checkpointCompleted", "jm-1", 4) } as const;

  it.each([
    ["over an undisturbed job", SHARING],
    ["after a crash, an abort and a savepoint", { ...SHARING, plan: [...GIVEN_UP, savepoint, crash] }],
    ["after a change of parallelism, which begins with full uploads", { ...SHARING, parallelismAfter: 3, plan: [rescale] }],
    ["over a changelog, which writes the head of its log for every checkpoint", { ...SHARING, scenario: "deduplication", backend: "changelog:heap" }],
    ["over snapshots that are taken while another one waits", { ...SHARING, scenario: "big-state", backend: "changelog:lsm", seed: "2" }],
  ] satisfies readonly [string, WatchOptions][])("%s", (_name, options) => {
    expect(new WatchedWorld(sharedFilesOracle, options).verdict()).toBe("nothing");
  });

  it("and does not apply where checkpoints share nothing", () => {
    expect(() => new WatchedWorld(sharedFilesOracle)).toThrow("shared files does not apply to word-count");
  });
});

describe("a file that is uploaded again is named", () => {
  it("where a confirmed checkpoint is no base of the next", () => {
    vi.spyOn(UploadedFiles.prototype, "begin").mockImplementation(() => new Map());
    expect(found(SHARING)).toMatch(UPLOADED_AGAIN);
  });

  it("where an attempt forgets the files that it was restored with", () => {
    vi.spyOn(UploadedFiles.prototype, "restored").mockImplementation(() => undefined);
    expect(found(SHARING)).toBe("nothing");
    expect(found({ ...SHARING, plan: [crashOf(SUM, 6)] })).toMatch(UPLOADED_AGAIN);
  });

  it("where a checkpoint that is given up takes the base away (FLINK-23949)", () => {
    const forget = UploadedFiles.prototype.forget;
    vi.spyOn(UploadedFiles.prototype, "forget").mockImplementation(function (this: UploadedFiles<unknown>, checkpointId) {
      const inside = this as unknown as { base: ReadonlyMap<unknown, unknown>; baseCheckpointId: number };
      if (checkpointId > inside.baseCheckpointId) inside.base = new Map();
      forget.call(this, checkpointId);
    });
    expect(found(SHARING)).toBe("nothing");
    expect(found({ ...SHARING, plan: GIVEN_UP })).toMatch(UPLOADED_AGAIN);
  });
});
