import { decode } from "../../../engine/base/codec.ts";
import { CorruptBytesError } from "../../../engine/base/byte-reader.ts";
import { PartitionedSourceOperator } from "../../../engine/operators/source-operator.ts";
import type { TransactionStatus } from "../../../engine/ports/external-log.ts";
import type { Segment } from "../../../simulator/hosts/log-partition.ts";
import type { World } from "../../../simulator/world/world.ts";
import { liveTasks } from "./live-tasks.ts";
import { originText } from "./operator-state.ts";
import { valueText } from "../value-text.ts";
import type { ListWindow, Windowed } from "./window.ts";
import { windowOf } from "./window.ts";

export interface InputPartitionFacts {
  readonly topic: string;
  readonly partition: number;
  readonly records: number;
  /** That can be read by now. */
  readonly arrived: number;
  /** Where the sources of the job stand that read it. */
  readonly readers: readonly { readonly task: string; readonly attempt: number; readonly offset: number }[];
}

/** "visible": a read-committed consumer sees it. "held back": committed, behind something undecided. */
export type RecordStatus = "visible" | "held back" | "open" | "prepared" | "aborted";

export interface LogRecordFacts {
  readonly offset: number;
  readonly status: RecordStatus;
  readonly value: string;
  readonly transactionId: string;
}

export interface OutputPartitionFacts {
  readonly topic: string;
  readonly partition: number;
  readonly endOffset: number;
  readonly lastStableOffset: number;
  readonly counts: Readonly<Record<RecordStatus, number>>;
  /** The latest last. */
  readonly records: Windowed<LogRecordFacts>;
}

export interface TransactionFacts {
  readonly transactionId: string;
  readonly producerId: string;
  /** Epoch of the producer that began it. */
  readonly epoch: number;
  readonly status: TransactionStatus;
  readonly records: number;
  readonly origin: string;
}

export interface ProducerFacts {
  readonly producerId: string;
  readonly counts: Readonly<Record<TransactionStatus, number>>;
}

export interface LogFacts {
  readonly inputs: readonly InputPartitionFacts[];
  readonly outputs: readonly OutputPartitionFacts[];
  readonly producers: readonly ProducerFacts[];
  /** Those that are undecided, the oldest first. */
  readonly pending: readonly TransactionFacts[];
}

/** `window`: of the records of each output partition, counted from its end; the filter looks at their values. */
export function logFacts(world: World, window: ListWindow): LogFacts {
  const { transactions } = world.log.inspect();
  const pending = transactions.filter(({ status }) => status === "open" || status === "prepared");
  return {
    inputs: inputFacts(world),
    outputs: outputFacts(world, window),
    producers: producerFacts(transactions),
    pending: pending.map((one): TransactionFacts => ({ ...one, origin: originText(one.transactionId) })),
  };
}

function inputFacts(world: World): readonly InputPartitionFacts[] {
  const readers = liveTasks(world).flatMap(({ task }) =>
    task.chain.operators.flatMap(({ node, operator }) => {
      if (node.kind !== "source" || !(operator instanceof PartitionedSourceOperator)) return [];
      // A source that reads a topic is called like it, also where it was wrapped.
      const { name } = node.source;
      return operator.inspectOffsets().map(({ partition, offset }) => ({ topic: name, partition, task: task.name, attempt: task.id.attempt, offset }));
    }),
  );
  return world.options.inputs.flatMap(({ topic, partitions }) =>
    partitions.map((records, partition) => ({
      topic,
      partition,
      records: records.length,
      arrived: records.filter(({ arrivesAtUs }) => arrivesAtUs <= world.nowUs).length,
      readers: readers.filter((one) => one.topic === topic && one.partition === partition).map(({ task, attempt, offset }) => ({ task, attempt, offset })),
    })),
  );
}

function outputFacts(world: World, window: ListWindow): readonly OutputPartitionFacts[] {
  return world.log.outputPartitions().map((one) => {
    const { topic, partition, endOffset, lastStableOffset } = one;
    const records = one.segments().flatMap((segment) => recordsOf(segment, lastStableOffset));
    const counts = { visible: 0, "held back": 0, open: 0, prepared: 0, aborted: 0 };
    for (const { status } of records) counts[status] += 1;
    return { topic, partition, endOffset, lastStableOffset, counts, records: latestOf(records, window) };
  });
}

interface RawRecord {
  readonly offset: number;
  readonly status: RecordStatus;
  readonly bytes: Uint8Array;
  readonly transactionId: string;
}

function recordsOf({ firstOffset, records, transaction: { status, transactionId } }: Segment, lastStableOffset: number): readonly RawRecord[] {
  return records.map((bytes, i) => {
    const offset = firstOffset + i;
    const shown = status === "committed" ? (offset < lastStableOffset ? "visible" : "held back") : status;
    return { offset, status: shown, bytes, transactionId };
  });
}

/** The newest matter most: offset 0 is the end. */
function latestOf(records: readonly RawRecord[], window: ListWindow): Windowed<LogRecordFacts> {
  const { items, ...rest } = windowOf(records.toReversed(), window, ({ bytes }) => recordText(bytes), ({ bytes, ...one }): LogRecordFacts => ({ ...one, value: recordText(bytes) }));
  return { ...rest, items: items.toReversed() };
}

/** The engine's sinks encode values by the structural codec; what others write may be anything. */
function recordText(bytes: Uint8Array): string {
  try {
    return valueText(decode(bytes));
  } catch (error) {
    if (error instanceof CorruptBytesError) return valueText(bytes);
    throw error;
  }
}

function producerFacts(transactions: readonly { readonly producerId: string; readonly status: TransactionStatus }[]): readonly ProducerFacts[] {
  const byId = new Map<string, Record<TransactionStatus, number>>();
  for (const { producerId, status } of transactions) {
    const counts = byId.get(producerId) ?? { open: 0, prepared: 0, committed: 0, aborted: 0 };
    byId.set(producerId, counts);
    counts[status] += 1;
  }
  return [...byId].map(([producerId, counts]) => ({ producerId, counts }));
}
