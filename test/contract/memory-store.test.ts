import { describeKeyedBackend } from "./keyed-backend-contract.ts";
import { memoryStoreBackend } from "./memory-store-backend.ts";

describeKeyedBackend(memoryStoreBackend);
