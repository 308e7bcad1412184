import { describe, expect, it } from "vitest";
import { Host, snapshotOf } from "./backend-under-test.ts";
import type { BackendUnderTest } from "./backend-under-test.ts";
import { incrementTests } from "./increments.ts";
import { keyTests, mergingTests, namespaceTests } from "./keys-and-namespaces.ts";
import { largeStateTests, manyKeysTest } from "./large-state.ts";
import { rescalingTests } from "./rescaling.ts";
import { snapshotTests } from "./snapshots.ts";
import { touchAll } from "./sample-state.ts";
import { schemaTests } from "./schemas.ts";
import { stateKindTests } from "./state-kinds.ts";
import { memoryTests, storageTests } from "./storage.ts";
import { timeToLiveTests } from "./time-to-live.ts";
import { timerTests } from "./timers.ts";

/** What every state backend promises, in the themes of Flink's StateBackendTestBase. */
export function describeKeyedBackend(subject: BackendUnderTest): void {
  const { name, capabilities } = subject;
  describe(`${name} backend:`, () => {
    stateKindTests(subject);
    describe("keyed state", () => keyTests(subject));
    describe("namespaces", () => namespaceTests(subject));
    if (capabilities.merging) describe("merging namespaces", () => mergingTests(subject));
    describe("timers", () => timerTests(subject));
    describe("snapshots", () => snapshotTests(subject));
    describe("rescaling", () => rescalingTests(subject));
    describe("large state", () => {
      largeStateTests(subject);
      manyKeysTest(subject);
    });
    if (capabilities.schemas) describe("serializers' schemas", () => schemaTests(subject));
    if (capabilities.ttl) describe("a time to live", () => timeToLiveTests(subject));
    describe("a disk", () => {
      if (capabilities.disk) storageTests(subject);
      else it("is left alone", () => leavesDiskAlone(subject));
    });
    memoryTests(subject);
    if (capabilities.incremental) describe("increments", () => incrementTests(subject));
    else {
      it("says that it has no increments", () => expect(new Host(subject).open().incremental).toBe(null));
    }
  });
}

function leavesDiskAlone(subject: BackendUnderTest): void {
  const host = new Host(subject);
  const before = host.disk.calls;
  const backend = host.open();
  touchAll(backend, subject.capabilities, 0);
  snapshotOf(host.restored([snapshotOf(backend)]));
  backend.dispose();
  expect(host.disk.calls).toBe(before);
}
