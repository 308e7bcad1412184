/** Worlds, plans and oracles: for those who build on the simulator itself. */
export { Simulator, simulate } from "./simulate.ts";
export type { Preparation, PreparedRun } from "./prepared-run.ts";
export { World } from "./world/world.ts";
export type { EngineProcess, JobEnd, WorldOptions } from "./world/world.ts";
export { refusePlan } from "./faults/check-plan.ts";
export type { Fault, FaultKind, FaultOutcome, FaultPlan, Trigger } from "./faults/fault.ts";
export { combinationOf } from "./run-result.ts";
export type { Finding, Profile, RunRequest, RunResult, VerdictKind } from "./run-result.ts";
export type { Oracle, OracleContext, OracleKind, RunEnd } from "./oracles/oracle.ts";
export { traceKindName, traceKindOf } from "./trace/kinds.ts";
