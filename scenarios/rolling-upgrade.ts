import { StreamExecutionEnvironment } from "../engine/api/environment.ts";
import type { KeyedProcessFunction, ProcessContext, RuntimeContext } from "../engine/api/functions.ts";
import { WatermarkStrategies } from "../engine/api/watermark-strategies.ts";
import { LogSource } from "../engine/connectors/log-source.ts";
import { TransactionalLogSink } from "../engine/connectors/transactional-log-sink.ts";
import type { StreamGraph } from "../engine/graph/stream-graph.ts";
import { valueState } from "../engine/state/descriptors.ts";
import { longSerializer, stringSerializer } from "../engine/state/serializers/primitive-serializers.ts";
import { field, struct } from "../engine/state/serializers/struct-serializer.ts";
import type { StateBackendName } from "../engine/state/state-backend.ts";
import type { ValueState } from "../engine/state/state.ts";
import { defineScenario } from "../simulator/scenario.ts";
import type { ArrivingRecord, InputTopic, RunOptions, Scenario, WorkloadContext } from "../simulator/scenario.ts";
import { burstAtUs, dueUs, partitionOfKey } from "./pacing.ts";
import { configure, CONFIGURED, RECOVERY_PATHS, SURVIVES_EVERYTHING, THREE_WORKERS } from "./survival.ts";

export interface Purchase {
  readonly customer: string;
  readonly cents: number;
  readonly shop: string;
}

export interface Balance {
  readonly customer: string;
  readonly purchases: number;
  readonly cents: number;
}

const CUSTOMERS = 40;
const SHOPS = 5;
const PARTITIONS = 4;
const BURSTS = { everyUs: 400_000, partitions: PARTITIONS };
const CURRENCY = "EUR";

/** As the version before keeps an account: with the shop of the last purchase, which nobody ever asked for. */
const ACCOUNT_BEFORE = struct({ purchases: field(longSerializer), cents: field(longSerializer), lastShop: field(stringSerializer) });
/** As it is kept now: without the shop, in a currency. */
const ACCOUNT = struct({
  purchases: field(longSerializer),
  cents: field(longSerializer),
  currency: field(stringSerializer, { default: CURRENCY }),
});

interface Account {
  readonly purchases: number;
  readonly cents: number;
  readonly currency: string;
}
interface AccountBefore {
  readonly purchases: number;
  readonly cents: number;
  readonly lastShop: string;
}

class Accounts implements KeyedProcessFunction<Purchase, Balance> {
  #account!: ValueState<Account>;

  open(context: RuntimeContext): void {
    this.#account = context.getState(valueState<Account>("account", null, { serializer: ACCOUNT }));
  }

  processElement({ customer, cents }: Purchase, _context: ProcessContext, collect: (balance: Balance) => void): void {
    const before = this.#account.value() ?? { purchases: 0, cents: 0, currency: CURRENCY };
    const account = { purchases: before.purchases + 1, cents: before.cents + cents, currency: before.currency };
    this.#account.update(account);
    collect({ customer, purchases: account.purchases, cents: account.cents });
  }
}

class AccountsBefore implements KeyedProcessFunction<Purchase, Balance> {
  #account!: ValueState<AccountBefore>;

  open(context: RuntimeContext): void {
    this.#account = context.getState(valueState<AccountBefore>("account", null, { serializer: ACCOUNT_BEFORE }));
  }

  processElement({ customer, cents, shop }: Purchase, _context: ProcessContext, collect: (balance: Balance) => void): void {
    const before = this.#account.value() ?? { purchases: 0, cents: 0 };
    const account = { purchases: before.purchases + 1, cents: before.cents + cents, lastShop: shop };
    this.#account.update(account);
    collect({ customer, purchases: account.purchases, cents: account.cents });
  }
}

