/** What `replay --show` takes. */
export const SHOWN = "graph, state:<operator>, host:<host>, job-manager, blobs, log, checkpoints[:<id>], faults, events[:<filter>], timeline, verdict, record:<id>";
