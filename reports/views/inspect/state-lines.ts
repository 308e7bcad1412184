import { counted } from "../../text/format.ts";
import { visible } from "../../text/visible.ts";
import type { Line, Span, Tone } from "../line.ts";
import { line, span } from "../line.ts";
import type { ChannelPart } from "./channel-contents.ts";
import type { ComparedFacts, OperatorFacts, ShownChange, ShownChannel, ShownElement, ShownEntry, SubtaskFacts } from "./state-facts.ts";
import type { StatePart } from "./state-entry.ts";
import { windowText } from "./window.ts";

/** The facts of one operator as lines. The first column is for marks. */
export function operatorLines(facts: OperatorFacts): readonly Line[] {
  const { uid, name, kind, vertex, parallelism, missing, compared, subtasks } = facts;
  const alias = name === uid ? "" : `, uid ${visible(uid)}`;
  const chained = vertex === name ? "" : `, in ${visible(vertex)}`;
  const lines: Line[] = [line("  ", span(visible(name), "strong"), `  ${kind}${alias}${chained}  ${counted(parallelism, "subtask")}`)];
  if (compared !== null) lines.push(...comparedLines(compared));
  for (const subtask of subtasks) lines.push(line(""), ...subtaskLines(subtask));
  for (const subtask of missing) lines.push(line(""), line("! ", span(`${visible(name)}[${subtask}]  in no living process at this moment`, "bad")));
  return lines;
}

function comparedLines({ with: what, step, said, isKnown, changes }: ComparedFacts): readonly Line[] {
  const isReference = what === "reference";
  const title = isReference ? "the reference" : `step ${step}`;
  if (!isKnown) return [line("? ", span(`not compared with ${title}: ${said.map(visible).join("; ")}`, "warn"))];
  const lines: Line[] = [];
  const { total } = changes;
  const tone: Tone = isReference ? (total === 0 ? "good" : "bad") : total === 0 ? "dim" : "changed";
  const mark = isReference && total > 0 ? "! " : "  ";
  lines.push(line(mark, span(`${total === 0 ? "no difference" : counted(total, "difference")} to ${title}`, tone)));
  for (const one of said) lines.push(one.startsWith("! ") ? line("! ", span(visible(one.slice(2)), "bad")) : line("    ", span(visible(one), "dim")));
  for (const change of changes.items) lines.push(...changeLines(change, isReference));
  const bounds = windowText(changes);
  if (bounds !== "" && total > 0) lines.push(line("    ", span(bounds, "dim")));
  return lines;
}

/** What becomes of one line as long as it can be read whole on a screen of 80 columns. */
const ONE_LINE = 78;

const STEP_WORDS = { "+": "new", "-": "gone", "~": "was", other: "was", now: "is " } as const;
const REFERENCE_WORDS = { "+": "must not be there", "-": "must be there", "~": "must be", other: "must be", now: "is     " } as const;

/** What is there now, and what was; of the reference, what must be. */
function changeLines({ mark, part, subtask, state, key, before, now }: ShownChange, isReference: boolean): readonly Line[] {
  const words = isReference ? REFERENCE_WORDS : STEP_WORDS;
  const tone: Tone = isReference ? "bad" : "changed";
  const where = subtask < 0 ? "" : `[${subtask}] `;
  const title = part === "transaction" ? nameOf(part, state) : `${nameOf(part, state)}  ${key}`;
  const is = now ?? "";
  const other = before ?? "";
  const head = `${where}${title}${is === "" ? "" : `  ${is}`}  `;
  const tail = `${words[mark]}${other === "" ? "" : ` ${other}`}`;
  if (head.length + tail.length + 2 <= ONE_LINE) return [line(span(`${mark} `, markTone(mark)), head, span(tail, tone))];
  const lines: Line[] = [line(span(`${mark} `, markTone(mark)), `${where}${title}`, mark === "~" ? "" : span(`  ${words[mark]}`, tone))];
  if (other !== "") lines.push(line("      ", span(words.other, tone), ` ${other}`));
  if (is !== "") lines.push(line("      ", span(words.now, "dim"), ` ${is}`));
  return lines;
}

