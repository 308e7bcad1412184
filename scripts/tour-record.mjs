// Makes the record of the run that the guided tour walks through:
//
//     npm run build && node scripts/tour-record.mjs
//
// writes scenarios/tour/tour.json. Needed when the engine or the scenario changed what happens in that run; a test
// (test/scenarios/tour.test.ts) says when. What the texts of the tour claim is tested too.
import { writeFileSync } from "node:fs";
import { STEPS_LIMIT } from "../dist/engine/base/limits.js";
import { recordOf } from "../dist/reports/record/run-record.js";
import { judgePair } from "../dist/reports/sweep/run-seed.js";
import { toolVersion } from "../dist/reports/cli/version.js";
import { tour } from "../dist/scenarios/tour/tour.js";
import { simulate } from "../dist/simulator/simulate.js";

// One fault, between two checkpoints: nothing else is needed.
const plan = [{ id: "crash", kind: "process-crash", process: "worker-2", at: { on: "time", atUs: 2_000_000 } }];
const request = { seed: "1", profile: "calm", fixed: {}, plan, oracles: true, checked: false, restoreEvery: false, maxSteps: STEPS_LIMIT };

const run = judgePair(simulate(tour, request), simulate(tour, request), false);
const source = { kind: "library", name: tour.name, input: null };
const record = recordOf(run, { tool: toolVersion(), source, profile: request.profile, fixed: request.fixed, maxSteps: request.maxSteps });
writeFileSync(new URL("../scenarios/tour/tour.json", import.meta.url), `${JSON.stringify(record, null, 2)}\n`);
console.log(`${record.verdict}, digest ${record.digest}: scenarios/tour/tour.json`);
