import type { RecordIndex } from "../../simulator/timetravel/record-index.ts";
import { PASSAGE, type Passage } from "../../simulator/timetravel/record-passages.ts";
import type { RunTape } from "../../simulator/timetravel/run-tape.ts";
import type { Followed } from "./record-derived.ts";
import type { RecordFact } from "./record-fact.ts";
import { restartsOf, type Restart } from "./record-restarts.ts";

/** What became of the transactions that a record was written to. */
export function transactionFacts(passages: readonly Passage[], { passages: all, transactions }: RecordIndex): readonly RecordFact[] {
  const facts: RecordFact[] = [];
  const seen = new Set<number>();
  for (const { what, detail, place } of passages) {
    const id = what === PASSAGE.written ? all.textOf(detail) : null;
    const transaction = id === null ? undefined : transactions.get(id);
    if (id === null || transaction === undefined || seen.has(detail)) continue;
    seen.add(detail);
    const add = (step: number | null, words: string, tone: RecordFact["tone"]): void => {
      if (step !== null) facts.push({ step, attempt: place.attempt, where: place.name, what: `transaction ${id} ${words}`, tone });
    };
    add(transaction.preparedAt, "was prepared", "plain");
    add(transaction.committedAt, "was committed: the result is visible", "good");
    add(transaction.abortedAt, `was aborted (${ABORTED[transaction.abortReason ?? "requested"]}): what was written is void`, "bad");
  }
  return facts;
}

const ABORTED = { requested: "as left over", fenced: "by a later producer", timeout: "by the log's timeout" } as const;

/** In which completed checkpoints it is, and how. */
export function checkpointFacts({ id, from, passages }: Followed, index: RecordIndex): readonly RecordFact[] {
  const facts: RecordFact[] = [];
  for (const { what, step, detail, number, place } of passages) {
    const where = `checkpoint ${detail}`;
    if (what === PASSAGE.inFlight) facts.push({ step, attempt: null, where, what: `completed with it in flight on ${place.name}`, tone: "good" });
    if (what !== PASSAGE.settled) continue;
    const how = number === 1 ? `in what ${place.name} has applied` : `as late in ${place.name}`;
    facts.push({ step, attempt: null, where, what: `completed with it ${how}`, tone: "good" });
  }
  const place = from === null ? index.ids.placeOf(id) : null;
  const first = place === null ? undefined : index.checkpoints.find(({ offsets }) => (offsets.get(place.uid)?.[place.partition] ?? 0) > place.offset);
  if (place !== null && first !== undefined) {
    const offset = first.offsets.get(place.uid)?.[place.partition] ?? 0;
    const what = `completed with offset ${offset} of ${place.uid}/${place.partition}: behind it`;
    facts.unshift({ step: first.step, attempt: null, where: `checkpoint ${first.checkpointId}`, what, tone: "good" });
  }
  return facts;
}

/** What restarts undid of what was done with a record. */
export function restartFacts({ id, passages }: Followed, index: RecordIndex, tape: RunTape): readonly RecordFact[] {
  const facts: RecordFact[] = [];
  for (const restart of restartsOf(tape)) {
    const operators = new Set(index.passages.places.filter(({ attempt }) => attempt === restart.attempt).map(({ uid }) => uid));
    const undone = passages.filter(({ step, place }) => step <= restart.step && place.process !== null && place.attempt < restart.attempt && (place.uid === null || operators.has(place.uid)));
    const last = undone.at(-1);
    if (last === undefined) continue;
    const why = restart.cause === null ? "" : ` (first of all: ${restart.cause})`;
    const { what, tone } = fateAt(id, passages, restart, index);
    facts.push({ step: restart.step, attempt: restart.attempt, where: "restart", what: `${what}${why}`, tone });
  }
  return facts;
}

/** What the checkpoint that an attempt starts from has of a record of a source. */
function fateAt(id: number, passages: readonly Passage[], { checkpointId }: Restart, { ids, checkpoints }: RecordIndex): Pick<RecordFact, "what" | "tone"> {
  if (checkpointId < 0) return { what: "LOST: all starts anew, from before it was read", tone: "bad" };
  const place = ids.placeOf(id);
  const checkpoint = checkpoints.find((one) => one.checkpointId === checkpointId);
  if (place === null || checkpoint === undefined) return { what: `goes on from checkpoint ${checkpointId}`, tone: "warn" };
  const offset = checkpoint.offsets.get(place.uid)?.[place.partition] ?? 0;
  if (offset <= place.offset) return { what: `LOST: checkpoint ${checkpointId} is from before it was read`, tone: "bad" };
  const inFlight = passages.find(({ what, detail }) => what === PASSAGE.inFlight && detail === checkpointId);
  if (inFlight !== undefined) return { what: `kept: checkpoint ${checkpointId} has it in flight on ${inFlight.place.name}`, tone: "good" };
  return { what: `kept: checkpoint ${checkpointId} is from after it was applied`, tone: "good" };
}
