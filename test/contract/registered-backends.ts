import type { BackendUnderTest } from "./backend-under-test.ts";
import { heapUnderTest } from "./heap-under-test.ts";

/** Every backend that there is: each is held to the contract, and to every other. The heap comes first. */
export const registeredBackends: readonly BackendUnderTest[] = [heapUnderTest];
