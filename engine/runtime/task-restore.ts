import { NO_CHECKPOINT } from "../base/units.ts";
import type { OperatorChain } from "../operators/operator-chain.ts";
import { TRACE } from "../ports/tracer.ts";
import type { ChannelContents } from "../checkpoint/channel-state.ts";
import { recordsInFlight } from "../checkpoint/channel-state.ts";
import { edgesWithoutPlace, InFlightAssignment } from "../restore/in-flight-assignment.ts";
import type { InFlightTarget, RestoreCost, RestoreRequest } from "../restore/restore-strategy.ts";
import type { TaskEnvironment } from "./task-environment.ts";
import { userErrorText } from "./user-error.ts";

/** `cost` is null where the task begins with nothing. */
export type TaskRestoreOutcome =
  | { readonly ok: true; readonly cost: RestoreCost | null }
  | { readonly ok: false; readonly reason: string; readonly isLost: boolean };

/** The channels of a task, to which in-flight data is given back. */
export interface RestorableChannels {
  readonly input: { restore(contents: readonly ChannelContents[]): void } | null;
  readonly output: { restore(contents: readonly ChannelContents[]): void };
}

/** Loads what the checkpoint holds of the task, by the job's restore strategy, and says what it cost. */
export function restoreTask(
  environment: TaskEnvironment,
  chain: OperatorChain,
  channels: RestorableChannels,
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
    inFlight: inFlightTarget(environment, subject, request, channels),
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

function inFlightTarget(
  { ports, graph, vertex, descriptor }: TaskEnvironment,
  subject: number,
  { vertices }: RestoreRequest,
  { input, output }: RestorableChannels,
): InFlightTarget {
  const assignment = new InFlightAssignment(vertices, { graph, vertex, subtask: descriptor.id.subtask });
  return {
    files: () => assignment.files(),
    load: (snapshotIn) => {
      const lost = edgesWithoutPlace(vertices, graph);
      if (lost.length > 0) return `the checkpoint has data in flight on ${lost.join(", ")}, for which the job has no place`;
      try {
        const { inputs, outputs } = assignment.channels(snapshotIn);
        input?.restore(inputs);
        output.restore(outputs);
        if (inputs.length + outputs.length === 0) return null;
        ports.tracer.point(TRACE.inFlightRestored, subject, recordsInFlight(inputs), recordsInFlight(outputs));
        return null;
      } catch (error) {
        // A key selector is user code.
        return userErrorText(error);
      }
    },
  };
}
