import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { CATALOGUE, bugNamed } from "./catalogue.ts";
import { checkClean, huntAll } from "./hunts.ts";
import { StaleBugError, mutatedModules } from "./mutated-engine.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { asJson, asTable, isGood } from "./report.ts";

const USAGE = `Plants known bugs in the engine, one at a time, and shows that a sweep finds them.

  --bug ID    only this one (repeatable)
  --json      the result as JSON
  --list      the catalogue
`;

function chosen(ids: readonly string[]): readonly PlantedBug[] {
  if (ids.length === 0) return CATALOGUE;
  return ids.map((id) => {
    const bug = bugNamed(id);
    if (bug === null) throw new RangeError(`there is no planted bug "${id}"; --list shows them`);
    return bug;
  });
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      bug: { type: "string", multiple: true, default: [] },
      json: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (values.list) {
    for (const { id, flink, symptom } of CATALOGUE) process.stdout.write(`${id}${flink === null ? "" : ` (${flink})`}: ${symptom}\n`);
    return 0;
  }
  const jobs = availableParallelism();
  const bugs = chosen(values.bug);
  // Nothing is hunted before every edit is known to fit.
  for (const bug of bugs) mutatedModules(bug);
  let over = 0;
  const outcomes = await huntAll(bugs, jobs, ({ bug, hunt }) => {
    over += 1;
    if (process.stderr.isTTY) process.stderr.write(`${over}/${bugs.length} ${bug.id}: ${hunt.found?.oracle ?? "not found"}\n`);
  });
  const clean = await checkClean(outcomes, jobs);
  process.stdout.write(values.json ? asJson(outcomes, clean) : asTable(outcomes, clean));
  return isGood(outcomes, clean) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage = error instanceof RangeError || (error instanceof TypeError && "code" in error);
  if (!isUsage && !(error instanceof StaleBugError)) throw error;
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
