import { StreamExecutionEnvironment } from "#whitewater/engine/api/environment.js";
import { buildJobGraph } from "#whitewater/engine/graph/build-job-graph.js";
import type { JobVertex } from "#whitewater/engine/graph/job-graph.js";
import type { OperatorChain } from "#whitewater/engine/operators/operator-chain.js";
import { createChain } from "#whitewater/engine/operators/operator-chain.js";
import { HeapKeyedBackend } from "#whitewater/engine/state/backends/heap/heap-keyed-backend.js";
import { OperatorStateBackend } from "#whitewater/engine/state/operator-state-backend.js";
import { FakeProcess } from "./fake-process.ts";

/** [sideOutput or "out", value, timestamp] of everything that left the chain. */
export type Emitted = readonly [output: string, value: unknown, timestampMs: number];

export interface Harness {
  readonly chain: OperatorChain;
  readonly process: FakeProcess;
  readonly emitted: Emitted[];
  readonly failures: string[];
  /** List state by operator name, as a snapshot would keep it. */
  readonly lists: Map<string, Map<string, readonly unknown[]>>;
}

export interface HarnessOptions {
  readonly process?: FakeProcess;
  readonly lists?: Map<string, Map<string, readonly unknown[]>>;
  readonly subtaskIndex?: number;
}

/** The chain of the vertex whose head has that name, with its edges leading into a list; not yet opened. */
export function chainOf(
  head: string,
  job: (env: StreamExecutionEnvironment) => void,
  options: HarnessOptions = {},
): Harness {
  const env = StreamExecutionEnvironment.create();
  job(env);
  const vertex = buildJobGraph(env.execute("job")).vertices.find((one) => one.chain[0]?.name === head);
  if (vertex === undefined) throw new Error(`no vertex begins with ${head}`);
  return build(vertex, options);
}

function build(vertex: JobVertex, options: HarnessOptions): Harness {
  const process = options.process ?? new FakeProcess();
  const emitted: Emitted[] = [];
  const failures: string[] = [];
  const isRestored = (options.lists?.size ?? 0) > 0;
  const lists = options.lists ?? new Map<string, Map<string, readonly unknown[]>>();
  const chain = createChain(vertex, {
    ports: process.ports,
    subtaskIndex: options.subtaskIndex ?? 0,
    parallelism: vertex.parallelism,
    maxParallelism: 128,
    attempt: 1,
    highestParallelism: vertex.parallelism,
    restoredFrom: () => (isRestored ? 1 : null),
    edgeWriter: (edge) => ({
      write: (value, timestampMs) => void emitted.push([edge.sideOutput ?? "out", value, timestampMs]),
    }),
    keyedBackend: () =>
      new HeapKeyedBackend({ range: { start: 0, end: 127 }, maxParallelism: 128, tieBreak: { below: () => 0 } }),
    listState: (node) => {
      const own = lists.get(node.name) ?? new Map<string, readonly unknown[]>();
      lists.set(node.name, own);
      const state = new OperatorStateBackend();
      return {
        listState: (descriptor) => state.listState(descriptor),
        unionListState: (descriptor) => state.unionListState(descriptor),
        broadcastState: (descriptor) => state.broadcastState(descriptor),
        get: (name) => own.get(name) ?? [],
        update: (name, values) => void own.set(name, values),
        bytes: () => new Uint8Array(),
        restore: () => undefined,
        restoredBytes: () => new Uint8Array(),
      };
    },
    subjectOf: (node) => node.id,
    fail: (message) => void failures.push(message),
  });
  return { chain, process, emitted, failures, lists };
}

/** Opened and past its restore. */
export function openChainOf(
  head: string,
  job: (env: StreamExecutionEnvironment) => void,
  options: HarnessOptions = {},
): Harness {
  const harness = chainOf(head, job, options);
  harness.chain.open();
  harness.chain.restoreExternal((error) => {
    if (error !== null) throw new Error(error);
  });
  harness.process.advance(10_000);
  return harness;
}