function jobWith(options: RunOptions, accounts: KeyedProcessFunction<Purchase, Balance>): StreamGraph {
  const env = StreamExecutionEnvironment.create();
  configure(env, options).setMaxRetainedCheckpoints(2);
  env
    .fromSource(new LogSource<Purchase>("purchases"), WatermarkStrategies.noWatermarks<Purchase>())
    .uid("purchases")
    .keyBy(({ customer }) => customer)
    .process(accounts)
    .uid("accounts")
    .name("accounts")
    .sinkTo(
      new TransactionalLogSink<Balance>({
        topic: "balances",
        partitionOf: ({ customer }, partitions) => partitionOfKey(customer, partitions),
      }),
    )
    .uid("balances");
  return env.execute("Accounts");
}

/** Another backend for the version after; one that keeps increments, because the restore strategy may want them. */
const BACKEND_AFTER: Readonly<Record<StateBackendName, StateBackendName>> = {
  heap: "lsm",
  lsm: "changelog:heap",
  sqlite: "lsm",
  "changelog:heap": "lsm",
  "changelog:lsm": "changelog:heap",
  "changelog:sqlite": "lsm",
};

function after(options: RunOptions): RunOptions {
  const parallelism = options.parallelism === 4 ? 2 : options.parallelism + 1;
  return { ...options, backend: BACKEND_AFTER[options.backend], parallelism, parallelismAfter: parallelism };
}

function migrated(_uid: string, _state: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("lastShop" in value)) return value;
  const { purchases, cents } = value as AccountBefore;
  return { purchases, cents, currency: CURRENCY };
}

/** 500 to 800 purchases. */
function workload({ random }: WorkloadContext): readonly InputTopic[] {
  const draws = random("purchases");
  const count = 500 + draws.below(301);
  const partitions: ArrivingRecord[][] = Array.from({ length: PARTITIONS }, () => []);
  for (let index = 0; index < count; index++) {
    const customer = `customer-${draws.below(CUSTOMERS)}`;
    const value: Purchase = Object.freeze({ customer, cents: 1 + draws.below(9_999), shop: `shop-${draws.below(SHOPS)}` });
    const partition = partitionOfKey(customer, PARTITIONS);
    const arrivesAtUs = burstAtUs(BURSTS, partition, dueUs(index, count));
    partitions[partition]?.push({ arrivesAtUs, timestampMs: Math.floor(arrivesAtUs / 1000), value });
  }
  return [{ topic: "purchases", partitions }];
}

export const rollingUpgrade: Scenario = defineScenario({
  name: "rolling-upgrade",
  title: "a job that stops with a savepoint and goes on as its next version",
  doc: `Purchases of 40 customers arrive over 24 virtual seconds; each is added to its customer's account, and every new
balance goes through a transactional sink. Somewhere on the way the job is told to stop with a savepoint (suspended:
its input has not ended). Its cluster ends, and another one starts on the same hosts, with the next version of the job,
from that savepoint: with another parallelism, another state backend, and an account that has lost one field and got
another, with a default. The savepoint is claimed: once a checkpoint takes its place, it is deleted.

Every balance must come out once, in order, over the whole: nothing lost between the versions, nothing twice, whatever
happens before, while the job stops, and after.

Hunts: output behind the savepoint that is not in it, transactions that neither version commits, a restart that goes
back behind what the savepoint committed, state that does not find its operator, its key group or its schema.`,
  job: (options) => jobWith(options, new Accounts()),
  upgrade: { before: (options) => jobWith(options, new AccountsBefore()), after, claim: "claim", migrated },
  workload,
  outputs: [{ topic: "balances", partitions: 3, keyOf: (value) => (value as Balance).customer }],
  cluster: THREE_WORKERS,
  budget: SURVIVES_EVERYTHING,
  modes: CONFIGURED.modes,
  restores: CONFIGURED.restores,
  parallelisms: [1, 2, 3, 4],
  confluent: true,
  sometimes: [...RECOVERY_PATHS, "stop-with-savepoint", "a resume from a savepoint with another parallelism"],
});
