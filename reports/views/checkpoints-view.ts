import type { CheckpointState } from "../travel/checkpoint-span.ts";
import type { Journey } from "../travel/journey.ts";
import { runIndexOf } from "../travel/run-index.ts";
import { UsageError } from "../files/usage-error.ts";
import { grouped, seconds, table } from "../text/format.ts";
import { visible } from "../text/visible.ts";
import type { CheckpointDetail, CheckpointFacts, CheckpointsFacts } from "./checkpoints-facts.ts";
import { checkpointDetail, checkpointsFacts } from "./checkpoints-facts.ts";
import type { CheckpointFile, CheckpointFiles } from "./checkpoints-files.ts";
import type { SubtaskProgress } from "./checkpoints-progress.ts";
import { type Line, line, span, type Tone } from "./line.ts";
import type { View } from "./view.ts";

/** `argument`: "" for all, or the number of one. Throws UsageError where there is none of this number yet. */
export function checkpointsView(journey: Journey, step: number, argument: string): View {
  if (argument === "") {
    const facts = checkpointsFacts(journey, step);
    return { facts, lines: checkpointsLines(facts) };
  }
  const facts = /^\d+$/.test(argument) ? checkpointDetail(journey, step, Number(argument)) : null;
  if (facts === null) throw unknownCheckpoint(journey, step, argument);
  return { facts, lines: checkpointLines(facts) };
}

function unknownCheckpoint({ tape }: Journey, step: number, argument: string): UsageError {
  const ids = runIndexOf(tape).checkpoints.filter(({ triggerStep }) => triggerStep <= step).map(({ checkpointId }) => checkpointId);
  const known = ids.length === 0 ? "none was triggered by then" : `choose one of ${Math.min(...ids)} to ${Math.max(...ids)}`;
  return new UsageError(`the checkpoint ${visible(JSON.stringify(argument))}`, `is not known at step ${step}`, known);
}

const TONES: Readonly<Record<CheckpointState, Tone>> = { running: "strong", complete: "good", aborted: "bad", abandoned: "bad", subsumed: "dim" };

export function checkpointsLines({ checkpoints }: CheckpointsFacts): readonly Line[] {
  if (checkpoints.length === 0) return [line("  no checkpoint was triggered yet")];
  const head = ["", "state", "triggered", "took", "acks", "own bytes", "shared", "reused"];
  const rows = table([head, ...checkpoints.map(rowOf)], 2);
  const lines = [line("  ", span(rows[0] ?? "", "dim"))];
  checkpoints.forEach((checkpoint, index) => {
    lines.push(line(markOf(checkpoint), span(rows[index + 1] ?? "", checkpoint.changed ? "changed" : TONES[checkpoint.state])));
    const note = noteOf(checkpoint);
    if (note !== null) lines.push(line("      ", span(note, checkpoint.state === "running" ? "plain" : TONES[checkpoint.state])));
  });
  return lines;
}

/** "*" changed in this step, "!" given up. */
function markOf({ changed, state }: CheckpointFacts): string {
  if (changed) return "* ";
  return state === "aborted" || state === "abandoned" ? "! " : "  ";
}

function rowOf(checkpoint: CheckpointFacts): readonly string[] {
  const { checkpointId, kind, state, triggeredUs, tookUs, acknowledged, subtasks, ownBytes, sharedBytes, reusedBytes } = checkpoint;
  return [
    `${checkpointId}${kind === "savepoint" ? " savepoint" : ""}`,
    state,
    seconds(triggeredUs),
    seconds(tookUs),
    `${acknowledged}/${subtasks.length}`,
    grouped(ownBytes),
    grouped(sharedBytes),
    grouped(reusedBytes),
  ];
}

/** Why it was given up, or what it waits for. */
function noteOf({ state, reason, subtasks }: CheckpointFacts): string | null {
  if (reason !== null) return reason;
  if (state !== "running") return null;
  const waiting = subtasks.filter(({ acknowledgedUs }) => acknowledgedUs === null);
  if (waiting.length === 0) return "all acknowledged: its record is being written";
  return `waits for ${waiting.map((one) => `${visible(one.subtask)} (${stageOf(one)})`).join(", ")}`;
}

