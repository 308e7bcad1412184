import { libraryScenarios } from "../catalog/load-scenario.ts";
import { table } from "../text/format.ts";
import { visible, visibleJson } from "../text/visible.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Host } from "./host.ts";

/** `whitewater list`. */
export async function listCommand(json: boolean, host: Host): Promise<ExitCode> {
  const scenarios = await libraryScenarios();
  if (json) {
    const rows = scenarios.map(({ name, title, doc, parallelisms, confluent, sometimes, budget }) => ({
      name,
      title,
      doc,
      parallelisms,
      confluent,
      sometimes,
      faults: budget.most,
    }));
    host.stdout.write(`${visibleJson(JSON.stringify(rows, null, 2))}\n`);
    return EXIT.ok;
  }
  const rows = scenarios.map(({ name, title }) => [visible(name), visible(title)]);
  host.stdout.write(`${table(rows, 2).join("\n")}\n`);
  return EXIT.ok;
}
