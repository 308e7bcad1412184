import { describe, expect, it } from "vitest";
import { keyGroupRange } from "#whitewater/engine/stream/key-groups.js";
import { Host, MAX_PARALLELISM, expectBytes, maintainFully, snapshotOf } from "./backend-under-test.ts";
import type { BackendUnderTest, Capabilities } from "./backend-under-test.ts";
import { registeredBackends } from "./registered-backends.ts";
import { touchAll } from "./sample-state.ts";

/** What every backend can do: states beyond it are left out, so that all write the same. */
const able: Capabilities = {
  ...registeredBackends[0]!.capabilities,
  folds: registeredBackends.every(({ capabilities }) => capabilities.folds),
};

/** What a subject writes: the same work for all, a part of it before and a part after a restore of its own. */
function written(subject: BackendUnderTest): { readonly host: Host; readonly section: Uint8Array } {
  const host = new Host(subject);
  const first = host.open();
  for (let round = 0; round < 3; round++) touchAll(first, able, round);
  maintainFully(first);
  const backend = host.restored([snapshotOf(first)], { seed: 5 });
  touchAll(backend, able, 3);
  backend.watermarkMs = 4321;
  return { host, section: snapshotOf(backend) };
}

const sections: ReadonlyMap<string, Uint8Array> = new Map(registeredBackends.map((subject) => [subject.name, written(subject).section]));
const pairs = registeredBackends.flatMap((writer) => registeredBackends.map((reader) => ({ writer, reader, from: writer.name, to: reader.name })));

describe("a canonical section", () => {
  it.each(registeredBackends.map((subject) => ({ subject, name: subject.name })))("of equal state is the same bytes from $name as from the heap", ({ name }) => {
    expectBytes(sections.get(name), sections.get("heap"));
  });

  it.each(pairs)("written by $from is read by $to, which writes it again", ({ writer, reader }) => {
    const section = sections.get(writer.name)!;
    const host = new Host(reader);
    const restored = host.restored([section]);
    expect(restored.watermarkMs).toBe(4321);
    expectBytes(snapshotOf(restored), section);
    // And goes on as the heap would.
    const [heap] = registeredBackends;
    const heapHost = new Host(heap!);
    const model = heapHost.restored([section]);
    for (const backend of [restored, model]) touchAll(backend, able, 4);
    expect(host.contents(restored)).toEqual(heapHost.contents(model));
    expectBytes(snapshotOf(restored), snapshotOf(model));
  });

  it.each(pairs)("of $from is cut for three subtasks on $to and merged again", ({ writer, reader }) => {
    const host = new Host(reader);
    const parts = [0, 1, 2].map((index) => host.restored([sections.get(writer.name)!], { range: keyGroupRange(MAX_PARALLELISM, 3, index) }));
    expectBytes(snapshotOf(new Host(writer).restored(parts.map(snapshotOf))), sections.get(writer.name));
  });
});
