import type { TimeUs } from "../../engine/base/units.ts";
import { NO_CHECKPOINT } from "../../engine/base/units.ts";
import { TRACE } from "../../engine/ports/tracer.ts";
import type { Fault } from "../../simulator/faults/fault.ts";
import type { Finding } from "../../simulator/run-result.ts";
import type { RunTape } from "../../simulator/timetravel/run-tape.ts";
import { PORT_TRACE } from "../../simulator/trace/kinds.ts";
import { CheckpointBook } from "./checkpoint-book.ts";
import type { CheckpointSpan } from "./checkpoint-span.ts";

/** Something that happened at one moment. */
export interface Mark {
  readonly step: number;
  readonly atUs: TimeUs;
}

export interface FaultMark extends Mark {
  /** Number in the plan. */
  readonly index: number;
  readonly fault: Fault;
  /** The subject of the trace point that it struck at; null: it struck at a time. */
  readonly subject: string | null;
}

/** A leader restarts (regions of) the job. */
export interface RestartMark extends Mark {
  readonly leader: string;
  /** How many this leader made, with this one. */
  readonly number: number;
}

/** An attempt of a failover region (of the whole job, where it has one), from its deployment on. */
export interface DeploymentMark extends Mark {
  readonly attempt: number;
  readonly leader: string;
  /** What it starts from; null: nothing. */
  readonly checkpointId: number | null;
  readonly runningStep: number | null;
  readonly failingStep: number | null;
  /** For its leader every task of it is dead. */
  readonly deadStep: number | null;
}

export interface LeaderMark extends Mark {
  readonly leader: string;
  readonly epoch: number;
  /** It was deposed, or its process ended. */
  readonly lostStep: number | null;
}

/** Something went away: a process or its host, or a host's disk. */
export interface DeathMark extends Mark {
  readonly what: "process crash" | "process stop" | "host crash" | "disk loss";
  readonly subject: string;
}

export interface FindingMark extends Mark {
  /** Number in the result. */
  readonly index: number;
  readonly finding: Finding;
}

/** What a run consists of, found in one pass over its tape. Every list is in the order of steps. */
export interface RunIndex {
  readonly tape: RunTape;
  readonly checkpoints: readonly CheckpointSpan[];
  /** Those that fired. */
  readonly faults: readonly FaultMark[];
  readonly restarts: readonly RestartMark[];
  readonly deployments: readonly DeploymentMark[];
  readonly leaders: readonly LeaderMark[];
  readonly deaths: readonly DeathMark[];
  readonly findings: readonly FindingMark[];
  /** The job goes on as its next version. */
  readonly versions: readonly Mark[];
  /** How the job ended, as its leader said; null where it did not. */
  readonly end: (Mark & { readonly status: "finished" | "failed" | "cancelled" }) | null;
  /** By subject ("sum[1]", "jm-1"): the numbers of its trace points, ascending. */
  readonly subjects: ReadonlyMap<string, readonly number[]>;
}

const INDEXES = new WeakMap<RunTape, RunIndex>();

/** Made when first asked for. */
export function runIndexOf(tape: RunTape): RunIndex {
  const known = INDEXES.get(tape);
  if (known !== undefined) return known;
  const index = new IndexBuilder(tape).build();
  INDEXES.set(tape, index);
  return index;
}

type Growing<T> = { -readonly [Field in keyof T]: T[Field] };

const ENDS: Readonly<Record<number, "finished" | "failed" | "cancelled">> = {
  [TRACE.jobFinished]: "finished",
  [TRACE.jobFailed]: "failed",
  [TRACE.jobCancelled]: "cancelled",
};

const DEATHS: Readonly<Record<number, DeathMark["what"]>> = {
  [PORT_TRACE.processCrashed]: "process crash",
  [PORT_TRACE.processStopped]: "process stop",
  [PORT_TRACE.hostCrashed]: "host crash",
  [PORT_TRACE.diskLost]: "disk loss",
};

