import { grouped } from "../text/format.ts";
import type { Line, Span } from "../views/line.ts";
import { line, span } from "../views/line.ts";
import { chosenOf } from "./choices.ts";
import { fitLine, lineWidth } from "./line-cut.ts";
import type { Slot } from "./layout.ts";
import { topLine } from "./layout.ts";
import { PANELS, PANEL_TITLES } from "./panel-name.ts";
import { lineInSight, type PanelView } from "./panel-view.ts";
import type { UiState } from "./ui-state.ts";

/** Stands at the end of the chosen line: not every terminal can reverse one. */
const CHOSEN = " <";

/** A line of a screen: reversed where it is the chosen one of the panel that has the keys. */
export interface ScreenLine {
  readonly line: Line;
  readonly reversed: boolean;
}

/** A panel as lines: exactly as many as its slot has, each exactly as wide. */
export function panelLines(slot: Slot, view: PanelView, state: UiState): readonly ScreenLine[] {
  const { panel, width, height } = slot;
  const isFocused = state.focus === panel;
  const chosen = chosenOf(view.choices, state.chosen[panel]);
  const body = height - 1;
  const top = topLine(view.length, body, lineInSight(view, state.chosen[panel]), state.scroll[panel]);
  const lines: ScreenLine[] = [{ line: titleLine(slot, view, isFocused, top, state.shift[panel]), reversed: false }];
  const shown = view.lines(top, top + body);
  for (let i = 0; i < body; i += 1) {
    const reversed = isFocused && chosen?.line === top + i;
    const room = reversed ? width - CHOSEN.length : width;
    const fitted = fitLine(shown[i] ?? [], room, state.shift[panel]);
    lines.push({ line: reversed ? [...fitted, span(CHOSEN, "strong")] : fitted, reversed });
  }
  return lines;
}

/** "━ 5 Events ━━━━━━━━━━ 12-30 of 71 ━": heavy where the panel has the keys. */
function titleLine({ panel, width, height }: Slot, { length, note }: PanelView, isFocused: boolean, top: number, shift: number): Line {
  const rule = isFocused ? "━" : "─";
  const name = `${PANELS.indexOf(panel) + 1} ${PANEL_TITLES[panel]}`;
  const body = height - 1;
  const place = length > body ? `${grouped(top + 1)}-${grouped(Math.min(length, top + body))} of ${grouped(length)}` : "";
  const left: Span[] = [span(`${rule} `, isFocused ? "strong" : "dim"), span(isFocused ? `[${name}]` : name, isFocused ? "strong" : "plain")];
  if (shift > 0) left.push(span(`  from column ${shift + 1}`, "warn"));
  if (note !== "") left.push(span(`  ${note}`, "dim"));
  left.push(span(" ", "plain"));
  const right = place === "" ? [] : [span(` ${place} `, "dim"), span(rule, isFocused ? "strong" : "dim")];
  const middle = width - lineWidth(left) - lineWidth(right);
  if (middle < 0) return fitLine([...fitLine(left, Math.max(0, width - lineWidth(right))), ...right], width);
  return line(...left, span(rule.repeat(middle), isFocused ? "strong" : "dim"), ...right);
}

/** The panels there are, where not all of them can be seen. */
export function tabsLine(columns: number, { focus }: UiState): Line {
  const parts = PANELS.map((panel, i) => {
    const name = `${i + 1} ${PANEL_TITLES[panel]}`;
    return panel === focus ? span(`[${name}]`, "strong") : span(` ${name} `, "dim");
  });
  return fitLine(parts, columns);
}
