import { visible } from "../text/visible.ts";
import type { Amount, BarrierFacts, InputFacts, OutputFacts, SubtaskFacts } from "./graph-facts.ts";
import { type Line, type Span, span } from "./line.ts";

const COLUMNS = 78;
const INDENT = "        ";

/** The channels of a subtask, by who feeds it: as many on a line as there is room for. */
export function channelLines({ inputs, outputs, status }: SubtaskFacts, changed: ReadonlySet<string>): readonly Line[] {
  const lines: Line[] = [];
  for (const edge of new Set(inputs.map((input) => input.edge))) {
    const own = inputs.filter((input) => input.edge === edge);
    const head = own.length < 2 && new Set(inputs.map((input) => input.edge)).size < 2 ? "<- " : `<- ${visible(own[0]?.from ?? "")}  `;
    const cells = own.map((input) => {
      const isChanged = changed.has(input.key);
      return span(`${isChanged ? "*" : ""}${inputText(input, status === "running")}`, isChanged ? "changed" : toneOf(input));
    });
    lines.push(...wrapped(head, cells));
  }
  const waiting = outputs.filter(({ backlog, credit }) => backlog.buffers > 0 || credit === 0);
  if (waiting.length > 0) lines.push(...wrapped("-> ", waiting.map((output) => span(outputText(output), "warn"))));
  return lines;
}

function wrapped(head: string, cells: readonly Span[]): readonly Line[] {
  const lines: Span[][] = [[span(INDENT), span(head, "dim")]];
  let width = INDENT.length + head.length;
  let isFirst = true;
  for (const cell of cells) {
    if (!isFirst && width + cell.text.length + 2 > COLUMNS) {
      lines.push([span(`${INDENT}   `)]);
      width = INDENT.length + 3;
      isFirst = true;
    }
    const line = lines.at(-1);
    if (!isFirst) line?.push(span("  "));
    line?.push(cell);
    width += cell.text.length + (isFirst ? 0 : 2);
    isFirst = false;
  }
  return lines;
}

function toneOf({ isBlocked, connection, queue, capacity }: InputFacts): Span["tone"] {
  if (connection === "broken") return "bad";
  if (isBlocked || queue.buffers >= capacity) return "warn";
  return queue.buffers === 0 ? "dim" : "plain";
}

/** "0:q3(120)|4@2 n1(40) blocked". Before a task runs, nobody is connected to it. */
function inputText(input: InputFacts, isRunning: boolean): string {
  const { fromSubtask, queue, restored, network, backlog, barriers } = input;
  const of = (place: BarrierFacts["place"]): string =>
    barriers
      .filter((barrier) => barrier.place === place)
      .map(({ checkpointId, behind, isSavepoint }) => `|${isSavepoint ? "s" : ""}${checkpointId}@${behind}`)
      .join("");
  const parts = [`q${amountText(queue)}${of("queue")}`];
  if (network.buffers > 0 || of("network") !== "") parts.push(`n${amountText(network)}${of("network")}`);
  if (backlog.buffers > 0) parts.push(`b${amountText(backlog)}${of("backlog")}`);
  if (restored.buffers > 0) parts.push(`${amountText(restored)} restored`);
  return `${fromSubtask}:${[...parts, ...conditionOf(input, isRunning)].join(" ")}`;
}

function conditionOf({ isBlocked, aligned, hasEnded, hasFinished, connection }: InputFacts, isRunning: boolean): readonly string[] {
  const parts: string[] = [];
  if (isBlocked) parts.push("blocked");
  if (aligned !== null) parts.push(`has ${aligned}`);
  if (hasFinished) parts.push("finished");
  else if (hasEnded) parts.push("ended");
  if (connection === "broken") parts.push("!broken");
  else if (connection === "opening") parts.push("opening");
  else if (connection === "none" && isRunning && !hasFinished) parts.push("unconnected");
  return parts;
}

function amountText({ buffers, records }: Amount): string {
  return records === 0 ? String(buffers) : `${buffers}(${records})`;
}

/** Where a task cannot send what it has. */
function outputText({ to, toSubtask, credit, backlog }: OutputFacts): string {
  return `${visible(to)}[${toSubtask}] ${backlog.buffers === 0 ? "" : `b${amountText(backlog)} `}credit ${credit}`;
}
