import type { CheckpointId } from "../../engine/base/units.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { StateLibraries } from "../../engine/state/backends/state-libraries.ts";
import type { Fault, FaultPlan } from "../faults/fault.ts";
import type { RunRequest, RunResult } from "../run-result.ts";
import type { ClusterShape, Scenario } from "../scenario.ts";
import { Simulator } from "../simulate.ts";

/**
 * Restores a run from each of its checkpoints, in a cluster that has nothing else: at the moment at which the
 * checkpoint completes, every host is lost and another, empty one takes its place. What is left is what lies
 * outside of the cluster, as it was then: the checkpoint's files, the registers of the coordination service, and
 * the external log with its open and prepared transactions. All oracles watch what comes of it.
 */
export class EveryCheckpoint {
  /** In the order of their completion. */
  readonly completed: readonly CheckpointId[];
  readonly #simulator: Simulator;
  readonly #request: RunRequest;
  readonly #plan: FaultPlan;
  /** Where the coordinator's trace points are. */
  readonly #coordinator: string;

  /** `request.plan`: what happens besides, or null for nothing. */
  constructor(scenario: Scenario, libraries: StateLibraries, request: RunRequest) {
    const hosts = hostNames(scenario.cluster).length;
    const { budget } = scenario;
    const most = { ...budget.most, "host-crash": hosts + (budget.most["host-crash"] ?? 0) };
    this.#simulator = new Simulator({ ...scenario, budget: { ...budget, most } }, libraries);
    this.#plan = request.plan ?? [];
    this.#request = { ...request, plan: this.#plan };
    const completed: CheckpointId[] = [];
    let coordinator = "";
    const run = this.#simulator.prepare(this.#request);
    if ("verdict" in run) throw new Error(`the plan is refused: ${run.findings[0]?.message}`);
    const { kernel } = run.world;
    kernel.on(TRACE.checkpointCompleted, (_process, subject, checkpointId) => {
      completed.push(checkpointId);
      coordinator = kernel.nameOf(subject);
    });
    run.runToEnd();
    run.world.release();
    this.completed = completed;
    this.#coordinator = coordinator;
  }

  /** What comes of a cluster that starts from this checkpoint. */
  restoreFrom(checkpointId: CheckpointId): RunResult {
    const at = { on: "event", event: "checkpointCompleted", subject: this.#coordinator, x: checkpointId, nth: 1, when: "after" } as const;
    const losses = hostNames(this.#simulator.scenario.cluster).map((host): Fault => {
      return { id: `loss of ${host}`, kind: "host-crash", host, replace: true, at };
    });
    return this.#simulator.run({ ...this.#request, plan: [...this.#plan, ...losses] });
  }
}

function hostNames({ jobManagers, workers }: ClusterShape): readonly string[] {
  const names: string[] = [];
  // The coordinator's own host last: with it ends the step in which all of them are lost.
  for (let i = 1; i <= workers; i += 1) names.push(`host-${i}`);
  for (let i = 1; i <= jobManagers; i += 1) names.push(`jm-host-${i}`);
  return names;
}
