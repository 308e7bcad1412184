import { loadScenario, scenarioSource } from "../catalog/load-scenario.ts";
import { costTable, type CostTableContext } from "../cost/cost-table.ts";
import type { Scenario } from "../../simulator/scenario.ts";
import type { CostDocument } from "../document/cost-document.ts";
import { renderCost } from "../document/render-cost.ts";
import { UsageError } from "../files/usage-error.ts";
import { visibleJson } from "../text/visible.ts";
import { paintFor } from "./colours.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Host } from "./host.ts";
import { toolVersion } from "./version.ts";

export interface RawCostOptions {
  readonly json?: boolean;
  readonly input?: string;
  readonly color: boolean;
}

const ERASE_LINE = "\r\u001b[K";

/** `whitewater cost`. */
export async function costCommand(name: string, raw: RawCostOptions, host: Host): Promise<ExitCode> {
  const { scenario } = await loadScenario(scenarioSource(name, raw.input ?? null, host.cwd));
  const { loadStateLibraries } = await import("../../scenarios/load-state-libraries.ts");
  const live = host.stderr.isTerminal;
  const document = measured(scenario, {
    tool: toolVersion(),
    libraries: await loadStateLibraries(),
    progress: (done, total) => {
      if (live) host.stderr.write(done === total ? ERASE_LINE : `${ERASE_LINE}cost: ${done} of ${total}`);
    },
  });
  const text = raw.json === true ? `${visibleJson(JSON.stringify(document, null, 2))}\n` : renderCost(document, paintFor(host, raw.color));
  host.stdout.write(text);
  return EXIT.ok;
}

/** A job that cannot be built is its author's to correct. */
function measured(scenario: Scenario, context: CostTableContext): CostDocument {
  try {
    return costTable(scenario, context);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "JobDefinitionError") throw error;
    throw new UsageError(`scenario ${scenario.name}`, error.message.replace(/\.$/, ""), "correct its job");
  }
}
