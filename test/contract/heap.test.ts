import { heapUnderTest } from "./heap-under-test.ts";
import { describeKeyedBackend } from "./keyed-backend-contract.ts";

describeKeyedBackend(heapUnderTest);
