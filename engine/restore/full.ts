import { invariant, present } from "../base/assert.ts";
import { CorruptBytesError } from "../base/byte-reader.ts";
import { UnencodableValueError } from "../base/codec.ts";
import type { SnapshotHandle, SubtaskSnapshot } from "../checkpoint/snapshot-file.ts";
import { decodeSnapshotFile } from "../checkpoint/snapshot-file.ts";
import { retryStorage } from "../checkpoint/storage-retry.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";
import { holdsUnionState, redistributeOperatorState } from "../state/operator-state-redistribution.ts";
import { StateSchemaError, StateStorageError } from "../state/state-errors.ts";
import type { RestoreCost, RestoreOutcome, RestoreRequest, RestoreStrategy, RestoreTarget } from "./restore-strategy.ts";

const NO_BYTES = new Uint8Array(0);

/**
 * `full`: reads the whole snapshot of the subtask from remote storage; where that has a union list, those of
 * all other subtasks too.
 */
export const fullRestore: RestoreStrategy = {
  name: "full",
  restore(
    ports: ProcessPorts,
    request: RestoreRequest,
    subtask: number,
    targets: readonly RestoreTarget[],
    isWanted: () => boolean,
    done: (outcome: RestoreOutcome) => void,
  ): void {
    const startedUs = ports.clock.nowUs();
    const files = new VertexFiles(ports, request.handles);
    files.read([subtask], (reason) => {
      const own = files.snapshots[subtask] ?? null;
      const others = reason === null && own !== null && hasUnionState(own) ? othersThan(subtask, request) : [];
      if (reason !== null) done({ ok: false, reason });
      else files.read(others, (otherReason) => {
        if (!isWanted()) return;
        const failure = otherReason ?? load(files.snapshots, subtask, targets);
        if (failure === null) done({ ok: true, cost: files.cost(ports.clock.nowUs() - startedUs) });
        else done({ ok: false, reason: failure });
      });
    });
  },
};

function hasUnionState({ operators }: SubtaskSnapshot): boolean {
  return operators.some(({ lists }) => holdsUnionState(lists));
}

function othersThan(subtask: number, { handles }: RestoreRequest): readonly number[] {
  return [...handles.keys()].filter((other) => other !== subtask);
}

/** The snapshots of the old subtasks of a vertex, as far as they were read. */
class VertexFiles {
  /** By subtask; null: not read, or there is none. */
  readonly snapshots: (SubtaskSnapshot | null)[];
  readonly #ports: ProcessPorts;
  readonly #handles: RestoreRequest["handles"];
  #remoteBytes = 0;
  #files = 0;
  #requests = 0;

  constructor(ports: ProcessPorts, handles: RestoreRequest["handles"]) {
    this.#ports = ports;
    this.#handles = handles;
    this.snapshots = handles.map(() => null);
  }

  /** One after the other; `done` gets null, or why one of them could not be read. */
  read(subtasks: readonly number[], done: (reason: string | null) => void): void {
    const [subtask, ...others] = subtasks;
    const handle = subtask === undefined ? null : (this.#handles[subtask] ?? null);
    if (subtask === undefined) {
      done(null);
    } else if (handle === null) {
      this.read(others, done);
    } else {
      readFile(this.#ports, handle, (result, requests) => {
        this.#requests += requests;
        if (typeof result === "string") {
          done(result);
          return;
        }
        this.#files += 1;
        this.#remoteBytes += handle.sizeBytes;
        this.snapshots[subtask] = result;
        this.read(others, done);
      });
    }
  }

  cost(durationUs: number): RestoreCost {
    return { remoteBytes: this.#remoteBytes, localBytes: 0, files: this.#files, requests: this.#requests, durationUs };
  }
}

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

/** Null, or why the state was not taken: by local storage, or because it does not fit the backend or the job. */
function load(
  snapshots: readonly (SubtaskSnapshot | null)[],
  subtask: number,
  targets: readonly RestoreTarget[],
): string | null {
  try {
    for (const target of targets) fill(snapshots, subtask, target);
    return null;
  } catch (error) {
    if (error instanceof StateStorageError) return `writing local state failed: ${error.message}`;
    if (error instanceof StateSchemaError || error instanceof UnencodableValueError) return error.message;
    // Intact bytes that are not this backend's: another one wrote them.
    if (error instanceof CorruptBytesError) return `state cannot be read: ${error.message}`;
    throw error;
  }
}

function fill(snapshots: readonly (SubtaskSnapshot | null)[], subtask: number, target: RestoreTarget): void {
  const perSubtask = snapshots.map((snapshot) => snapshot?.operators.find(({ uid }) => uid === target.uid));
  const own = perSubtask[subtask];
  if (own === undefined) return;
  if (target.keyed !== null && own.keyed !== null) target.keyed.restore([own.keyed]);
  if (!holdsUnionState(own.lists)) {
    target.lists.restore(own.lists);
    return;
  }
  const sections = perSubtask.map((operator) => operator?.lists ?? NO_BYTES);
  const redistributed = redistributeOperatorState(sections, sections.length);
  target.lists.restore(present(redistributed[subtask], "every subtask gets a section"));
}
