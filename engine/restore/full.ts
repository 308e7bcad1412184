import { invariant } from "../base/assert.ts";
import type { SnapshotHandle, SubtaskSnapshot } from "../checkpoint/snapshot-file.ts";
import { decodeSnapshotFile } from "../checkpoint/snapshot-file.ts";
import { retryStorage } from "../checkpoint/storage-retry.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import { StateStorageError } from "../state/state-errors.ts";
import type { RestoreOutcome, RestoreRequest, RestoreStrategy, RestoreTarget } from "./restore-strategy.ts";

/** `full`: reads the whole snapshot of the subtask from remote storage. */
export const fullRestore: RestoreStrategy = {
  name: "full",
  restore(
    ports: ProcessPorts,
    request: RestoreRequest,
    subtask: number,
    targets: readonly RestoreTarget[],
    done: (outcome: RestoreOutcome) => void,
  ): void {
    const startedUs = ports.clock.nowUs();
    const handle = request.handles[subtask] ?? null;
    if (handle === null) {
      done({ ok: true, cost: { remoteBytes: 0, localBytes: 0, files: 0, requests: 0, durationUs: 0 } });
      return;
    }
    readFile(ports, handle, (result, requests) => {
      if (typeof result === "string") {
        done({ ok: false, reason: result });
        return;
      }
      const failure = load(result, targets);
      if (failure !== null) {
        done({ ok: false, reason: failure });
        return;
      }
      const durationUs = ports.clock.nowUs() - startedUs;
      done({ ok: true, cost: { remoteBytes: handle.sizeBytes, localBytes: 0, files: 1, requests, durationUs } });
    });
  },
};

/** Reads and checks one file; a short or damaged read is repeated like any other failed one. */
function readFile(
  ports: ProcessPorts,
  handle: SnapshotHandle,
  done: (result: SubtaskSnapshot | string, requests: number) => void,
): void {
  let snapshot: SubtaskSnapshot | null = null;
  let requests = 0;
  retryStorage(
    ports.scheduler,
    (report) => {
      requests += 1;
      ports.blobs.get(handle.key, (reply) => {
        if (!reply.ok) {
          report(`${handle.key}: ${reply.code}`);
          return;
        }
        const file = decodeSnapshotFile(reply.value, handle);
        if (file.ok) snapshot = file.snapshot;
        report(file.ok ? null : file.reason);
      });
    },
    () => true,
    (error) => {
      if (error !== null) done(error, requests);
      else if (snapshot !== null) done(snapshot, requests);
      else invariant(false, "a successful read leaves a snapshot");
    },
  );
}

/** Null, or why local storage did not take the state. */
function load(snapshot: SubtaskSnapshot, targets: readonly RestoreTarget[]): string | null {
  try {
    fill(snapshot, targets);
    return null;
  } catch (error) {
    if (!(error instanceof StateStorageError)) throw error;
    return `writing local state failed: ${error.message}`;
  }
}

function fill(snapshot: SubtaskSnapshot, targets: readonly RestoreTarget[]): void {
  for (const target of targets) {
    const operator = snapshot.operators.find((candidate) => candidate.uid === target.uid);
    if (operator === undefined) continue;
    if (target.keyed !== null && operator.keyed !== null) target.keyed.restore([operator.keyed]);
    target.lists.restore(operator.lists);
  }
}
