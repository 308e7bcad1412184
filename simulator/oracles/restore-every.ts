import { decode } from "../../engine/base/codec.ts";
import type { CheckpointId } from "../../engine/base/units.ts";
import { isKeyed } from "../../engine/graph/keyed-node.ts";
import type { StreamNode } from "../../engine/graph/stream-graph.ts";
import { canonicalKey } from "../reference/canonical-key.ts";
import type { SectionEntry } from "../reference/snapshot-reader.ts";
import { sameValue } from "../reference/structural-equality.ts";
import { RESTORE_EVERY } from "../run-result.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import type { KeptServices } from "../world/kept-services.ts";
import { keepServices } from "../world/kept-services.ts";
import { World } from "../world/world.ts";
import type { CheckpointRecord, RecordListener } from "./checkpoint-records.ts";
import { CheckpointRecords } from "./checkpoint-records.ts";
import { ExpectedTopic, ONE_ORDER } from "./committed-output-expected.ts";
import { DataObservation, rewriteRecords } from "./data-oracles-observation.ts";
import { describeCell } from "./data-oracles-wording.ts";
import { livenessDeadlineUs } from "./liveness.ts";
import type { Oracle, OracleContext, OracleKind, RunEnd } from "./oracle.ts";
import { sectionsOf } from "./recorded-state.ts";
import { sameShadowed } from "./shadows.ts";

/** What the services held when a checkpoint completed. */
interface Moment {
  readonly checkpointId: CheckpointId;
  readonly services: KeptServices;
}

/** Checkpoints of one run that are restored; more are thinned out evenly. */
const MOMENTS_RESTORED = 6;

/**
 * Restore from every checkpoint: each checkpoint that ever completed would have done. A fresh cluster, with empty
 * disks and nothing in memory, is given the blob store, Coordination and the external log as they were in the step
 * in which the checkpoint completed; it restores it, and undisturbed comes to the same end: the same records are
 * committed, in the same order per key, and the last checkpoint holds the same keyed state.
 *
 * Which checkpoint a run restores from is decided by its faults; this asks of those that nobody ever needed.
 *
 * For confluent scenarios only, in which there is one result, and not for at-least-once jobs. Asked only of runs
 * that finished, and of a share of these (it costs a run each; a run with very many checkpoints is asked for
 * MOMENTS_RESTORED of them), and only of checkpoints of the job as it was submitted first. What else may be wrong with the fresh run is for its own oracles, which are not there.
 */
export const restoreEveryOracle: OracleKind = {
  name: RESTORE_EVERY,
  create: (context) => {
    const { scenario, graph, world } = context;
    const isJudged = scenario.confluent && graph.config.checkpoint !== null && world.options.options.mode !== "at-least-once";
    return isJudged ? new RestoreEvery(context) : null;
  },
};

class RestoreEvery implements Oracle, RecordListener {
  readonly name: string = restoreEveryOracle.name;
  readonly #context: OracleContext;
  readonly #moments: Moment[] = [];

  constructor(context: OracleContext) {
    this.#context = context;
    // What its jobs keep is compared: in both their records carry ids.
    DataObservation.of(context.world);
    CheckpointRecords.of(context.world).listen(this);
  }

  /** Only what is needed is kept: bytes are shared with the World. */
  recordWritten({ checkpointId }: CheckpointRecord): void {
    const { world } = this.#context;
    if ((world.kernel.counts[PORT_TRACE.versionStarted] ?? 0) === 0) this.#moments.push({ checkpointId, services: keepServices(world) });
  }

  finish({ job }: RunEnd): void {
    const { world } = this.#context;
    if (job !== "finished" || world.kernel.crash !== null) return;
    const every = Math.max(1, Math.ceil(this.#moments.length / MOMENTS_RESTORED));
    this.#moments.forEach((moment, at) => {
      if (at % every === 0) this.#restore(moment);
    });
  }

  #restore({ checkpointId, services }: Moment): void {
    const { world, scenario, graph, inputs, report } = this.#context;
    const fresh = new World({ ...world.options, calm: true, plan: [], healAtUs: 0, services });
    rewriteRecords(fresh, { checked: false });
    const records = CheckpointRecords.of(fresh);
    const deadlineUs = livenessDeadlineUs(scenario, graph, inputs, world.options.healAtUs);
    while (!fresh.isOver && fresh.nowUs <= deadlineUs && fresh.step());
    const end = fresh.kernel.crash === null ? (fresh.jobEnd?.status ?? "stuck") : `crashed (${String(fresh.kernel.crash.error)})`;
    const where = `restored from checkpoint ${checkpointId} in a fresh cluster`;
    if (end !== "finished") report(`${where}, the job ends as ${end}`);
    else {
      const wrong = this.#outputDifference(fresh) ?? this.#stateDifference(records);
      if (wrong !== null) report(`${where}, ${wrong}`);
    }
    fresh.release();
  }

  #outputDifference(fresh: World): string | null {
    const { world, scenario } = this.#context;
    for (const output of scenario.outputs) {
      const expected = new ExpectedTopic(output);
      for (const value of visibleIn(world, output.topic, output.partitions)) expected.expect(value, ONE_ORDER);
      for (const value of visibleIn(fresh, output.topic, output.partitions)) {
        const wrong = expected.see(value);
        if (wrong !== null) return wrong;
      }
      const missing = expected.missing();
      if (missing !== null) return missing;
    }
    return null;
  }

  /** Between the last checkpoints of both. */
  #stateDifference(fresh: CheckpointRecords): string | null {
    for (const node of this.#context.graph.nodes) {
      if (!isKeyed(node)) continue;
      const expected = entriesOf(CheckpointRecords.of(this.#context.world), node);
      const actual = entriesOf(fresh, node);
      if (expected === null || actual === null) continue;
      for (const [identity, entry] of expected) {
        const other = actual.get(identity);
        const isSame = other !== undefined && (sameShadowed(node, entry.value, other.value) || sameValue(entry.value, other.value));
        if (!isSame) return `${node.name}: ${describeCell(node, entry.key, entry.namespace)} state "${entry.state}" is not what it was in the end`;
      }
      const more = actual.size - expected.size;
      if (more > 0) return `${node.name} has ${more} more of its state's entries in the end`;
    }
    return null;
  }
}

function* visibleIn(world: World, topic: string, partitions: number): Generator<unknown> {
  for (let partition = 0; partition < partitions; partition += 1) {
    for (const { bytes } of world.log.readCommitted(topic, partition)) yield decode(bytes);
  }
}

/** The entries of an operator in the last checkpoint; null where there is none. */
function entriesOf(records: CheckpointRecords, node: StreamNode): ReadonlyMap<string, SectionEntry> | null {
  const operator = records.latest === null ? null : records.states.operatorIn(records.latest, node.uid);
  if (operator === null || operator === undefined) return null;
  const entries = new Map<string, SectionEntry>();
  for (const { entries: ofSection } of sectionsOf(operator)) {
    for (const entry of ofSection) entries.set(`${entry.state}\u0000${typeof entry.namespace}${entry.namespace}\u0000${canonicalKey(entry.key)}`, entry);
  }
  return entries;
}
