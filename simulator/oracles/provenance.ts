import { DataObservation } from "./data-oracles-observation.ts";
import { count, describeCell } from "./data-oracles-wording.ts";
import type { Oracle, OracleContext, OracleKind, RunEnd } from "./oracle.ts";
import type { CompletedCut } from "./provenance-cut.ts";
import type { OperatorDifference } from "./reference-state-prefix.ts";
import { shadowOf } from "./shadows.ts";

/**
 * Provenance: at each completed checkpoint, the shadows in the state of each keyed operator (how many
 * records were applied to a key and window, and the sum of their ids) are those of the inputs before the
 * offsets in the same checkpoint, without those that it keeps as in flight before the operator: nothing applied
 * twice, nothing lost. In an at-least-once job at least as many. What is kept as in flight was sent. When the job
 * has finished, the last checkpoint's offsets are the ends of all inputs, and nothing is in flight.
 *
 * Seen from the bytes of completed checkpoints, through the independent reader; the ids come from the
 * rewriting of the graph. Unlike values, they show a record that changes no result. Not seen: two errors
 * that cancel out in count and sum within one key and window; operators behind windows and process functions,
 * whose input depends on when timers fire; jobs in which records can be late (not confluent), for which the
 * surviving history says the same and more.
 */
export const provenanceOracle: OracleKind = {
  name: "provenance",
  create: (context) => new Provenance(context),
};

class Provenance implements Oracle {
  readonly name: string = provenanceOracle.name;
  readonly #context: OracleContext;
  readonly #observation: DataObservation;

  constructor(context: OracleContext) {
    this.#context = context;
    this.#observation = DataObservation.of(context.world);
    if (context.scenario.confluent) this.#observation.prefixState();
    this.#observation.listen({
      stateDiffers: (cut, differences) => this.#stateDiffers(cut, differences),
      inFlightDiffers: (cut, what) => context.report(`checkpoint ${cut.checkpointId}: ${what}`),
      wentBack: (cut, what) => context.report(`checkpoint ${cut.checkpointId}: ${what}`),
    });
  }

  finish({ job }: RunEnd): void {
    if (job !== "finished") return;
    const { latest, ids } = this.#observation;
    for (const [edge, records] of latest?.inFlight ?? []) {
      if (records.length > 0) this.#context.report(`the job finished, but its last checkpoint has ${count(records.length, "record")} in flight on ${edge}`);
    }
    for (const { uid, lengths } of ids.sources) {
      lengths.forEach((length, partition) => {
        const offset = latest?.offsets.get(uid)?.[partition] ?? 0;
        if (offset === length) return;
        this.#context.report(`the job finished, but its last checkpoint is at offset ${offset} of ${length} of ${uid}/${partition}`);
      });
    }
  }

  #stateDiffers(cut: CompletedCut, differences: readonly OperatorDifference[]): void {
    for (const { node, key, namespace, expected, actual } of differences) {
      const wanted = shadowOf(node, expected);
      const got = shadowOf(node, actual);
      if (wanted[0] === got[0] && wanted[1] === got[1]) continue;
      const where = `checkpoint ${cut.checkpointId}, ${node.name}: ${describeCell(node, key, namespace)}`;
      const sums = wanted[0] === got[0] ? ` (other ones: their ids sum up to ${got[1]}, not ${wanted[1]})` : "";
      this.#context.report(`${where}: expected ${count(wanted[0], "record")}, got ${got[0]}${sums}`);
    }
  }
}
