import { invariant } from "../../engine/base/assert.ts";
import { NO_LIBRARIES } from "../../engine/state/backends/state-libraries.ts";
import { committedOutputOracle } from "../oracles/committed-output.ts";
import { DATA_ORACLES } from "../oracles/data-oracles.ts";
import { notificationsOracle } from "../oracles/notifications.ts";
import type { OracleKind } from "../oracles/oracle.ts";
import { PROTOCOL_ORACLES } from "../oracles/protocol-oracles.ts";
import { referentialIntegrityOracle } from "../oracles/referential-integrity.ts";
import { survivingHistoryOracle } from "../oracles/surviving-history.ts";
import type { Beginning, PreparedRun } from "../prepared-run.ts";
import { Run } from "../prepared-run.ts";
import type { RunRequest } from "../run-result.ts";
import type { Scenario } from "../scenario.ts";
import type { Simulator } from "../simulate.ts";
import type { RepeatableRun } from "./repeatable-run.ts";

/** An oracle that has no say in a run, and why. */
export interface Unjudged {
  readonly oracle: string;
  readonly reason: string;
}

/** A run that does not begin at its beginning. */
export interface RestoredRun extends RepeatableRun {
  readonly unjudged: readonly Unjudged[];
}

/**
 * A fresh cluster, with empty disks and nothing in memory, that begins where a checkpoint completed: it restores that
 * checkpoint, and goes on undisturbed, without faults and with mean latencies. The request is that of the run that
 * took the checkpoint: job, options and input are the same.
 */
export function restoredRun(simulator: Simulator, request: RunRequest, beginning: Beginning): RestoredRun {
  const { scenario } = simulator;
  const unjudged = unjudgedIn(scenario);
  const blind = new Set(unjudged.map(({ oracle }) => oracle));
  const oracles = [...DATA_ORACLES, ...PROTOCOL_ORACLES].filter(({ name }) => !blind.has(name));
  const begin = (judging: readonly OracleKind[]): PreparedRun => {
    const { world, preparation } = prepared(simulator, request);
    world.release();
    const changed = { ...preparation, calm: true, plan: [], healAtUs: beginning.atUs, beginning };
    return new Run(scenario, request, changed, judging, world.options.libraries ?? NO_LIBRARIES);
  };
  return { unjudged, judged: () => begin(request.oracles ? oracles : []), plain: () => begin([]) };
}

/** Of the first run only what it was made of is wanted. */
function prepared(simulator: Simulator, request: RunRequest): PreparedRun {
  const run = simulator.rehearse(request);
  invariant(!("verdict" in run), "a run that took a checkpoint was accepted");
  return run;
}

/** What these oracles go by happened before the run begins. */
function unjudgedIn({ confluent }: Scenario): readonly Unjudged[] {
  const unjudged: Unjudged[] = [
    { oracle: survivingHistoryOracle.name, reason: "it follows every record from the beginning" },
    { oracle: notificationsOracle.name, reason: "earlier checkpoints name transactions that are committed now" },
    { oracle: referentialIntegrityOracle.name, reason: "files of checkpoints that were pending then are nobody's" },
  ];
  if (!confluent) unjudged.push({ oracle: committedOutputOracle.name, reason: "what it expects comes from the surviving history" });
  return unjudged;
}
