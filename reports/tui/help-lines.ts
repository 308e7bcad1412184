import type { Line } from "../views/line.ts";
import { line, span } from "../views/line.ts";
import { KEYMAP, type Binding } from "./keymap.ts";
import { fitLine } from "./line-cut.ts";
import { topLine } from "./layout.ts";
import type { UiState } from "./ui-state.ts";

const COLUMN = 62;

/** All keys, in as many columns as there is room for; scrolled as the state says. */
export function helpLines({ columns, helpScroll }: UiState, height: number): readonly Line[] {
  const lines = inColumns(entries(), Math.max(1, Math.floor(columns / COLUMN)), height);
  const body = height - 1;
  const top = topLine(lines.length, body, null, helpScroll);
  const more = lines.length > body ? `  ${top + 1}-${Math.min(lines.length, top + body)} of ${lines.length}, j k scroll` : "";
  return [line(span("Keys", "strong"), span(`  ? or escape closes this${more}`, "dim")), ...lines.slice(top, top + body)];
}

/** How far the help can be scrolled. */
export function helpLength({ columns }: UiState, height: number): number {
  return inColumns(entries(), Math.max(1, Math.floor(columns / COLUMN)), height).length;
}

function entries(): Line[] {
  const lines: Line[] = [];
  let group: Binding["group"] | null = null;
  for (const binding of KEYMAP) {
    if (binding.group !== group) {
      if (group !== null) lines.push([]);
      lines.push(line(span(binding.group, "strong")));
      group = binding.group;
    }
    lines.push(line("  ", span(binding.keys.join(" ").padEnd(18), "changed"), binding.help));
  }
  return lines;
}

function inColumns(lines: readonly Line[], count: number, height: number): readonly Line[] {
  const long = Math.max(height - 1, Math.ceil(lines.length / count));
  if (count === 1 || lines.length <= height - 1) return lines;
  return Array.from({ length: long }, (_, row) => {
    const cells = Array.from({ length: count }, (_unused, column) => lines[column * long + row] ?? []);
    return cells.flatMap((cell) => fitLine(cell, COLUMN));
  });
}
