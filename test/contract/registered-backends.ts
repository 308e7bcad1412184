import type { BackendUnderTest } from "./backend-under-test.ts";
import { engineBackends } from "./engine-backend.ts";
import { memoryStoreBackend } from "./memory-store-backend.ts";

/** Every backend that there is: each is held to the contract, and to every other. The heap comes first. */
export const registeredBackends: readonly BackendUnderTest[] = [...engineBackends, memoryStoreBackend];