class IndexBuilder {
  readonly #tape: RunTape;
  readonly #book: CheckpointBook;
  readonly #subjects = new Map<string, number[]>();
  readonly #faults: FaultMark[] = [];
  readonly #restarts: RestartMark[] = [];
  readonly #deployments: Growing<DeploymentMark>[] = [];
  readonly #leaders: Growing<LeaderMark>[] = [];
  readonly #deaths: DeathMark[] = [];
  readonly #versions: Mark[] = [];
  #end: RunIndex["end"] = null;

  constructor(tape: RunTape) {
    this.#tape = tape;
    this.#book = new CheckpointBook(tape);
  }

  build(): RunIndex {
    const tape = this.#tape;
    for (let step = 0; step <= tape.steps; step += 1) {
      for (let point = tape.firstPointOf(step); point < tape.endOf(step); point += 1) this.#add(point, step);
    }
    return {
      tape,
      checkpoints: this.#book.spans,
      faults: this.#faults,
      restarts: this.#restarts,
      deployments: this.#deployments,
      leaders: this.#leaders,
      deaths: this.#deaths,
      findings: findingsOf(tape),
      versions: this.#versions,
      end: this.#end,
      subjects: this.#subjects,
    };
  }

  #add(point: number, step: number): void {
    const tape = this.#tape;
    const subject = tape.subjectOf(point);
    const list = this.#subjects.get(subject);
    if (list === undefined) this.#subjects.set(subject, [point]);
    else list.push(point);
    this.#book.add(point, step);
    const kind = tape.kindOf(point);
    this.#addOfJob(kind, subject, tape.xOf(point), tape.yOf(point), step);
    this.#addOfWorld(kind, subject, tape.xOf(point), step);
  }

  #addOfJob(event: number, leader: string, x: number, y: number, step: number): void {
    const atUs = this.#tape.timeUsOf(step);
    switch (event) {
      case TRACE.leadershipGained:
        this.#leaders.push({ step, atUs, leader, epoch: x, lostStep: null });
        return;
      case TRACE.leadershipLost:
        this.#leaderGone(leader, step);
        return;
      case TRACE.jobRestarting:
        this.#restarts.push({ step, atUs, leader, number: x });
        return;
      case TRACE.jobDeploying:
        this.#deployments.push({ step, atUs, attempt: x, leader, checkpointId: y === NO_CHECKPOINT ? null : y, runningStep: null, failingStep: null, deadStep: null });
        return;
      case TRACE.jobRunning:
        this.#ofAttempt(x, (one) => (one.runningStep ??= step));
        return;
      case TRACE.jobFailing:
        this.#ofAttempt(x, (one) => (one.failingStep ??= step));
        return;
      case TRACE.attemptDead:
        this.#ofAttempt(x, (one) => (one.deadStep ??= step));
        return;
      default: {
        const status = ENDS[event];
        if (status !== undefined) this.#end = { step, atUs, status };
      }
    }
  }

  #addOfWorld(kind: number, subject: string, x: number, step: number): void {
    const atUs = this.#tape.timeUsOf(step);
    if (kind === PORT_TRACE.faultFired) {
      const fault = this.#tape.result.plan[x];
      if (fault !== undefined) this.#faults.push({ step, atUs, index: x, fault, subject: fault.at.on === "time" ? null : subject });
    } else if (kind === PORT_TRACE.versionStarted) {
      this.#versions.push({ step, atUs });
    } else {
      const what = DEATHS[kind];
      if (what === undefined) return;
      this.#deaths.push({ step, atUs, what, subject });
      this.#leaderGone(subject, step);
    }
  }

  #leaderGone(name: string, step: number): void {
    for (const one of this.#leaders) if (one.leader === name) one.lostStep ??= step;
  }

  #ofAttempt(attempt: number, change: (deployment: Growing<DeploymentMark>) => void): void {
    const deployment = this.#deployments.findLast((one) => one.attempt === attempt);
    if (deployment !== undefined) change(deployment);
  }
}

/** What is found after the last step counts as found in it. */
export function findingsOf({ result, steps }: Pick<RunTape, "result" | "steps">): readonly FindingMark[] {
  const marks = result.findings.map((finding, index) => ({ step: Math.min(finding.step, steps), atUs: finding.atUs, index, finding }));
  return marks.sort((left, right) => left.step - right.step || left.index - right.index);
}