function subtaskLines(facts: SubtaskFacts): readonly Line[] {
  const { name, process, incarnation, attempt, phase, isReplaced, restoredFrom, watermark, watermarkBefore, isDelivering, inputEnded, entries } = facts;
  const mark = phase === "failed" ? "! " : watermarkBefore === null ? "  " : "~ ";
  const details = [`on ${visible(process)} (incarnation ${incarnation})`, `attempt ${attempt}`, restoredFrom === null ? "restored from nothing" : `restored from checkpoint ${restoredFrom}`];
  const lines: Line[] = [
    line(span(mark, markTone(mark.trim())), span(visible(name), "strong"), "  ", span(phase, phase === "failed" ? "bad" : phase === "running" ? "good" : "plain"), `  ${details.join(", ")}`),
  ];
  if (isReplaced) lines.push(line("! ", span("  an attempt that was replaced, and does not know it yet: its state counts for nothing", "warn")));
  const was = watermarkBefore === null ? "" : `, was ${watermarkBefore}`;
  lines.push(line(span(watermarkBefore === null ? "  " : "~ ", "changed"), `  watermark ${watermark}${was}${isDelivering ? ", timers due for one still fire" : ""}${inputEnded ? ", the input has ended" : ""}`));
  lines.push(...entryLines(facts));
  const bounds = windowText(entries);
  if (bounds !== "") lines.push(line("    ", span(`entries ${bounds}`, "dim")));
  lines.push(...channelsLines(facts.inputs, "<-"), ...channelsLines(facts.outputs, "->"));
  return lines;
}

function entryLines({ entries }: SubtaskFacts): readonly Line[] {
  const lines: Line[] = [];
  let before = "";
  for (const entry of entries.items) {
    const title = nameOf(entry.part, entry.state);
    if (title !== before && entry.part !== "transaction") lines.push(line("    ", span(entry.part === "keyed" ? `state ${title}` : title, "dim")));
    before = title;
    lines.push(entryLine(entry));
  }
  if (entries.total === 0) lines.push(line("    ", span("no state", "dim")));
  return lines;
}

function entryLine({ mark, part, state, key, value }: ShownEntry): Line {
  const name = part === "transaction" ? `transaction ${visible(state)}` : key;
  return line(span(`${mark} `, markTone(mark)), "    ", span(name, mark === " " ? "plain" : "changed"), value === "" ? "" : `  ${value}`);
}

/** Those that have something to show; the others by their number. */
function channelsLines(channels: readonly ShownChannel[], arrow: "<-" | "->"): readonly Line[] {
  const shown = channels.filter(({ elements, isBlocked, isBroken, credit }) => elements.total > 0 || isBlocked === true || isBroken || credit === 0);
  const lines = shown.flatMap((channel) => channelLines(channel, arrow));
  const rest = channels.length - shown.length;
  if (rest > 0) lines.push(line("    ", span(`${arrow} ${shown.length > 0 ? "and " : ""}${counted(rest, "channel")} with nothing in ${rest === 1 ? "it" : "them"}`, "dim")));
  return lines;
}

function channelLines({ from, to, edge, isBlocked, credit, isBroken, records, barriers, elements }: ShownChannel, arrow: "<-" | "->"): readonly Line[] {
  const other = visible(arrow === "<-" ? from : to);
  const said = [counted(records, "record")];
  if (barriers > 0) said.push(counted(barriers, "barrier"));
  if (isBlocked === true) said.push("blocked behind its barrier");
  if (credit !== null) said.push(`credit ${credit}`);
  const tone: Tone = isBroken ? "bad" : isBlocked === true ? "warn" : "plain";
  const lines = [line(isBroken ? "! " : "  ", `  ${arrow} ${other}  `, span(`${said.join(", ")}${isBroken ? ", the connection is broken" : ""}`, tone), span(`  ${visible(edge)}`, "dim"))];
  for (const part of new Set(elements.items.map((element) => element.part))) {
    lines.push(...elementLines(part, elements.items.filter((element) => element.part === part)));
  }
  if (elements.items.length < elements.total) lines.push(line("      ", span(`and ${elements.total - elements.items.length} more`, "dim")));
  return lines;
}

/** In one line, or one each. */
function elementLines(part: ChannelPart, elements: readonly ShownElement[]): readonly Line[] {
  const spans = elements.map(elementSpan);
  const length = spans.reduce((sum, { text }) => sum + text.length + 2, part.length + 8);
  if (length > ONE_LINE) return [line("      ", span(`${part}:`, "dim")), ...spans.map((one) => line("        ", one))];
  return [line("      ", span(`${part}: `, "dim"), ...spans.flatMap((one, index) => (index === 0 ? [one] : [", ", one])))];
}

function elementSpan({ kind, isBarrier, id, text }: ShownElement): Span {
  if (kind === "event") return span(`|${text}|`, isBarrier ? "warn" : "dim");
  return span(`${id === null ? "" : `#${id} `}${text}`);
}

function markTone(mark: string): Tone {
  if (mark === "!") return "bad";
  return mark === "" || mark === " " ? "plain" : "changed";
}

function nameOf(part: StatePart, state: string): string {
  switch (part) {
    case "keyed":
      return visible(state);
    case "applied":
      return "records applied";
    case "split-list":
      return `list ${visible(state)}`;
    case "union-list":
      return `union list ${visible(state)}`;
    case "broadcast":
      return `broadcast state ${visible(state)}`;
    case "event-timer":
      return "event-time timers";
    case "processing-timer":
      return "processing-time timers";
    case "source":
      return "reads";
    case "transaction":
      return `transaction ${visible(state)}`;
  }
}