/** It takes no part any more. */
function hasLeft(progress: SubtaskProgress | undefined): boolean {
  return progress !== undefined && (progress.declinedUs !== null || progress.cancelledUs !== null);
}

/** The last thing that happened, in words. */
function stageOf(progress: SubtaskProgress): string {
  if (progress.acknowledgedUs !== null) return "acknowledged";
  if (progress.declinedUs !== null) return "declined";
  if (progress.cancelledUs !== null) return "given up";
  if (progress.durableUs !== null) return "durable";
  if (progress.takenUs !== null) return "snapshot taken";
  if (progress.alignedUs !== null) return "aligned";
  if (progress.barrierUs !== null) return "aligning";
  return progress.triggeredUs === null ? "no barrier yet" : "triggered";
}

export function checkpointLines({ checkpoint, files }: CheckpointDetail): readonly Line[] {
  const { checkpointId, kind, state, reason, leader, attempt, triggerStep, triggeredUs, decidedStep, tookUs, mode, timedOut, inFlight } = checkpoint;
  const end = decidedStep === null ? `${seconds(tookUs)} so far` : `took ${seconds(tookUs)}, to step ${grouped(decidedStep)}`;
  const unaligned = timedOut > 0 ? `, ${timedOut} of its subtasks timed out` : "";
  return [
    line(markOf(checkpoint), `${kind} ${checkpointId}  `, span(state, TONES[state]), reason === null ? "" : `: ${reason}`),
    line(`  triggered at ${seconds(triggeredUs)} (step ${grouped(triggerStep)}) by ${visible(leader)} for attempt ${attempt}; ${end}`),
    line(`  barriers ${mode}${unaligned}; ${grouped(inFlight)} records in flight`),
    line(""),
    ...progressLines(checkpoint),
    line(""),
    ...fileLines(files),
  ];
}

function progressLines({ subtasks, triggeredUs }: CheckpointFacts): readonly Line[] {
  if (subtasks.length === 0) return [line("  no subtask is known")];
  const since = (us: number | null): string => (us === null ? "-" : `+${seconds(us - triggeredUs)}`);
  const head = ["subtask", "is", "barrier", "aligned", "taken", "durable", "acked", "bytes"];
  const rows = subtasks.map((one) => {
    const bytes = grouped(one.ownBytes + one.sharedBytes);
    return [visible(one.subtask), stageOf(one), since(one.barrierUs ?? one.triggeredUs), since(one.alignedUs), since(one.takenUs), since(one.durableUs), since(one.acknowledgedUs), bytes];
  });
  const [first = "", ...others] = table([head, ...rows], 2);
  return [
    line("  ", span(first, "dim")),
    ...others.map((text, index) => {
      const isOut = hasLeft(subtasks[index]);
      return line(isOut ? "! " : "  ", span(text, isOut ? "bad" : "plain"));
    }),
  ];
}

const METADATA: Readonly<Record<CheckpointFiles["metadata"], string>> = {
  read: "its files, as its metadata names them",
  unreadable: "its metadata cannot be read",
  "no record": "no record says that it is complete",
};

function fileLines({ metadata, files, others }: CheckpointFiles): readonly Line[] {
  const rows = table(
    files.map((file) => [visible(file.key), file.what, file.sizeBytes === null ? "?" : grouped(file.sizeBytes), file.checksum === null ? "?" : file.checksum.toString(16).padStart(8, "0")]),
    2,
  );
  return [
    line(metadata === "unreadable" ? "! " : "  ", span(METADATA[metadata], "dim")),
    ...files.map((file, index) => fileLine(file, rows[index] ?? "")),
    ...(others.length === 0 ? [] : [line("  ", span("objects in its folder that no record names", "dim"))]),
    ...others.map(({ key, sizeBytes }) => line(`~ ${visible(key)}  ${grouped(sizeBytes)}`)),
  ];
}

function fileLine({ state, sharedWith }: CheckpointFile, text: string): Line {
  const shared = sharedWith.length === 0 ? "" : `  also of ${sharedWith.join(", ")}`;
  return state === "there" ? line("  ", text, shared) : line("! ", span(`${text}  ${state}`, "bad"), shared);
}
