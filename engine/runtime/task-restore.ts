import { NO_CHECKPOINT } from "../base/units.ts";
import type { OperatorChain } from "../operators/operator-chain.ts";
import { TRACE } from "../ports/tracer.ts";
import type { RestoreCost } from "../restore/restore-strategy.ts";
import type { TaskEnvironment } from "./task-environment.ts";

/** `cost` is null where the task begins with nothing. */
export type TaskRestoreOutcome =
  | { readonly ok: true; readonly cost: RestoreCost | null }
  | { readonly ok: false; readonly reason: string };

/** Loads what the checkpoint holds of the task, by the job's restore strategy, and says what it cost. */
export function restoreTask(
  environment: TaskEnvironment,
  chain: OperatorChain,
  subject: number,
  isWanted: () => boolean,
  done: (outcome: TaskRestoreOutcome) => void,
): void {
  const { ports, vertex, config, descriptor, localState, sharedFiles, restoreStrategy } = environment;
  const { id, restore: request } = descriptor;
  ports.tracer.point(TRACE.taskRestoreStarted, subject, id.attempt, request?.checkpointId ?? NO_CHECKPOINT);
  if (request === null) {
    done({ ok: true, cost: null });
    return;
  }
  const context = {
    ports,
    request,
    subtask: id.subtask,
    parallelism: vertex.parallelism,
    maxParallelism: config.maxParallelism,
    localState,
    sharedFiles,
    targets: chain.operators.map(({ node, keyed, lists }) => ({ uid: node.uid, keyed, lists })),
    isWanted,
  };
  const startedUs = ports.clock.nowUs();
  restoreStrategy.restore(context, (outcome) => {
    if (!outcome.ok) {
      done(outcome);
      return;
    }
    // Loading is work of the thread, and of the disk: what follows comes when that is done.
    ports.scheduler.resume(1, () => {
      if (!isWanted()) return;
      const { remoteBytes, localBytes, files, requests } = outcome.reads;
      ports.tracer.point(TRACE.restoreReadRemote, subject, remoteBytes, requests);
      ports.tracer.point(TRACE.restoreReadLocal, subject, localBytes, files);
      done({ ok: true, cost: { ...outcome.reads, durationUs: ports.clock.nowUs() - startedUs } });
    });
  });
}
