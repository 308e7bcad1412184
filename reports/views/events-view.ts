import type { RunTape, TapePoint } from "../../simulator/timetravel/run-tape.ts";
import { line, span } from "./line.ts";
import { pointText } from "./point-text.ts";
import type { View } from "./view.ts";

/** Points shown before and behind the step that is looked at. */
const AROUND = 20;

/** What happened around a step. */
export interface EventsView {
  readonly step: number;
  readonly points: readonly TapePoint[];
}

export function eventsAround(tape: RunTape, step: number): EventsView {
  const from = Math.max(0, tape.firstPointOf(step) - AROUND);
  const to = Math.min(tape.points, tape.endOf(step) + AROUND);
  const points: TapePoint[] = [];
  for (let index = from; index < to; index += 1) points.push(tape.pointAt(index));
  return { step, points };
}

export function eventsView(tape: RunTape, step: number): View {
  const facts = eventsAround(tape, step);
  const lines = facts.points.map((point) =>
    point.step === step ? line(">", span(pointText(point), "changed")) : line(" ", span(pointText(point), "dim")),
  );
  return { facts, lines };
}
