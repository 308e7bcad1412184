import { LOCAL_COPY_FAULTS } from "../../engine/checkpoint/task-local-state.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { TimeUs } from "../../engine/base/units.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import type { OracleContext } from "./oracle.ts";

const NO_REMOTE_BYTE = "a restore with no remote byte";
const MIXED = "a restore that mixes local and remote pieces";
const DAMAGED = "a local copy that failed its checksum";
const LOST = "a copy missing after disk loss";

export const LOCAL_COPY_PATHS: readonly string[] = [NO_REMOTE_BYTE, MIXED, DAMAGED, LOST];

/**
 * Counts the declared paths of task-local state, once a task restore or copy:
 *
 * - "a restore with no remote byte", "a restore that mixes local and remote pieces": of one task, from a checkpoint
 *   of which it read something;
 * - "a local copy that failed its checksum": a restore found a copy that was not what the checkpoint names;
 * - "a copy missing after disk loss": a restore found none, and its host had got an empty disk after the checkpoint
 *   completed.
 */
export class LocalCopyPaths {
  readonly #context: OracleContext;
  /** By name of the host. */
  readonly #diskLostAtUs: Map<string, TimeUs> = new Map();
  readonly #completedAtUs: Map<number, TimeUs> = new Map();
  /** Of the restore whose local part comes next in the trace. */
  #remoteBytes = 0;

  constructor(context: OracleContext) {
    this.#context = context;
  }

  watch(): void {
    const { world, sometimes } = this.#context;
    const { kernel } = world;
    kernel.on(PORT_TRACE.diskLost, (_process, host) => void this.#diskLostAtUs.set(kernel.nameOf(host), kernel.nowUs));
    kernel.on(TRACE.checkpointCompleted, (_process, _subject, id) => void this.#completedAtUs.set(id, kernel.nowUs));
    kernel.on(TRACE.localCopyRead, (process, _subject, checkpointId, y) => {
      if (y === LOCAL_COPY_FAULTS.damaged) sometimes(DAMAGED);
      if (y !== LOCAL_COPY_FAULTS.missing || process === null) return;
      const lostAtUs = this.#diskLostAtUs.get(process.host.name) ?? -1;
      if (lostAtUs > (this.#completedAtUs.get(checkpointId) ?? kernel.nowUs)) sometimes(LOST);
    });
    kernel.on(TRACE.restoreReadRemote, (_process, _subject, bytes) => void (this.#remoteBytes = bytes));
    kernel.on(TRACE.restoreReadLocal, (_process, _subject, bytes) => {
      if (bytes > 0) sometimes(this.#remoteBytes === 0 ? NO_REMOTE_BYTE : MIXED);
    });
  }
}
