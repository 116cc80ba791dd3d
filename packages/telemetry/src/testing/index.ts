import { messageType } from "../otlp/messages.ts";
import type { Telemetry } from "../service/telemetry.ts";
import { Tally } from "../service/tally.ts";
import { TEST_SETTINGS } from "./keepers.ts";
import { Keeper } from "../worker/keeper.ts";
import type { Answered, ThreadSettings } from "../worker/messages.ts";

/** A store of traces in the thread of the test, in a folder that is made with the first call. */
export function createLocalTelemetry(folder: string, settings: Partial<ThreadSettings> = {}): Telemetry {
  const tally = new Tally();
  const listeners = new Set<() => void>();
  let made: Keeper | null = null;
  const keeper = (): Keeper =>
    (made ??= new Keeper(
      { folder, self: "//localhost/directory", settings: { ...TEST_SETTINGS, ...settings } },
      {
        nowMs: () => Date.now(),
        tell(message) {
          if (message.kind === "lost") tally.add(message.tenant, message.reason, message.count);
          if (message.kind === "stored") for (const listener of listeners) listener();
        },
      },
    ));
  const answered = <T extends Answered>(answer: Promise<Answered>): Promise<T> => answer as Promise<T>;
  return {
    isOn: true,
    otlp: (body) => answered(keeper().otlp(body)),
    append: (tenant, events) => answered(keeper().append(tenant ?? "", events)),
    ask: (tenant, question) => answered(keeper().ask(tenant ?? "", question)),
    lost: (tenant) => tally.of(tenant),
    follow(_tenant, listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    reserve: () => true,
    release() {},
    configure: (next) => keeper().configure(next),
    async close() {
      made?.close();
    },
  };
}

/** A request of spans that stands in JSON, as protobuf. */
export function encodeTraceRequest(body: object): Uint8Array {
  const type = messageType("ExportTraceServiceRequest");
  const bytes = (hex: string): Buffer => Buffer.from(hex, "hex");
  const asRead = JSON.parse(JSON.stringify(body), (key, value: unknown) =>
    /^(trace|span|parentSpan)Id$/.test(key) ? bytes(String(value)) : value,
  ) as Record<string, unknown>;
  return type.encode(type.fromObject(asRead)).finish();
}

export { type SpanFields, spanOf, traceRequest } from "./requests.ts";
