import type { Fence } from "../ports/coordination.ts";
import type { EngineTraceKind } from "../ports/tracer.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import type { EnginePorts } from "./task-manager.ts";

/** What the parts of a leader's term over a job have in common. Once it is over, none of them does anything. */
export class LeaderTerm {
  readonly ports: EnginePorts;
  readonly config: ClusterConfig;
  readonly fence: Fence;
  readonly subject: number;
  isActive: boolean = true;

  constructor(ports: EnginePorts, config: ClusterConfig, fence: Fence) {
    this.ports = ports;
    this.config = config;
    this.fence = fence;
    this.subject = ports.tracer.intern(ports.self);
  }

  /** A trace point of this leader. */
  point(kind: EngineTraceKind, x: number, y: number): void {
    this.ports.tracer.point(kind, this.subject, x, y);
  }
}
