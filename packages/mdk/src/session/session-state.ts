import {
  CONTEXT_BYTES_MAX,
  CONTEXT_DEPTH_MAX,
  type Context,
  type ContextParts,
  type Environment,
  utf8Length,
  writeContext,
  writeContextParts,
} from "./context.ts";
import { Deadline } from "./deadline.ts";
import type { SessionDeps } from "./deps.ts";
import { depthOf, type Json } from "./json.ts";
import { asLevel, DEFAULT_LEVEL, isLogged, type Level } from "./levels.ts";
import { categoryOf, textOf } from "./log-event.ts";
import { MdkError } from "./mdk-error.ts";
import { traceIdOf } from "./trace-id.ts";
import type { LoggedMessage } from "./types.ts";

/** Bytes of the context that are left for the clocks of the services that join the session. */
const RESERVE_BYTES = 128;

/** What all views of one session share: its context, with a clock that goes on, and its deadline. */
export class SessionState {
  readonly traceId: string;
  readonly environment: Environment;
  readonly deadline: Deadline;
  readonly #clock: number[];
  readonly #properties: Map<string, Json>;
  /** Its context as it was written last; null since a property has changed. */
  #written: ContextParts | null = null;
  /** Undefined until it is first asked for. */
  #w3cTraceId: string | null | undefined;
  readonly #deps: Pick<SessionDeps, "clock" | "node" | "log">;

  constructor({ traceId, clock, properties, environment }: Context, deps: Pick<SessionDeps, "clock" | "node" | "log">) {
    this.traceId = traceId;
    this.environment = environment;
    this.deadline = new Deadline(deps.clock);
    this.#clock = [...clock];
    this.#properties = new Map(properties);
    this.#deps = deps;
    this.#readDeadline();
  }

  /** The id of its trace as W3C has it; null where it has none. */
  get w3cTraceId(): string | null {
    if (this.#w3cTraceId === undefined) this.#w3cTraceId = traceIdOf(this.traceId);
    return this.#w3cTraceId;
  }

  externalize(): string {
    const { before, after } = (this.#written ??= writeContextParts(this.#contextWith(this.#properties)));
    const text = `${before}${this.#clock.at(-1) ?? ""}${after}`;
    this.#tick();
    return text;
  }

  log(level: Level, category: string, text: string): LoggedMessage {
    this.#tick();
    const { traceId } = this;
    const environment = this.environment.name;
    const asked = asLevel(this.#properties.get("trace")) ?? DEFAULT_LEVEL;
    if (isLogged(level, asked)) {
      const { node, log, clock } = this.#deps;
      const said = { category: categoryOf(category), text: textOf(text) };
      log({ traceId, clock: [...this.#clock], timestamp: clock.nowMs(), node, level, ...said, environment });
    }
    return { traceId, clock: [...this.#clock], environment };
  }

  property(key: string): Json | undefined {
    return this.#properties.get(key);
  }

  hasProperty(key: string): boolean {
    return this.#properties.has(key);
  }

  setLevel(level: Level): void {
    this.#keep("trace", level);
  }

  /** Sets a property, if the next service can still read the context then. @throws MdkError that names the key */
  put(key: string, value: Json): void {
    const text = writeContext(this.#contextWith(new Map(this.#properties).set(key, value)));
    const bytes = utf8Length(text);
    const bytesMax = CONTEXT_BYTES_MAX - RESERVE_BYTES;
    if (bytes > bytesMax)
      throw refusal("limit_exceeded", key, `the context would have ${bytes} bytes, wanted ${bytesMax} at the most`);
    if (depthOf(text) > CONTEXT_DEPTH_MAX)
      throw refusal("invalid_argument", key, `the context would be nested deeper than ${CONTEXT_DEPTH_MAX}`);
    this.#keep(key, value);
  }

  /** The session has to be done so many milliseconds from now, unless it has to be sooner already. */
  lowerDeadline(ms: number): void {
    if (this.deadline.lower(ms)) this.#sayDeadline(ms);
  }

  replaceDeadline(ms: number): void {
    this.deadline.replace(ms);
    this.#sayDeadline(ms);
  }

  #sayDeadline(ms: number): void {
    this.#keep("timeout", Math.round(this.#deps.clock.nowMs() + ms) / 1_000);
  }

  /** Takes the deadline that came with the context; one that is no number is none. */
  #readDeadline(): void {
    const timeout = this.#properties.get("timeout");
    if (typeof timeout === "number") this.deadline.lower(timeout * 1_000 - this.#deps.clock.nowMs());
    else this.#properties.delete("timeout");
  }

  #keep(key: string, value: Json): void {
    this.#properties.set(key, value);
    this.#written = null;
  }

  #contextWith(properties: ReadonlyMap<string, Json>): Context {
    return { traceId: this.traceId, clock: this.#clock, properties, environment: this.environment };
  }

  #tick(): void {
    this.#clock[this.#clock.length - 1] = (this.#clock.at(-1) ?? 0) + 1;
  }
}

function refusal(code: "limit_exceeded" | "invalid_argument", key: string, why: string): MdkError {
  return new MdkError(code, `Cannot set the property ${JSON.stringify(key.slice(0, 100))}: ${why}`);
}
