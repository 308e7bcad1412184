import type { RunTape } from "../../simulator/timetravel/run-tape.ts";
import type { TourPlace } from "./tour-place.ts";
import { stepOfPlace } from "./tour-place.ts";

/** Lines of a text, and columns of a line, that fit on the smallest screen with room for what they talk about. */
export const TEXT_LINES = 5;
export const TEXT_COLUMNS = 76;

/** What of the screen a text talks about. */
export interface TourSight {
  readonly panel: "graph" | "inspector" | "checkpoints" | "faults" | "events" | "verdict";
  /** What is selected in the graph: a subtask ("totals -> report[1]"). */
  readonly subject: string;
  /** What the inspector looks into, as `--show` names it. */
  readonly inspected: string;
}

interface TourStop {
  readonly title: string;
  readonly place: TourPlace;
  readonly sight: TourSight;
  readonly text: readonly string[];
}

/** One step of the tour, with the step of the run that it stands at. */
export interface TourStep {
  readonly title: string;
  readonly step: number;
  readonly sight: TourSight;
  readonly text: readonly string[];
}

const TOTALS = "totals -> report[1]";

/** What the texts claim about the run of scenarios/tour/tour.json is tested, number by number. */
const STOPS: readonly TourStop[] = [
  {
    title: "a source, and state by key",
    place: { event: "userCall", subject: "totals[1]", x: 1, nth: 11 },
    sight: { panel: "inspector", subject: TOTALS, inspected: "state:totals[1]" },
    text: [
      "Two tills sell fruit. The source subtasks tills[0] and tills[1] read one",
      "till each, and keep how far they are: the offset. keyBy sends each sale of",
      "a fruit to the same subtask; apple, fig and pear go to totals[1]. It adds",
      'up in keyed state: one value "takings" for each key (apple 8, fig 9, pear',
      "20 by now). Whatever was added since checkpoint 1 is in memory only.",
    ],
  },
  {
    title: "a barrier goes into the stream",
    place: { event: "barrierForwarded", subject: "tills[0]", x: 2, nth: 1 },
    sight: { panel: "graph", subject: "tills[0]", inspected: "state:tills[0]" },
    text: [
      "The JobManager has triggered checkpoint 2. tills[0] writes down its offset,",
      "8, and sends a barrier down each of its channels, in line with the sales.",
      "The barrier cuts the stream in two: the 8 sales ahead of it belong to",
      "checkpoint 2, what follows it does not. Nobody has to stop for that: the",
      "source goes on reading.",
    ],
  },
  {
    title: "alignment: a channel waits",
    place: { event: "barrierReceived", subject: TOTALS, x: 2, nth: 1 },
    sight: { panel: "graph", subject: TOTALS, inspected: "state:totals[1]" },
    text: [
      "totals[1] has two input channels. The barrier of tills[0] is here; that of",
      "tills[1] is not, a sale is still ahead of it. So the channel from tills[0]",
      "is blocked. The sale waiting in it came behind the barrier: added now, it",
      "would get into the snapshot, and a restore would read it once more and",
      "count it twice. Holding it back is what alignment means.",
    ],
  },
  {
    title: "the snapshot and its acknowledgement",
    place: { event: "snapshotDurable", subject: TOTALS, x: 2, nth: 1 },
    sight: { panel: "checkpoints", subject: TOTALS, inspected: "state:totals[1]" },
    text: [
      "With both barriers there, totals[1] took its snapshot between two sales:",
      "apple 8, fig 12, pear 25. It sent the barrier on, unblocked the channel and",
      "went on; apple is 10 by now, but not in the snapshot. That was written to",
      "the blob store on the side, and is safe there as of this step. So its task",
      "acknowledges to the JobManager next; the other three tasks already have.",
    ],
  },
  {
    title: "the checkpoint completes",
    place: { event: "checkpointCompleted", subject: "jm-1", x: 2, nth: 1 },
    sight: { panel: "checkpoints", subject: TOTALS, inspected: "job-manager:jm-1" },
    text: [
      "All four acknowledged, and the JobManager wrote one record that says so.",
      "This is the commit point: a crash before it goes back to checkpoint 1, a",
      "crash from here on to checkpoint 2. The tasks are told next, and the sinks",
      "commit the transactions that checkpoint 2 closed: output gets out only when",
      "its input will never be read again. Checkpoint 1 has had its day.",
    ],
  },
  {
    title: "the crash, and what is lost",
    place: { event: "processCrashed", subject: "worker-2", x: null, nth: 1 },
    sight: { panel: "inspector", subject: TOTALS, inspected: "state:totals[1]" },
    text: [
      "worker-2 crashes. Gone is what only its memory had: apple 12, fig 18, pear",
      "30; the offset of tills[1]; sales on their way; and the transaction that",
      "report[1] had open, which nobody will ever see. Seven sales were read since",
      "the barriers of checkpoint 2. They are not lost: the log that the sources",
      "read still has them. Half a job is of no use, so all of it starts again.",
    ],
  },
  {
    title: "the restore",
    place: { event: "taskRestored", subject: TOTALS, x: null, nth: 2 },
    sight: { panel: "inspector", subject: TOTALS, inspected: "state:totals[1]" },
    text: [
      "Each task is a new attempt and has loaded its part of checkpoint 2: takings",
      "are apple 8, fig 12, pear 25 again, and the sources read on from offsets 8",
      "and 9. State and offsets are of one cut, so no sale is added twice and none",
      "is left out. But a new attempt also has new function objects: what they do",
      "not keep in state begins from nothing.",
    ],
  },
  {
    title: "the violation, its cause, and the fix",
    place: "violation",
    sight: { panel: "verdict", subject: "totals -> report[0]", inspected: "log" },
    text: [
      "An oracle knows what has to come out: 5 plums for 35. Committed was 1 plum",
      "for 35. The takings are right, they are in state; the pieces are counted in",
      "a field, #sold = new Map(), which the crash took away. The fix, in open():",
      'this.#sold = context.getState(valueState<number>("sold", 0)). Without the',
      "crash nobody notices: j and t in panel 4 run it without one, and all is ok.",
    ],
  },
];

/** The tour through a run; throws RangeError where something that a text is about did not happen in it. */
export function tourSteps(tape: RunTape): readonly TourStep[] {
  return STOPS.map(({ title, place, sight, text }) => ({ title, step: stepOfPlace(place, tape), sight, text }));
}
