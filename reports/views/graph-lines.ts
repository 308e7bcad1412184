import { CHANNEL_CREDIT } from "../../engine/base/limits.ts";
import { MAX_WATERMARK } from "../../engine/base/units.ts";
import { counted, seconds } from "../text/format.ts";
import { visible } from "../text/visible.ts";
import { watermarkText } from "./event-time-text.ts";
import { channelLines } from "./graph-channel-lines.ts";
import type { GraphChanges } from "./graph-diff.ts";
import type { FeedFacts, GraphFacts, OperatorFacts, ProcessFacts, SubtaskFacts, SubtaskStatus } from "./graph-facts.ts";
import { type Line, line, type Span, span, type Tone } from "./line.ts";

/** A line of the graph that somebody may choose. */
export interface GraphRow {
  /** Its number among the lines. */
  readonly line: number;
  /** Key of a subtask; of an operator's own line its id. */
  readonly id: string;
  /** Id of the operator that it belongs to: what folds it. */
  readonly operator: string;
}

export interface GraphText {
  readonly lines: readonly Line[];
  readonly rows: readonly GraphRow[];
}

/** A step in which nothing changed has no marks; each line begins with its mark ("*": it changed). */
export function graphText(facts: GraphFacts, changes: GraphChanges, folded: ReadonlySet<string>): GraphText {
  const lines: Line[] = [...jobLines(facts, changes), ...processLines(facts, changes), []];
  const rows: GraphRow[] = [];
  const marks = { subtasks: new Set(changes.subtasks), channels: new Set(changes.channels) };
  for (const operator of facts.operators) {
    const { id, subtasks } = operator;
    rows.push({ line: lines.length, id, operator: id });
    if (folded.has(id)) {
      lines.push(...foldedLines(operator, marks));
      continue;
    }
    lines.push(headLine(operator, "-"));
    for (const subtask of subtasks) {
      rows.push({ line: lines.length, id: subtask.key, operator: id });
      lines.push(subtaskLine(subtask, marks.subtasks.has(subtask.key)), ...channelLines(subtask, marks.channels));
    }
  }
  for (const key of changes.gone) lines.push(line(span("* ", "changed"), span(`${visible(key)} is gone`, "changed")));
  lines.push([], ...LEGEND.map((text) => line(span(text, "dim"))));
  return { lines, rows };
}

const LEGEND: readonly string[] = [
  `  q: buffers(records) that wait, of ${CHANNEL_CREDIT}; n: on the network; b: without credit`,
  "  |4@2: barrier of checkpoint 4 behind 2 buffers; *: changed by this step",
];

/** What stands out of the lines of an operator. */
export interface GraphMarks {
  readonly subtasks: ReadonlySet<string>;
  readonly channels: ReadonlySet<string>;
}

function jobLines({ job }: GraphFacts, changes: GraphChanges): readonly Line[] {
  const mark = changes.job ? span("* ", "changed") : span("  ");
  const version = job.version === 1 ? "" : `  version ${job.version}`;
  const head: Span[] = [mark, span(visible(job.name), "strong"), span(version)];
  const [leader, ...others] = job.leaders;
  const lines: Line[] = [];
  if (leader === undefined) {
    const end = job.end === null ? [] : [span(`  job ${job.end}`, job.end === "finished" ? "good" : "bad")];
    lines.push([...head, ...end, span("  "), span(job.end === null ? "! nobody leads" : "nobody leads", job.end === null ? "bad" : "dim")]);
  } else {
    const phase = span(`  ${leader.phase}`, phaseTone(leader.phase));
    const lease = leader.holdsLease || job.end !== null ? [] : [span("  ! without the lease", "bad")];
    lines.push([...head, phase, span(`  led by ${visible(leader.process)}, epoch ${leader.epoch}`), ...lease]);
  }
  for (const { process, epoch, phase } of others) {
    lines.push(line("  ", span(`! ${visible(process)} believes that it leads too: epoch ${epoch}, ${phase}`, "bad")));
  }
  const isTold = job.lastFailure !== null && leader !== undefined && leader.phase !== "running" && leader.phase !== "finished";
  if (isTold) lines.push(line("  ", span(`last failure: ${visible(job.lastFailure ?? "")}`, "warn")));
  return lines;
}

function phaseTone(phase: string): Tone {
  if (phase === "running" || phase === "finished") return "good";
  return phase === "failed" || phase === "failing" ? "bad" : "warn";
}

/** So wide, at most, that nothing is cut on a narrow screen. */
const COLUMNS = 78;

function processLines({ processes }: GraphFacts, changes: GraphChanges): readonly Line[] {
  const lines: Span[][] = [];
  let width = COLUMNS;
  for (const process of processes) {
    const isChanged = changes.processes.includes(process.name);
    const text = `${isChanged ? "*" : ""}${processText(process)}`;
    if (width + text.length + 2 > COLUMNS) {
      lines.push([span(" ")]);
      width = 1;
    }
    lines.at(-1)?.push(span(" "), span(text, isChanged ? "changed" : process.status === "up" ? "dim" : "bad"));
    width += text.length + 1;
  }
  return lines;
}

function processText({ name, host, hostIsUp, status, pausedUntilUs, kind, isRegistered }: ProcessFacts): string {
  const who = `${visible(name)}@${visible(host)}`;
  if (status === "down") return `!${who}:${hostIsUp ? "dead" : "host-down"}`;
  if (status === "paused") return `!${who}:paused-until-${seconds(pausedUntilUs ?? 0)}`;
  return kind === "worker" && !isRegistered ? `${who}:unregistered` : who;
}

