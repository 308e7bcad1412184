import type { BugOutcome, CleanOutcome } from "./hunts.ts";

/** True if every bug was found and the clean engine kept silent. */
export function isGood(outcomes: readonly BugOutcome[], clean: readonly CleanOutcome[]): boolean {
  return outcomes.every(({ hunt }) => hunt.found !== null) && clean.every(({ outOfTime, sightings }) => !outOfTime && sightings.length === 0);
}

/** One line a bug, then one line a scenario of the clean engine. */
export function asTable(outcomes: readonly BugOutcome[], clean: readonly CleanOutcome[]): string {
  const rows = outcomes.map(({ bug, hunt, seeds }) => [
    bug.id,
    bug.flink ?? "",
    hunt.found?.oracle ?? (hunt.outOfTime ? "OUT OF TIME" : "NOT FOUND"),
    hunt.found === null ? `> ${seeds}` : String(seeds),
    String(hunt.runs),
    String(hunt.milliseconds),
  ]);
  const silence = clean.map(({ scenario, backend, seeds, runs, milliseconds, outOfTime, sightings }) => [
    `clean engine, ${scenario}${backend === null || scenario.includes(backend) ? "" : ` on ${backend}`}`,
    "",
    outOfTime ? "OUT OF TIME" : sightings[0] === undefined ? "silent" : `REPORTED ${sightings[0].oracle}`,
    sightings[0] === undefined ? String(seeds) : `at ${sightings[0].seed}`,
    String(runs),
    String(milliseconds),
  ]);
  const head = ["planted bug", "Flink", "seen by", "seeds", "runs", "ms"];
  const all = [head, ...rows, ...silence];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  ");
  const rule = "-".repeat(line(head).length);
  const found = outcomes.filter(({ hunt }) => hunt.found !== null).length;
  const loud = clean.filter(({ sightings }) => sightings.length > 0).length;
  const noise = loud === 0 ? "silent" : `loud in ${loud} of ${clean.length} scenarios`;
  return [
    line(head),
    rule,
    ...rows.map(line),
    rule,
    ...silence.map(line),
    "",
    `${found} of ${outcomes.length} planted bugs found; the clean engine is ${noise} on the same seeds`,
    ...details(outcomes, clean).map((text) => `  ${text}`),
    "",
  ].join("\n");
}

/** What went wrong with the proof itself. */
function details(outcomes: readonly BugOutcome[], clean: readonly CleanOutcome[]): string[] {
  const texts: string[] = [];
  for (const { bug, hunt } of outcomes) {
    if (hunt.found !== null) continue;
    texts.push(`not found: ${bug.id} (${bug.symptom}); expected from ${bug.noticedBy.join(", ")}`);
    for (const other of hunt.others.slice(0, 3)) texts.push(`  seed ${other.seed}, ${other.oracle}: ${other.message}`);
  }
  for (const { scenario, sightings } of clean) {
    for (const one of sightings) texts.push(`clean ${scenario}@${one.seed}, ${one.oracle}: ${one.message}`);
  }
  return texts;
}

export function asJson(outcomes: readonly BugOutcome[], clean: readonly CleanOutcome[]): string {
  const bugs = outcomes.map(({ bug, hunt, seeds }) => ({
    id: bug.id,
    flink: bug.flink,
    symptom: bug.symptom,
    oracle: hunt.found?.oracle ?? null,
    scenario: hunt.found?.scenario ?? null,
    seed: hunt.found?.seed ?? null,
    message: hunt.found?.message ?? null,
    seeds,
    runs: hunt.runs,
    milliseconds: hunt.milliseconds,
  }));
  return `${JSON.stringify({ good: isGood(outcomes, clean), bugs, clean }, null, 2)}\n`;
}
