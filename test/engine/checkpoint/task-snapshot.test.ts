import { expect, test } from "vitest";
import { ChannelStateWriter } from "#whitewater/engine/checkpoint/channel-state-writer.js";
import { FileSealer } from "#whitewater/engine/checkpoint/checksummed-file.js";
import type { SnapshotOutcome } from "#whitewater/engine/checkpoint/task-snapshot.js";
import { TaskSnapshot } from "#whitewater/engine/checkpoint/task-snapshot.js";
import { TransactionalLogSink } from "#whitewater/engine/connectors/transactional-log-sink.js";
import { valueState } from "#whitewater/engine/state/descriptors.js";
import type { ValueState } from "#whitewater/engine/state/state.js";
import { openChainOf } from "../operators/chain-harness.ts";

/** More than a step of a snapshot serializes. */
const KEYS = 200;

test("a value that cannot be written ends a snapshot, however late it comes up, and not the process", () => {
  let last!: ValueState<unknown>;
  const { chain, process } = openChainOf("process", (env) => {
    env
      .fromElements(0)
      .keyBy((value) => value)
      .process({
        open: (context) => void (last = context.getState(valueState<unknown>("last"))),
        processElement: (value) => last.update(value === KEYS - 1 ? { found: () => value } : value),
      })
      .rebalance()
      .sinkTo(new TransactionalLogSink({ topic: "out" }));
  });
  for (let value = 0; value < KEYS; value += 1) chain.processElement(value, value);
  const owner = { ports: process.ports, subject: 1, attempt: 1, vertex: 0, subtask: 0, storagePrefix: "c", sealer: new FileSealer(), localState: null, sharedFiles: null };
  const outcomes: SnapshotOutcome[] = [];
  const snapshot = new TaskSnapshot(owner, chain, 1, new ChannelStateWriter(1, false));
  snapshot.run((outcome) => void outcomes.push(outcome));
  expect(outcomes).toEqual([]);
  process.advance(1_000_000);
  expect(outcomes).toEqual([{ ok: false, reason: "serializing state failed: cannot encode a function at last.found" }]);
  expect([snapshot.isRunning, snapshot.cancel()]).toEqual([false, false]);
});
