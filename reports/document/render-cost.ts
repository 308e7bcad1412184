import { grouped, table } from "../text/format.ts";
import { plainPaint, type Paint } from "../text/paint.ts";
import { visible } from "../text/visible.ts";
import type { CostDocument, CostGap, CostIncident, CostRow, MedianAndLast, RecoveryCost } from "./cost-document.ts";
import { COST_INCIDENTS } from "./cost-document.ts";

const INCIDENT_NAMES: Readonly<Record<CostIncident, string>> = {
  "process-crash": "after the crash of a worker's process",
  "disk-lost": "after the same crash, with the disk of its host lost",
  "host-replaced": "after the loss of its host, which an empty one replaces",
};

/** The tables for people. */
export function renderCost(document: CostDocument, paint: Paint = plainPaint): string {
  const { tool, scenario, parallelism, seed, afterCheckpoints, rows, notMeasured } = document;
  const lines = [
    `${paint("bold", `whitewater ${tool}`)}  cost of ${visible(scenario)}  parallelism ${parallelism}  seed ${seed}`,
    `virtual time; one incident, when ${afterCheckpoints} checkpoints have completed`,
  ];
  if (rows.length > 0) {
    lines.push("", paint("bold", "checkpoints"), ...checkpointTable(rows));
    for (const incident of COST_INCIDENTS) {
      lines.push("", paint("bold", `restore ${INCIDENT_NAMES[incident]}`), ...recoveryTable(rows, incident));
    }
  }
  if (notMeasured.length > 0) lines.push("", "not measured:", ...gapTable(notMeasured));
  return `${lines.join("\n")}\n`;
}

/** The pairs of each reason. */
function gapTable(gaps: readonly CostGap[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const { backend, strategy, reason } of gaps) {
    byReason.set(reason, [...(byReason.get(reason) ?? []), `${backend}/${strategy}`]);
  }
  return table([...byReason].map(([reason, pairs]) => [`  ${visible(reason)}:`, pairs.join(", ")]), 2);
}

function checkpointTable(rows: readonly CostRow[]): string[] {
  const head = ["backend", "strategy", "taken", "bytes: median", "last", "ms: median", "last"];
  const body = rows.map(({ backend, strategy, checkpoints: { count, bytes, durationUs } }) => [
    backend,
    strategy,
    grouped(count),
    ...pair(bytes, grouped),
    ...pair(durationUs, milliseconds),
  ]);
  return table([head, ...body], 2);
}

function recoveryTable(rows: readonly CostRow[], incident: CostIncident): string[] {
  const head = ["backend", "strategy", "remote bytes", "requests", "local bytes", "files", "restore ms", "down ms"];
  const body = rows.map(({ backend, strategy, recoveries }) => [backend, strategy, ...recoveryCells(recoveries[incident])]);
  return table([head, ...body], 2);
}

function recoveryCells({ remoteBytes, requests, localBytes, files, restoreUs, downUs }: RecoveryCost): string[] {
  const counts = [remoteBytes, requests, localBytes, files].map(grouped);
  return [...counts, milliseconds(restoreUs), milliseconds(downUs)];
}

function pair({ median, last }: MedianAndLast, show: (value: number) => string): string[] {
  return [show(median), show(last)];
}

function milliseconds(us: number): string {
  return (us / 1000).toFixed(1);
}
