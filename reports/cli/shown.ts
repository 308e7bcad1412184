/** What `replay --show` takes. */
export const SHOWN = "graph, state:<operator>, checkpoints, faults, events, record:<id>";
