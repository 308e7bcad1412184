import { counted } from "../../text/format.ts";
import { visible } from "../../text/visible.ts";
import type { Line, Span, Tone } from "../line.ts";
import { line, span } from "../line.ts";
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
  for (const change of changes.items) lines.push(changeLine(change, isReference));
  const bounds = windowText(changes);
  if (bounds !== "" && total > 0) lines.push(line("    ", span(bounds, "dim")));
  return lines;
}

/** What is there now, and what was: for the reference, what must be. */
function changeLine({ mark, part, subtask, state, key, before, now }: ShownChange, isReference: boolean): Line {
  const words = isReference ? { "+": "must not be there", "-": "must be there", "~": "must be" } : { "+": "new", "-": "gone", "~": "was" };
  const where = `${subtask < 0 ? "" : `[${subtask}] `}${nameOf(part, state)}`;
  const texts: (string | Span)[] = [span(`${mark} `, markTone(mark)), `  ${where}  `, span(key, "strong")];
  if (now !== null && now !== "") texts.push(`  ${now}`);
  texts.push(span(`  ${words[mark]}${before === null || before === "" ? "" : ` ${before}`}`, isReference ? "bad" : "changed"));
  return line(...texts);
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
    if (title !== before && entry.part !== "transaction") lines.push(line("    ", span(title, "dim")));
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
  let part = "";
  let spans: (string | Span)[] = [];
  const flush = (): void => {
    if (spans.length > 0) lines.push(line("      ", span(`${part}: `, "dim"), ...spans));
    spans = [];
  };
  for (const element of elements.items) {
    if (element.part !== part) flush();
    part = element.part;
    if (spans.length > 0) spans.push(", ");
    spans.push(elementSpan(element));
  }
  flush();
  if (elements.items.length < elements.total) lines.push(line("      ", span(`and ${elements.total - elements.items.length} more`, "dim")));
  return lines;
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
      return `state ${visible(state)}`;
    case "applied":
      return "records applied, by key";
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
