import { describe, expect, test } from "vitest";
import { ExpectedTopic } from "#whitewater/simulator/oracles/committed-output-expected.js";

interface Line {
  readonly key: string;
  readonly n: number;
}

function ordered(values: readonly Line[], producers: readonly number[] = []): ExpectedTopic {
  const topic = new ExpectedTopic({ topic: "out", partitions: 1, keyOf: (value) => (value as Line).key });
  values.forEach((value, i) => topic.expect(value, { producer: producers[i] ?? -1, generation: 0 }));
  return topic;
}

const A1 = { key: "a", n: 1 };
const A2 = { key: "a", n: 2 };
const B1 = { key: "b", n: 1 };

describe("a topic with an order per key", () => {
  test("takes the keys in any order, and each key in its own", () => {
    const topic = ordered([A1, A2, B1]);
    expect([B1, A1, A2].map((value) => topic.see({ ...value }))).toEqual([null, null, null]);
    expect(topic.missing()).toBeNull();
  });

  test("names a repeated record, one that came too early, a wrong one, and an unknown key", () => {
    const repeated = ordered([A1, A2]);
    repeated.see(A1);
    expect(repeated.see(A1)).toBe(
      'out: key "a", record 2: expected {key: "a", n: 2}, got {key: "a", n: 1} (visible for the second time, first as record 1)',
    );
    expect(ordered([A1, A2]).see(A2)).toBe(
      'out: key "a", record 1: expected {key: "a", n: 1}, got {key: "a", n: 2} (1 record too early)',
    );
    expect(ordered([A1]).see({ key: "a", n: 7 })).toBe('out: key "a", record 1: expected {key: "a", n: 1}, got {key: "a", n: 7}');
    expect(ordered([A1]).see(B1)).toBe('out: {key: "b", n: 1} of key "b", which has no output');
  });

  test("speaks of a key once", () => {
    const topic = ordered([A1, A2]);
    expect(topic.see(A2)).not.toBeNull();
    expect(topic.see(A2)).toBeNull();
    expect(topic.missing()).toBeNull();
  });

  test("says what is missing in the end", () => {
    const topic = ordered([A1, A2]);
    topic.see(A1);
    expect(topic.missing()).toBe('out: key "a": 1 record never became visible, the first {key: "a", n: 2}');
  });

  test("promises no order among the records of several producers, but still counts them", () => {
    const topic = ordered([A1, A2], [0, 1]);
    expect([A2, A1].map((value) => topic.see(value))).toEqual([null, null]);
    expect(topic.see(A2)).toContain("expected nothing more");
  });
});

describe("a topic without an order", () => {
  test("counts equal values", () => {
    const topic = new ExpectedTopic({ topic: "late", partitions: 1, keyOf: null });
    for (const value of [A1, A1, B1]) topic.expect(value, { producer: 0, generation: 0 });
    expect([B1, A1].map((value) => topic.see({ ...value }))).toEqual([null, null]);
    expect(topic.missing()).toBe('late: {key: "a", n: 1} never became visible (1 times)');
    expect(topic.see(A1)).toBeNull();
    expect(topic.missing()).toBeNull();
    expect(topic.see(A1)).toBe('late: {key: "a", n: 1} is visible more often than expected');
  });
});
