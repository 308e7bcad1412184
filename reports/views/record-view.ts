import { counted, grouped, seconds } from "../text/format.ts";
import { visible } from "../text/visible.ts";
import type { Journey } from "../travel/journey.ts";
import { recordIndexOf } from "../travel/record-index-of.ts";
import { UsageError } from "../files/usage-error.ts";
import type { StepsOfKey } from "./events-matches.ts";
import { line, span, type Line, type Tone } from "./line.ts";
import type { LifeFact } from "./record-fact.ts";
import { lifeOf, type Applied, type RecordLife } from "./record-life.ts";
import { parseRecord } from "./record-name.ts";
import type { View } from "./view.ts";

const WHERE_COLUMNS = 16;
const ATTEMPT_COLUMNS = 6;

/** The life of a record. `name`: see parseRecord. */
export function recordView(journey: Journey, step: number, name: string): View {
  const index = recordIndexOf(journey);
  if (index === null) throw withoutIds(`the record ${JSON.stringify(name)}`);
  const life = lifeOf(parseRecord(name, index), index, journey.tape);
  return { facts: life, lines: lifeLines(life, step) };
}

/** In which steps a record with some key was processed or applied, or something was emitted for the key. */
export function stepsOfKeyIn(journey: Journey): StepsOfKey {
  return (key) => {
    const index = recordIndexOf(journey);
    if (index === null) throw withoutIds(`the key ${JSON.stringify(key)}`);
    return index.passages.stepsOfKey(key);
  };
}

function withoutIds(input: string): UsageError {
  return new UsageError(input, "cannot be followed: the records of a run without oracles carry no ids", "look at a run with them");
}

export function lifeLines(life: RecordLife, step: number): readonly Line[] {
  const { name, id, value, timestamp, facts, problems } = life;
  const what = [value === null ? "" : visible(value), timestamp === null ? "" : `at ${visible(timestamp)}`].filter((part) => part !== "");
  return [
    line(span(`the life of ${visible(name)}`, "strong"), span(`  (id ${id})`, "dim")),
    ...(what.length === 0 ? [] : [line(`  ${what.join(" ")}`)]),
    ...problems.map((problem) => line(span(`! ${visible(problem)}`, "bad"))),
    line(""),
    ...(facts.length === 0 ? [line(span("  nothing happened to it", "warn"))] : facts.map((fact) => factLine(fact, step))),
    line(""),
    appliedLine(life),
  ];
}

/** ">" marks the step that is looked at, "!" what went wrong, "+" what happened to a derived record; what happens later is dim. */
function factLine({ step, atUs, attempt, where, what, derived, tone }: LifeFact, at: number): Line {
  const mark = tone === "bad" ? "!" : derived === null ? " " : "+";
  const columns = `${String(step).padStart(6)} ${seconds(atUs).padStart(8)} ${(attempt === null || attempt < 0 ? "" : `a${attempt}`).padEnd(ATTEMPT_COLUMNS)} `;
  const words: Tone = step > at && tone !== "bad" ? "dim" : tone;
  const of = derived === null || what.includes(`derived record ${derived} `) ? "" : `${derived}: `;
  return line(span(step === at ? ">" : " ", "strong"), span(columns, "dim"), span(mark, tone), `${visible(where).padEnd(WHERE_COLUMNS)} `, span(`${of}${visible(what)}`, words));
}

/** "applied once in the surviving history by sum, up to checkpoint 12, the last completed". */
function appliedLine({ applied, upTo }: RecordLife): Line {
  if (upTo === null) return line(span("  no checkpoint completed: nothing of it is certain", "warn"));
  const until = `up to checkpoint ${upTo}, the last completed`;
  if (applied.length === 0) return line(`  no operator with keyed state got it, ${until}`);
  const isWrong = applied.some(({ isRight }) => isRight === false);
  const said = applied.map(appliedText).join("; ");
  return line(span(isWrong ? "! " : "  "), span(`in the surviving history, ${said}`, isWrong ? "bad" : "strong"), `, ${until}`);
}

function appliedText({ operator, times, late, isRight }: Applied): string {
  const often = times === 1 ? "once" : counted(times, "time");
  const aside = late === 0 ? "" : ` and late ${late === 1 ? "once" : `${grouped(late)} times`}`;
  return `${visible(operator)} applied it ${often}${aside}${isRight === false ? " (once is right)" : ""}`;
}
