import { describe, expect, it } from "vitest";
import type { Disk } from "#whitewater/engine/ports/disk.js";
import type { ProcessPorts } from "#whitewater/engine/ports/process-ports.js";
import { openWorkingDirectory } from "#whitewater/engine/runtime/working-directory.js";
import { SimulatedDisk } from "#whitewater/simulator/hosts/simulated-disk.js";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";
import { FakeKernel } from "../../simulator/hosts/fake-kernel.ts";

function host() {
  const kernel = new FakeKernel();
  const process = kernel.process("worker");
  const disk = new SimulatedDisk(kernel, process.host);
  let incarnation = 0;
  const start = (): number => {
    incarnation += 1;
    const port: Disk = disk.portFor(kernel.process("worker", incarnation, process.host));
    return openWorkingDirectory({ self: "worker", disk: port } as unknown as ProcessPorts).generation;
  };
  return { kernel, disk, start };
}

describe("the working directory of a worker", () => {
  it("counts how often it was opened, over crashes and power losses, and from 1 on an empty disk", () => {
    const { disk, start } = host();
    expect([start(), start()]).toEqual([1, 2]);
    disk.powerLoss();
    expect([start(), start()]).toEqual([3, 4]);
    expect(host().start()).toBe(1);
  });

  it("reads on after a short read", () => {
    const { kernel, start } = host();
    start();
    for (const nth of [1, 2, 3]) kernel.arm(PORT_TRACE.diskRead, { kind: "disk-short-read", bytes: 3 }, nth);
    expect(start()).toBe(2);
  });

  it.each([0, 7, 20, 31, 32, -1])("never believes a damaged number: bit %i flipped", (bit) => {
    const { kernel, start } = host();
    start();
    start();
    kernel.arm(PORT_TRACE.diskRead, { kind: "disk-bit-flip", bit });
    expect(start()).toBe(1);
    expect(start()).toBe(2);
  });

  it.each([
    ["making its directory", PORT_TRACE.diskNamed],
    ["opening its file", PORT_TRACE.diskOpened],
    ["writing it", PORT_TRACE.diskWritten],
    ["syncing its directory", PORT_TRACE.diskDirectorySynced],
  ])("counts as new or as before when %s fails, again and again", (_what, kind) => {
    const { kernel, start } = host();
    for (let nth = 1; nth <= 4; nth += 1) kernel.arm(kind, { kind: "disk-error", code: "EIO", partBytes: 0 }, nth);
    expect(start()).toBe(1);
    const generations = [start(), start(), start(), start()];
    for (const [index, generation] of generations.entries()) {
      expect(generation).toBeGreaterThanOrEqual(1);
      expect(generation).toBeLessThanOrEqual(index + 2);
    }
  });
});
