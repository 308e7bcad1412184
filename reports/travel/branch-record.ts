import { unreachable } from "../../engine/base/assert.ts";
import type { ScenarioSource } from "../catalog/scenario-source.ts";
import { recordFileName, recordOf, type RunRecord } from "../record/run-record.ts";
import type { Journey } from "./journey.ts";

/** How a run can be made again later: as a record, or why it cannot. */
export type Reproduction =
  | {
      readonly kind: "record";
      readonly record: RunRecord;
      /** "flights-9f3ac1d2.json". */
      readonly fileName: string;
    }
  | { readonly kind: "none"; readonly reason: string };

/** Where the scenario came from, and the version of whitewater. */
export interface RecordSource {
  readonly source: ScenarioSource;
  readonly tool: string;
}

/**
 * The record of a run that is travelled through, or of a branch with another plan; `whitewater replay <file>` makes
 * it again. A record says how a run begins and what its plan is, so other branches have none.
 */
export function reproductionOf(journey: Journey, { source, tool }: RecordSource): Reproduction {
  const reason = whyNot(journey);
  if (reason !== null) return { kind: "none", reason };
  const { request, tape } = journey;
  const { profile, fixed, maxSteps, checked } = request;
  const record = recordOf({ result: tape.result, checked, runs: 1, agreeing: 1 }, { tool, source, profile, fixed, maxSteps });
  return { kind: "record", record, fileName: recordFileName(record) };
}

function whyNot({ branch }: Journey): string | null {
  const change = branch?.change;
  if (change === undefined) return null;
  switch (change.kind) {
    case "plan":
      return null;
    case "restore":
      return `a record begins a run at its beginning, and this branch begins from checkpoint ${change.checkpointId}`;
    case "reseed":
      return `a record has one seed, and this branch goes on with another from step ${change.step}`;
    default:
      return unreachable(change, "whyNot");
  }
}
