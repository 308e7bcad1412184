import { unreachable } from "../../engine/base/assert.ts";
import type { JobClient } from "../../engine/runtime/job-client.ts";
import type { ClientRequest } from "../faults/fault.ts";

/** Lets a client ask the job for what a plan says. */
export function askFor(client: JobClient, request: ClientRequest): void {
  switch (request.kind) {
    case "rescale":
      client.rescale(request.parallelism);
      return;
    case "savepoint":
      client.savepoint(request.id, null);
      return;
    case "stop-with-savepoint":
      client.savepoint(request.id, request.mode);
      return;
    case "cancel-job":
      client.cancelJob();
      return;
    case "checkpoint-abort":
      client.abortCheckpoints();
      return;
    default:
      unreachable(request, "askFor");
  }
}
