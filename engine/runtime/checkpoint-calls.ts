import type { CoordinatorContext } from "../checkpoint/coordinator-context.ts";
import type { ExecutionId } from "../graph/execution-id.ts";
import type { JobCalls } from "./job-calls.ts";
import type { ControlMessage, SlotAssignment } from "./messages.ts";

type TaskMessage = Extract<ControlMessage, { readonly kind: "trigger-checkpoint" | "notify-complete" | "notify-aborted" }>;

/**
 * What a coordinator says to the tasks. `slotOf`: where a task whose attempt lives runs; nothing is said to the dead.
 */
export function checkpointCalls(
  calls: JobCalls,
  epoch: number,
  slotOf: (id: ExecutionId) => SlotAssignment | null,
): Pick<CoordinatorContext, "trigger" | "notifyComplete" | "notifyAborted"> {
  const cast = (message: TaskMessage): void => {
    const slot = slotOf(message.id);
    if (slot !== null) calls.cast(slot, message);
  };
  return {
    trigger: (id, { checkpointId, triggeredAtUs, properties }) => {
      const isSavepoint = properties.kind === "savepoint";
      const { stop } = properties;
      cast({ kind: "trigger-checkpoint", subject: calls.subjectOf(id), checkpointId, epoch, id, triggeredAtUs, isSavepoint, stop });
    },
    notifyComplete: (id, checkpointId, isFinal) => {
      const message: TaskMessage = { kind: "notify-complete", subject: calls.subjectOf(id), checkpointId, epoch, id, isFinal };
      const slot = slotOf(id);
      // Nothing but this notice lets the task finish.
      if (isFinal && slot !== null) calls.untilAnswered(slot, message, () => slotOf(id) !== null, () => undefined);
      else cast(message);
    },
    notifyAborted: (id, checkpointId) => cast({ kind: "notify-aborted", subject: calls.subjectOf(id), checkpointId, epoch, id }),
  };
}
