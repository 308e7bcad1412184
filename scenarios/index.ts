/**
 * The package's main entry: what a job author writes with, what a scenario is made of, and the scenarios that
 * come with Whitewater.
 */
export { StreamExecutionEnvironment } from "../engine/api/environment.ts";
export type { ElementsPacing } from "../engine/api/environment.ts";
export type { CheckpointSettings } from "../engine/api/checkpoint-settings.ts";
export type { ConnectedStreams } from "../engine/api/connected-streams.ts";
export type { DataStream, DataStreamSink, KeyedStream, SingleOutputStreamOperator } from "../engine/api/data-stream.ts";
export type { WindowedStream } from "../engine/api/windowed-stream.ts";
export { JobDefinitionError } from "../engine/api/job-definition-error.ts";
export { RestartStrategies } from "../engine/api/restart-strategies.ts";
export { RestoreStrategies } from "../engine/api/restore-strategies.ts";
export type { RestoreStrategySetting } from "../engine/api/restore-strategies.ts";
export type { CheckpointMode, FailoverScope, RestoreStrategyName } from "../engine/graph/job-modes.ts";
export { TumblingEventTimeWindows } from "../engine/api/tumbling-event-time-windows.ts";
export { WatermarkStrategies } from "../engine/api/watermark-strategies.ts";
export type { WatermarkStrategyBuilder } from "../engine/api/watermark-strategies.ts";
export type { WatermarkGenerator, WatermarkStrategy } from "../engine/api/watermark-strategy.ts";
export { outputTag } from "../engine/api/functions.ts";
export type {
  AggregateFunction,
  FilterFunction,
  FlatMapFunction,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  KeySelector,
  MapFunction,
  OutputTag,
  ProcessContext,
  ReduceFunction,
  RuntimeContext,
  TimerService,
  TimeWindow,
  WindowFunction,
} from "../engine/api/functions.ts";
export type { Sink, SinkWriter, SinkWriterContext } from "../engine/api/sink.ts";
export type { Source, SourceBatch, SourceReader, SourceReaderContext } from "../engine/api/source.ts";
export { LogSource } from "../engine/connectors/log-source.ts";
export { TransactionalLogSink } from "../engine/connectors/transactional-log-sink.ts";
export type { TransactionalLogSinkOptions } from "../engine/connectors/transactional-log-sink.ts";
export { aggregatingState, listState, mapState, reducingState, valueState } from "../engine/state/descriptors.ts";
export type { MapStateOptions, StateAggregation, StateDescriptor, StateOptions } from "../engine/state/descriptors.ts";
export type { AggregatingState, Key, ListState, MapState, ReducingState, ValueState } from "../engine/state/state.ts";
export { STATE_BACKENDS } from "../engine/state/state-backend.ts";
export type { StateBackendConfig, StateBackendName } from "../engine/state/state-backend.ts";
export type { StateLibraries } from "../engine/state/backends/state-libraries.ts";
export { StateSchemaError, StateStorageError } from "../engine/state/state-errors.ts";
export { ttlConfig } from "../engine/state/ttl-config.ts";
export type { TtlConfig } from "../engine/state/ttl-config.ts";
export type { SerializerSchema, TypeSerializer } from "../engine/state/type-serializer.ts";
export { listOf } from "../engine/state/serializers/list-serializer.ts";
export { mapOf } from "../engine/state/serializers/map-serializer.ts";
export { optionalOf } from "../engine/state/serializers/optional-serializer.ts";
export {
  bigintSerializer,
  booleanSerializer,
  bytesSerializer,
  dateSerializer,
  doubleSerializer,
  int32Serializer,
  longSerializer,
  stringSerializer,
} from "../engine/state/serializers/primitive-serializers.ts";
export { field, struct } from "../engine/state/serializers/struct-serializer.ts";
export type { StructField, StructFieldOptions, StructOf } from "../engine/state/serializers/struct-serializer.ts";
export { structuralSerializer } from "../engine/state/serializers/structural.ts";
export type { StreamGraph } from "../engine/graph/stream-graph.ts";

export { defineScenario } from "../simulator/scenario.ts";
export type {
  ArrivingRecord,
  ClusterShape,
  FaultBudget,
  InputTopic,
  OutputTopic,
  RunOptions,
  Scenario,
  WorkloadContext,
} from "../simulator/scenario.ts";
export type { Fault, FaultKind, FaultPlan } from "../simulator/faults/fault.ts";
export { simulate } from "../simulator/simulate.ts";
export type { Finding, RunRequest, RunResult, VerdictKind } from "../simulator/run-result.ts";

export { loadStateLibraries } from "./load-state-libraries.ts";
export type { Flight } from "./flight.ts";
export { InputError, parseFlights, readFlightsFile } from "./flights-input.ts";
export { flightsScenario } from "./flights.ts";
export { flightsLateScenario } from "./flights-late.ts";
export { scenarioNamed, scenarios, scenariosOverFlights } from "./registry.ts";
