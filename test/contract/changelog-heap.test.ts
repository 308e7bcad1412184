import { engineBackend } from "./engine-backend.ts";
import { describeKeyedBackend } from "./keyed-backend-contract.ts";

describeKeyedBackend(engineBackend("changelog:heap"));