function headLine({ id, parallelism, feeds }: OperatorFacts, sign: "+" | "-"): Line {
  return line("  ", span(`[${sign}] `, "dim"), span(visible(id), "strong"), ` x${parallelism}`, span(feedsText(feeds), "dim"));
}

function feedsText(feeds: readonly FeedFacts[]): string {
  if (feeds.length === 0) return "";
  const parts = feeds.map(({ from, partitioning, sideOutput }) => `${partitioning} ${visible(from)}${sideOutput === null ? "" : `/${visible(sideOutput)}`}`);
  return `  <- ${parts.join(", ")}`;
}

/** "* [1] running     worker-2  #4097  wm 12345  ckpt 4 writing  from 3". */
function subtaskLine(subtask: SubtaskFacts, isChanged: boolean): Line {
  const { subtask: index, status, worker, attempt, watermarkMs, restoredFrom } = subtask;
  const tone: Tone = isChanged ? "changed" : "plain";
  const parts: Span[] = [span(isChanged ? "* " : "  ", tone), span(`    [${index}] `, tone), span(status.padEnd(11), statusTone(status))];
  parts.push(span(` ${visible(worker ?? "-").padEnd(9)}`, tone));
  for (const alarm of alarmsOf(subtask)) parts.push(span(` ! ${alarm}`, "bad"));
  const rest: string[] = [];
  if (attempt !== null) rest.push(`#${attempt}`);
  if (watermarkMs !== null) rest.push(`wm ${watermarkText(watermarkMs)}`);
  rest.push(...checkpointTexts(subtask));
  if (subtask.isBackPressured) rest.push("back-pressured");
  if (subtask.inputEnded && watermarkMs !== MAX_WATERMARK) rest.push("input ended");
  if (restoredFrom !== null) rest.push(`from ckpt ${restoredFrom}`);
  return rest.length === 0 ? parts : [...parts, span(` ${rest.join("  ")}`, tone)];
}

function statusTone(status: SubtaskStatus): Tone {
  switch (status) {
    case "running":
    case "finished":
      return "good";
    case "failed":
    case "lost":
      return "bad";
    default:
      return "warn";
  }
}

function alarmsOf({ isCurrent, pausedUntilUs, status, host }: SubtaskFacts): readonly string[] {
  const alarms: string[] = [];
  const lives = status === "running" || status === "initialized" || status === "restoring";
  if (!isCurrent && lives) alarms.push("old attempt");
  if (pausedUntilUs !== null) alarms.push(`paused until ${seconds(pausedUntilUs)}`);
  if (status === "lost") alarms.push(host === null ? "its process is gone" : `its process on ${visible(host)} is gone`);
  return alarms;
}

function checkpointTexts({ alignment, snapshots }: SubtaskFacts): readonly string[] {
  const texts = snapshots.map((checkpointId) => `ckpt ${checkpointId} writing`);
  if (alignment !== null) texts.push(`ckpt ${alignment.checkpointId} ${alignment.arrived}/${alignment.channels} barriers`);
  return texts;
}

/** The operator in one line, or two where there is much to say. */
function foldedLines(operator: OperatorFacts, marks: GraphMarks): readonly Line[] {
  const { subtasks } = operator;
  const isChanged = subtasks.some(({ key, inputs }) => marks.subtasks.has(key) || inputs.some((input) => marks.channels.has(input.key)));
  const [, ...head] = headLine(operator, "+");
  const alarms = [...new Set(subtasks.flatMap((subtask) => alarmsOf(subtask)))];
  const sum = foldOperator(operator);
  const states = Object.entries(sum.states).map(([status, count]) => `${count} ${status}`);
  const watermark = sum.watermarkMs === null ? [] : [`wm ${watermarkText(sum.watermarkMs)}`];
  const queued = `q${sum.queued.buffers}(${sum.queued.records})`;
  const barriers = sum.barriers === 0 ? [] : [counted(sum.barriers, "barrier")];
  const blocked = sum.blocked === 0 ? [] : [`${sum.blocked} blocked`];
  const text = [...states, ...watermark, queued, ...barriers, ...blocked].join("  ");
  return [
    [isChanged ? span("* ", "changed") : span("  "), ...head],
    [span("        "), span(text, isChanged ? "changed" : "plain"), ...alarms.map((alarm) => span(`  ! ${alarm}`, "bad"))],
  ];
}

/** An operator's subtasks taken together. */
export interface OperatorSum {
  /** How many are in which state; in the order in which they come. */
  readonly states: Readonly<Record<string, number>>;
  /** The least; null where there is no task. */
  readonly watermarkMs: number | null;
  /** What waits at their inputs. */
  readonly queued: { readonly buffers: number; readonly records: number };
  /** On their way to them. */
  readonly barriers: number;
  readonly blocked: number;
}

export function foldOperator({ subtasks }: OperatorFacts): OperatorSum {
  const states: Record<string, number> = {};
  let watermarkMs: number | null = null;
  const inputs = subtasks.flatMap((subtask) => subtask.inputs);
  for (const subtask of subtasks) {
    states[subtask.status] = (states[subtask.status] ?? 0) + 1;
    if (subtask.isCurrent && subtask.watermarkMs !== null) watermarkMs = Math.min(watermarkMs ?? subtask.watermarkMs, subtask.watermarkMs);
  }
  const sum = (of: (input: (typeof inputs)[number]) => number): number => inputs.reduce((total, input) => total + of(input), 0);
  return {
    states,
    watermarkMs,
    queued: { buffers: sum(({ queue }) => queue.buffers), records: sum(({ queue }) => queue.records) },
    barriers: sum(({ barriers }) => barriers.length),
    blocked: sum(({ isBlocked }) => (isBlocked ? 1 : 0)),
  };
}
