import { expect, test } from "vitest";
import type { Source, SourceReader } from "#whitewater/engine/api/source.js";
import { NO_TIMESTAMP } from "#whitewater/engine/base/units.js";
import { ElementsSource } from "#whitewater/engine/connectors/elements-source.js";
import { LogSource } from "#whitewater/engine/connectors/log-source.js";
import { SequenceSource } from "#whitewater/engine/connectors/sequence-source.js";
import type { LogRecord } from "#whitewater/engine/ports/external-log.js";
import { FakeProcess } from "../operators/fake-process.ts";

function recordsOf(...values: readonly number[]): readonly LogRecord[] {
  return values.map((value) => ({ value, timestampMs: value }));
}

interface Reading {
  readonly reader: SourceReader;
  readonly process: FakeProcess;
  readonly errors: string[];
  available: number;
}

function read(source: Source<unknown>, process: FakeProcess): Reading {
  const reading: { available: number; errors: string[] } = { available: 0, errors: [] };
  const reader = source.createReader({
    ports: process.ports,
    subtaskIndex: 0,
    subject: 0,
    onAvailable: () => void (reading.available += 1),
    onError: (message) => void reading.errors.push(message),
  });
  return Object.assign(reading, { reader, process });
}

/** Polls everything there is now: [partition, offset, values, ended]. */
function drain(reader: SourceReader, limit: number = 64): readonly unknown[] {
  const batches: unknown[] = [];
  for (let batch = reader.poll(limit); batch !== null; batch = reader.poll(limit)) {
    batches.push([batch.partition, batch.offset, batch.records.map((record) => record.value), batch.ended]);
  }
  return batches;
}

test("the log source reads its partitions from the offsets given, in turn, to their ends", () => {
  const process = new FakeProcess({ in: [recordsOf(1, 2, 3), recordsOf(), recordsOf(7, 8)] });
  const { reader } = read(new LogSource("in"), process);
  reader.start(0, 1);
  reader.start(2, 0);
  reader.start(1, 0);
  expect(reader.poll(10)).toBeNull();
  process.advance(10_000);
  expect(drain(reader, 1)).toEqual([
    [0, 1, [2], false],
    [2, 0, [7], false],
    [1, 0, [], true],
    [0, 2, [3], true],
    [2, 1, [8], true],
  ]);
  expect(reader.ended()).toBe(true);
});

test("the log source fetches ahead, but no more than a bounded number of records", () => {
  const values = Array.from({ length: 5000 }, (_, index) => index);
  const process = new FakeProcess({ in: [recordsOf(...values)] });
  const { reader } = read(new LogSource("in"), process);
  reader.start(0, 0);
  process.advance(1_000_000);
  expect(process.log.count("fetch")).toBe(1);
  const seen: unknown[] = [];
  while (!reader.ended()) {
    for (let batch = reader.poll(50); batch !== null; batch = reader.poll(50)) {
      seen.push(...batch.records.map((record) => record.value));
    }
    process.advance(1000);
  }
  expect(seen).toEqual(values);
});

test("the log source survives a few errors, and reports what does not pass", () => {
  const process = new FakeProcess({ in: [recordsOf(1)] });
  process.log.fail("fetch", "unavailable", 2);
  process.log.fail("fetch", "unknown", 1);
  const first = read(new LogSource("in"), process);
  first.reader.start(0, 0);
  process.advance(10_000_000);
  expect(first.errors).toEqual([]);
  expect(drain(first.reader)).toEqual([[0, 0, [1], true]]);

  process.log.fail("fetch", "unavailable", 100);
  const second = read(new LogSource("in"), process);
  second.reader.start(0, 0);
  process.advance(10_000_000);
  expect(second.errors).toEqual(["reading in/0 at 0 failed: unavailable"]);
});

test("a closed log source asks for nothing more and reports nothing", () => {
  const process = new FakeProcess({ in: [recordsOf(1)] });
  process.log.fail("fetch", "unavailable", 100);
  const reading = read(new LogSource("in"), process);
  reading.reader.start(0, 0);
  process.advance(2000);
  reading.reader.close();
  process.advance(10_000_000);
  expect(process.log.count("fetch")).toBe(1);
  expect([reading.available, reading.errors]).toEqual([0, []]);
});

test("paced elements become available one by one and carry that time", () => {
  const process = new FakeProcess();
  const reading = read(new ElementsSource(["a", "b", "c"], 2000), process);
  reading.reader.start(0, 0);
  expect(drain(reading.reader)).toEqual([[0, 0, ["a"], false]]);
  process.advance(1_999_999);
  expect([reading.available, drain(reading.reader)]).toEqual([0, []]);
  process.advance(1);
  expect(reading.available).toBe(1);
  const batch = reading.reader.poll(64);
  expect(batch?.records).toEqual([{ value: "b", timestampMs: 2000 }]);
  process.advance(5_000_000);
  expect(reading.reader.ended()).toBe(false);
  expect(drain(reading.reader)).toEqual([[0, 2, ["c"], true]]);
  expect(reading.reader.ended()).toBe(true);
});

test("after a restart elements that are due already are available at once", () => {
  const process = new FakeProcess();
  process.advance(4_000_000);
  const { reader } = read(new ElementsSource(["a", "b", "c", "d"], 2000), process);
  reader.start(0, 1);
  expect(drain(reader)).toEqual([[0, 1, ["b", "c"], false]]);
  process.advance(2_000_000);
  expect(drain(reader)).toEqual([[0, 3, ["d"], true]]);
  expect(reader.ended()).toBe(true);
});

test("a restore on a host whose clock stands earlier waits for the next element, and does not go back", () => {
  const process = new FakeProcess();
  const { reader } = read(new ElementsSource(["a", "b", "c", "d"], 2000), process);
  reader.start(0, 3);
  expect(drain(reader)).toEqual([]);
  process.advance(5_999_999);
  expect(drain(reader)).toEqual([]);
  process.advance(1);
  expect(drain(reader)).toEqual([[0, 3, ["d"], true]]);
});

test("elements without pacing are all there and have no timestamps", () => {
  const { reader } = read(new ElementsSource([5, 6], null), new FakeProcess());
  reader.start(0, 0);
  expect(reader.poll(64)?.records.map((record) => record.timestampMs)).toEqual([NO_TIMESTAMP, NO_TIMESTAMP]);
  expect(reader.ended()).toBe(true);
});

test("a sequence deals its elements out to the partitions and replays from any offset", () => {
  const { reader } = read(new SequenceSource(8, (index) => index * 10, 3), new FakeProcess());
  reader.start(0, 0);
  reader.start(2, 1);
  expect(drain(reader, 2)).toEqual([
    [0, 0, [0, 30], false],
    [2, 1, [50], true],
    [0, 2, [60], true],
  ]);
  expect(reader.ended()).toBe(true);
});
