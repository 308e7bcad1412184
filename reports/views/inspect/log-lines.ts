import { counted } from "../../text/format.ts";
import { visible } from "../../text/visible.ts";
import type { Line, Tone } from "../line.ts";
import { line, span } from "../line.ts";
import type { InputPartitionFacts, LogFacts, LogRecordFacts, OutputPartitionFacts, RecordStatus } from "./log-facts.ts";
import { windowText } from "./window.ts";

export function logLines({ inputs, outputs, producers, pending }: LogFacts): readonly Line[] {
  const lines: Line[] = [line("  ", span("external log", "strong"))];
  for (const one of inputs) lines.push(inputLine(one));
  for (const one of outputs) lines.push(line(""), ...outputLines(one));
  lines.push(line(""), line("  ", span("undecided transactions", "strong"), pending.length === 0 ? "  none" : ""));
  for (const { transactionId, status, records, origin, epoch } of pending) {
    const tone: Tone = status === "prepared" ? "warn" : "plain";
    lines.push(line("  ", `  ${visible(transactionId)}  `, span(status, tone), `  ${counted(records, "record")}, producer epoch ${epoch}${origin === "" ? "" : `, ${origin}`}`));
  }
  lines.push(line(""), line("  ", span("producers", "strong")));
  for (const { producerId, counts } of producers) {
    const said = (["open", "prepared", "committed", "aborted"] as const).filter((status) => counts[status] > 0).map((status) => `${counts[status]} ${status}`);
    lines.push(line("  ", `  ${visible(producerId)}  `, said.join(", ")));
  }
  return lines;
}

function inputLine({ topic, partition, records, arrived, readers }: InputPartitionFacts): Line {
  const read = readers.map(({ task, offset }) => `${visible(task)} at ${offset}`).join(", ");
  return line("  ", `  in   ${visible(topic)}/${partition}  ${arrived} of ${records} arrived  `, span(read === "" ? "nobody reads it" : read, read === "" ? "dim" : "plain"));
}

function outputLines({ topic, partition, endOffset, lastStableOffset, counts, records }: OutputPartitionFacts): readonly Line[] {
  const said = (Object.keys(counts) as RecordStatus[]).filter((status) => counts[status] > 0).map((status) => `${counts[status]} ${status}`);
  const lines = [line("  ", `  out  ${visible(topic)}/${partition}  end ${endOffset}, stable to ${lastStableOffset}  `, said.length === 0 ? span("empty", "dim") : said.join(", "))];
  const bounds = windowText(records);
  if (bounds !== "") lines.push(line("      ", span(`records ${bounds}, counted from the end`, "dim")));
  for (const one of records.items) lines.push(recordLine(one));
  return lines;
}

/** What stands before a record that nobody sees (yet). */
const MARKS: Readonly<Record<RecordStatus, readonly [mark: string, tone: Tone]>> = {
  visible: ["  ", "plain"],
  "held back": ["= ", "warn"],
  open: ["* ", "changed"],
  prepared: ["* ", "warn"],
  aborted: ["x ", "dim"],
};

function recordLine({ offset, status, value, transactionId }: LogRecordFacts): Line {
  const [mark, tone] = MARKS[status];
  return line(span(mark, tone), `    ${String(offset).padStart(5)}  `, span(status.padEnd(9), tone), `  ${value}`, span(`  ${visible(transactionId)}`, "dim"));
}
