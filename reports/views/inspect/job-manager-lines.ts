import { counted, grouped, seconds } from "../../text/format.ts";
import { visible } from "../../text/visible.ts";
import type { Line, Tone } from "../line.ts";
import { line, span } from "../line.ts";
import type { JobManagerFacts, LeadershipFacts, PendingFacts, RegionFacts, TermFacts } from "./job-manager-facts.ts";

export function jobManagerLines(facts: LeadershipFacts): readonly Line[] {
  const { leaseHolder, leaseEpoch, leaseExpiresAtUs, published, jobStatus, jobManagers } = facts;
  const lease = leaseHolder === null ? span(`nobody holds the lease (latest epoch ${leaseEpoch})`, "warn") : span(`${visible(leaseHolder)} holds the lease, epoch ${leaseEpoch}`, "good");
  const lines: Line[] = [
    line(leaseHolder === null ? "! " : "  ", span("leadership", "strong"), "  ", lease, leaseExpiresAtUs === null ? "" : `, until ${seconds(leaseExpiresAtUs)} unless renewed`),
    line("    ", published === null ? "no leader was published yet" : `published for workers: ${visible(published.address)}, epoch ${published.epoch}`),
  ];
  if (jobStatus !== null) lines.push(line("  ", span(`the job ended: ${jobStatus}`, jobStatus === "finished" ? "good" : "bad")));
  for (const one of jobManagers) lines.push(line(""), ...oneLines(one));
  return lines;
}

function oneLines({ name, incarnation, isAlive, isLeading, term }: JobManagerFacts): readonly Line[] {
  const role = !isAlive ? span("dead", "bad") : isLeading ? span("leads", "good") : span("stands by", "plain");
  const lines: Line[] = [line(isAlive ? "  " : "! ", span(visible(name), "strong"), "  ", role, `  incarnation ${incarnation}`)];
  if (term === null) return lines;
  if (!isLeading) lines.push(line("    ", span(`what follows is of its last term, epoch ${term.epoch}`, "warn")));
  return [...lines, ...jobLines(term), ...checkpointLines(term)];
}

const TROUBLE: ReadonlySet<string> = new Set(["failing", "restarting", "failed", "cancelled"]);

function jobLines({ epoch, phase, lastFailure, parallelism, workers, regions, restarts, backoff }: TermFacts): readonly Line[] {
  const tone: Tone = phase === "running" || phase === "finished" ? "good" : TROUBLE.has(phase) ? "bad" : "warn";
  const wanted = parallelism === null ? "" : `, asked to run with parallelism ${parallelism}`;
  const lines: Line[] = [line(TROUBLE.has(phase) ? "! " : "  ", "  job ", span(phase, tone), `  epoch ${epoch}${wanted}`)];
  if (lastFailure !== null) lines.push(line("! ", "  last failure  ", span(visible(lastFailure), "bad")));
  const tolerated = backoff.tolerated === null ? "any number" : String(backoff.tolerated);
  const delay = backoff.delayMs === null ? "" : `, next after ${grouped(backoff.delayMs)} ms`;
  lines.push(line("  ", `  restarts ${restarts} in this term; ${backoff.strategy}: ${counted(backoff.failures, "failure")} of ${tolerated} tolerated${delay}`));
  for (const { worker, incarnation, slots, lastSeenUs, held } of workers) {
    const copies = held.length === 0 ? "" : `, copies of ${held.join(", ")}`;
    lines.push(line("  ", `  worker ${visible(worker)}  incarnation ${incarnation}, ${counted(slots, "slot")}, last seen ${seconds(lastSeenUs)}${copies}`));
  }
  if (workers.length === 0) lines.push(line("! ", span("  no worker is registered", "warn")));
  regions.forEach((region, index) => lines.push(...regionLines(region, regions.length === 1 ? "tasks" : `region ${index}`)));
  return lines;
}

function regionLines({ phase, attempt, tasks }: RegionFacts, title: string): readonly Line[] {
  const byWorker = new Map<string, string[]>();
  for (const { task, worker, state } of tasks) {
    const texts = byWorker.get(worker) ?? [];
    byWorker.set(worker, texts);
    // A leader knows no more of a task that runs than that it was initialized.
    texts.push(`${visible(task)}${phase === "running" && state === "initialized" ? "" : ` ${state}`}`);
  }
  const lines: Line[] = [line("  ", `  ${title}  `, span(phase, TROUBLE.has(phase) ? "bad" : "plain"), attempt === null ? "" : `  attempt ${attempt}`)];
  for (const [worker, texts] of byWorker) lines.push(line("  ", `    ${visible(worker)}: ${texts.join(", ")}`));
  return lines;
}

function checkpointLines({ nextCheckpointId, failures, tolerableFailures, queuedRequests, pending, retained, leaving, sharedFiles, aborted }: TermFacts): readonly Line[] {
  const failed = failures === null ? "nothing is deployed" : `${counted(failures, "failure")} in a row, ${tolerableFailures ?? 0} tolerated`;
  const queued = queuedRequests === 0 ? "" : `, ${counted(queuedRequests, "request")} waiting`;
  const lines: Line[] = [line("  ", "  ", span("checkpoints", "strong"), `  next id ${nextCheckpointId}, ${failed}${queued}`)];
  for (const one of pending) lines.push(...pendingLines(one));
  for (const { checkpointId, kind, attempt, triggeredAtUs, files, sizeBytes } of retained) {
    lines.push(line("  ", `    ${kind} ${checkpointId}  `, span("completed", "good"), `  triggered ${seconds(triggeredAtUs)}, attempt ${attempt}, ${counted(files, "file")}, ${grouped(sizeBytes)} bytes`));
  }
  for (const id of leaving) lines.push(line("- ", `    checkpoint ${id}  `, span("leaving: its record is being removed", "dim")));
  for (const { checkpointId, atUs, reason } of aborted) lines.push(line("x ", span(`    checkpoint ${checkpointId}  given up at ${seconds(atUs)}: ${reason}`, "dim")));
  if (sharedFiles > 0) lines.push(line("  ", `    ${counted(sharedFiles, "shared file")} in the registry`));
  return lines;
}

function pendingLines(facts: PendingFacts): readonly Line[] {
  const { checkpointId, kind, stop, requestId, triggeredAtUs, isCommitting, acknowledged, missing, finished } = facts;
  const purpose = `${stop === null ? "" : ` to ${stop}`}${requestId === null ? "" : ` for ${visible(requestId)}`}`;
  const state = isCommitting ? "all acknowledged, its record is being written" : `pending, ${missing.length} of ${acknowledged.length + missing.length} missing`;
  const lines: Line[] = [line("* ", `    ${kind} ${checkpointId}${purpose}  `, span(state, "changed"), `  triggered ${seconds(triggeredAtUs)}`)];
  for (const { task, atUs, sizeBytes, sharedFiles, inputEnded } of acknowledged) {
    const shared = sharedFiles === 0 ? "" : `, ${counted(sharedFiles, "shared file")}`;
    const ended = inputEnded ? ", its input had ended" : "";
    lines.push(line("  ", `      ${visible(task)}  `, span("acknowledged", "good"), `${atUs === null ? "" : ` ${seconds(atUs)}`}, ${grouped(sizeBytes)} bytes${shared}${ended}`));
  }
  for (const { task, stage, sinceUs } of missing) lines.push(line("? ", `      ${visible(task)}  `, span("missing", "warn"), `  ${stage}, since ${seconds(sinceUs)}`));
  if (finished.length > 0) lines.push(line("  ", span(`      finished before: ${finished.map(visible).join(", ")}`, "dim")));
  return lines;
}
