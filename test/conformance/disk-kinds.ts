import type { Disk } from "#whitewater/engine/ports/disk.js";
import { SimulatedDisk } from "#whitewater/simulator/hosts/simulated-disk.js";
import { FakeKernel } from "../simulator/hosts/fake-kernel.ts";
import { temporaryDirectory } from "../temporary-directory.ts";
import { NodeDisk } from "../../bench/node-disk.ts";

/** An empty disk, and the way to see it as another process does after the first one died. */
export interface DiskUnderTest {
  readonly disk: Disk;
  readonly reopened: () => Disk;
}

export function simulatedDisk(): DiskUnderTest {
  const kernel = new FakeKernel();
  const process = kernel.process("worker");
  const disk = new SimulatedDisk(kernel, process.host);
  let incarnation = 1;
  return {
    disk: disk.portFor(process),
    reopened: () => {
      incarnation += 1;
      return disk.portFor(kernel.process("worker", incarnation, process.host));
    },
  };
}

export function realDisk(): DiskUnderTest {
  const root = temporaryDirectory();
  const disk = new NodeDisk(root);
  return {
    disk,
    reopened: () => {
      disk.closeAll();
      return new NodeDisk(root);
    },
  };
}
