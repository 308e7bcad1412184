import { isKeyed, runsProcessFunction } from "../../engine/graph/keyed-node.ts";
import type { StreamNode } from "../../engine/graph/stream-graph.ts";
import { canonicalKey } from "../reference/canonical-key.ts";
import type { ReferenceEntry } from "../reference/reference-state.ts";
import { sameValue } from "../reference/structural-equality.ts";
import { DataObservation } from "./data-oracles-observation.ts";
import { describeCell, describeValue } from "./data-oracles-wording.ts";
import { SHADOW_STATE } from "./graph-rewriting-functions.ts";
import type { Oracle, OracleContext, OracleKind, RunEnd } from "./oracle.ts";
import type { CompletedCut } from "./provenance-cut.ts";
import type { OperatorDifference } from "./reference-state-prefix.ts";
import { userValue } from "./shadows.ts";

/**
 * Exactly-once state, by the reference: at each completed checkpoint the keyed state in its files is what a
 * sequential run over exactly the records before its offsets gives; and the state in the last checkpoint of
 * a finished job is what the sequential interpreter is left with.
 *
 * Records that the checkpoint keeps as in flight have not reached what lies behind them (see InFlightGates).
 *
 * For confluent scenarios only, and not for at-least-once jobs, whose state may hold a record several times (the
 * surviving history is replayed for them). Seen from the bytes of completed checkpoints, through the independent
 * reader. Not seen before the end: the state of process functions, and of operators behind windows and
 * process functions, which depends on when timers fire; operators behind other keyed ones while records are in
 * flight in between: which running values these are depends on how the inputs interleaved. Never seen: timers
 * (what they do shows in the output and in the final state) and operator state other than the offsets.
 */
export const referenceStateOracle: OracleKind = {
  name: "exactly-once state",
  create: (context) => {
    const isJudged = context.scenario.confluent && context.world.options.options.mode !== "at-least-once";
    return isJudged ? new ReferenceState(context) : null;
  },
};

class ReferenceState implements Oracle {
  readonly name: string = referenceStateOracle.name;
  readonly #context: OracleContext;
  readonly #observation: DataObservation;

  constructor(context: OracleContext) {
    this.#context = context;
    this.#observation = DataObservation.of(context.world);
    this.#observation.prefixState();
    this.#observation.listen({ stateDiffers: (cut, differences) => this.#stateDiffers(cut, differences) });
  }

  finish({ job }: RunEnd): void {
    const { latest } = this.#observation;
    if (job !== "finished" || latest === null) return;
    const prefix = this.#observation.prefixState();
    for (const node of this.#context.graph.nodes) {
      if (isKeyed(node) && !prefix.covers(node)) this.#compareFinal(node, latest);
    }
  }

  #stateDiffers(cut: CompletedCut, differences: readonly OperatorDifference[]): void {
    for (const { node, key, namespace, expected, actual } of differences) {
      const wanted = userValue(node, expected);
      const got = userValue(node, actual);
      if (runsProcessFunction(node) || sameValue(wanted, got)) continue;
      const where = `checkpoint ${cut.checkpointId}, ${node.name}: ${describeCell(node, key, namespace)}`;
      this.#context.report(`${where}: expected ${wordsFor(wanted)}, got ${wordsFor(got)}`);
    }
  }

  #compareFinal(node: StreamNode, cut: CompletedCut): void {
    const expected = this.#observation.interpretation().state.get(node.uid) ?? new Map<string, readonly ReferenceEntry[]>();
    const open = new Map<string, ReferenceEntry>();
    for (const [key, entries] of expected) for (const entry of entries) open.set(identityOf(key, entry), entry);
    for (const { entries } of cut.sections(node.uid)) {
      for (const entry of entries) {
        if (entry.state === SHADOW_STATE) continue;
        const identity = identityOf(canonicalKey(entry.key), entry);
        this.#compareEntry(node, open.get(identity), entry);
        open.delete(identity);
      }
    }
    for (const entry of open.values()) this.#compareEntry(node, entry, undefined);
  }

  #compareEntry(node: StreamNode, expected: ReferenceEntry | undefined, actual: ReferenceEntry | undefined): void {
    const wanted = expected?.value;
    const got = actual === undefined ? undefined : userValue(node, actual.value);
    const entry = expected ?? actual;
    if (entry === undefined || sameValue(wanted, got)) return;
    const where = `at the end, ${node.name}: ${describeCell(node, entry.key, entry.namespace)} state "${entry.state}"`;
    this.#context.report(`${where}: expected ${wordsFor(wanted)}, got ${wordsFor(got)}`);
  }
}

function identityOf(key: string, { state, namespace }: ReferenceEntry): string {
  return `${key}\u0000${state}\u0000${typeof namespace}${namespace}`;
}

function wordsFor(value: unknown): string {
  return value === undefined ? "nothing" : describeValue(value);
}
