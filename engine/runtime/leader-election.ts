import { invariant } from "../base/assert.ts";
import type { TimeUs } from "../base/units.ts";
import { US_PER_MS } from "../base/units.ts";
import { readRegister, writeRegister } from "../checkpoint/register-writer.ts";
import type { Fence } from "../ports/coordination.ts";
import type { ProcessPorts } from "../ports/process-ports.ts";

export interface Leader {
  readonly address: string;
  readonly epoch: number;
}

export function leaderKey(jobId: string): string {
  return `${jobId}/leader`;
}

export function leaseOf(jobId: string): string {
  return `${jobId}/leadership`;
}

/** The leader as published, or null where none was yet. */
export function parseLeader(value: string | null): Leader | null {
  return value === null ? null : (JSON.parse(value) as Leader);
}

export interface ElectionListener {
  granted(fence: Fence): void;
  /** The lease is gone, or can no longer be trusted. Nothing may be written under this fence any more. */
  revoked(): void;
}

/**
 * Campaigns for the leadership of a job, for as long as the process lives: acquires the lease, publishes
 * the address, renews at a third of the lease's life, and gives up by its own clock when renewing did not
 * succeed for a whole life (somebody else may lead by then).
 */
export class LeaderElection {
  readonly #ports: ProcessPorts;
  readonly #jobId: string;
  readonly #leaseTtlUs: number;
  readonly #listener: ElectionListener;
  #fence: Fence | null = null;
  #confirmedUs: TimeUs = 0;
  #retired = false;

  constructor(ports: ProcessPorts, jobId: string, leaseTtlMs: number, listener: ElectionListener) {
    invariant(leaseTtlMs > 0, "a lease lives for a while");
    this.#ports = ports;
    this.#jobId = jobId;
    this.#leaseTtlUs = leaseTtlMs * US_PER_MS;
    this.#listener = listener;
  }

  campaign(): void {
    if (this.#retired) return;
    const askedUs = this.#ports.clock.nowUs();
    this.#ports.coordination.acquireLease(leaseOf(this.#jobId), this.#leaseTtlUs, (reply) => {
      if (!reply.ok) {
        this.#ports.scheduler.after(Math.floor(this.#leaseTtlUs / 3), () => this.campaign());
        return;
      }
      const fence: Fence = { lease: leaseOf(this.#jobId), epoch: reply.value };
      this.#fence = fence;
      this.#confirmedUs = askedUs;
      this.#renewLater(fence);
      this.#publish(fence);
    });
  }

  /** The job is over: lets the lease go and does not campaign again. */
  retire(): void {
    this.#retired = true;
    const fence = this.#fence;
    this.#fence = null;
    if (fence !== null) this.#ports.coordination.releaseLease(fence, () => undefined);
  }

  /** Somebody noticed that this leader was deposed. */
  stepDown(): void {
    if (this.#fence === null) return;
    this.#fence = null;
    this.#listener.revoked();
    if (!this.#retired) this.#ports.scheduler.after(Math.floor(this.#leaseTtlUs / 3), () => this.campaign());
  }

  #publish(fence: Fence): void {
    const isWanted = (): boolean => this.#fence === fence;
    const key = leaderKey(this.#jobId);
    const leader: Leader = { address: this.#ports.self, epoch: fence.epoch };
    readRegister(this.#ports, key, isWanted, (register) => {
      const write = { key, expectedVersion: register.version, value: JSON.stringify(leader), fence };
      writeRegister(this.#ports, write, isWanted, (outcome) => {
        if (outcome.kind === "written") this.#listener.granted(fence);
        else if (outcome.kind === "fenced") this.stepDown();
        else this.#publish(fence);
      });
    });
  }

  #renewLater(fence: Fence): void {
    this.#ports.scheduler.after(Math.floor(this.#leaseTtlUs / 3), () => {
      if (this.#fence !== fence) return;
      if (this.#ports.clock.nowUs() - this.#confirmedUs >= this.#leaseTtlUs) {
        this.stepDown();
        return;
      }
      const askedUs = this.#ports.clock.nowUs();
      this.#ports.coordination.renewLease(fence, this.#leaseTtlUs, (reply) => {
        if (this.#fence !== fence) return;
        if (reply.ok) this.#confirmedUs = askedUs;
        else if (reply.code === "fenced") this.stepDown();
      });
      this.#renewLater(fence);
    });
  }
}
