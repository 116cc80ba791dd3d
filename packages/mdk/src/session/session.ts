import { meetsRequirement } from "@datawire/protocol";
import {
  CONTEXT_BYTES_MAX,
  CONTEXT_DEPTH_MAX,
  type Context,
  type Environment,
  utf8Length,
  writeContext,
} from "./context.ts";
import { Deadline, deadlineExceeded } from "./deadline.ts";
import { Interactions } from "./interactions.ts";
import { depthOf, type Json } from "./json.ts";
import { asLevel, DEFAULT_LEVEL, isLogged, type Level, parseLevel } from "./levels.ts";
import { categoryOf, type LogEvent, textOf } from "./log-event.ts";
import { MdkError } from "./mdk-error.ts";
import type { Choice, Node } from "./node.ts";
import { requireProperty } from "./properties.ts";
import type { SessionClock } from "./time.ts";
import type { LoggedMessage, ResolveOptions, Session } from "./types.ts";

/** Finds nodes for sessions; where there is no table, as in a browser, it refuses. */
export interface Resolving {
  /** A node that is there now; null where there is none, and then `wait` says more. @throws MdkError for bad input. */
  pick(environment: Environment, service: string, version: string | null, options?: ResolveOptions): Choice | null;
  /** Waits for one for so long at the most. */
  wait(query: ResolveQuery): Promise<Choice>;
}

export interface ResolveQuery {
  readonly environment: Environment;
  readonly service: string;
  readonly version: string | null;
  readonly options: ResolveOptions;
  /** The time that the session has left; null for any. */
  readonly remainingMs: number | null;
}

/** What calls from a session go by. */
export interface CallRules {
  /** Whether a table knows the service. */
  knows(environment: Environment, service: string): boolean;
  /** Whether a host may be sent the context. */
  isOurs(url: URL): boolean;
}

export interface SessionDeps {
  readonly clock: SessionClock;
  /** Who logs. */
  readonly node: string;
  /** Takes what is logged. */
  readonly log: (event: LogEvent) => void;
  readonly resolving: Resolving;
  readonly calls: CallRules;
  /** 16 random hexadecimal digits. */
  readonly newSpanId: () => string;
  /** Makes a session the current one while something runs. */
  readonly runWith: <T>(session: Session, run: () => T) => T;
  /** Whether the routes of the session itself hold (`MDK_EXPERIMENTAL`). */
  readonly experimental: boolean;
}

/** Room for the clocks of those that join it. */
const RESERVE_BYTES = 128;
const RESOLVE_MS_MAX = 10_000;
const NO_OPTIONS: ResolveOptions = {};

/** What all views of one session share; `interact` makes more of them. */
interface Shared {
  readonly traceId: string;
  readonly clock: number[];
  readonly properties: Map<string, Json>;
  readonly environment: Environment;
  readonly deadline: Deadline;
}

/** A session: what belongs to one request, wherever it goes. */
export class LiveSession implements Session {
  readonly #shared: Shared;
  readonly #deps: SessionDeps;
  readonly #interactions = new Interactions();
  /** Headers of other kinds of contexts that came with the request and go on with it, by their names. */
  readonly carried = new Map<string, string>();

  private constructor(shared: Shared, deps: SessionDeps) {
    this.#shared = shared;
    this.#deps = deps;
  }

  /** Makes a session that has this context, as it is. */
  static of(context: Context, deps: SessionDeps): LiveSession {
    const { traceId, clock, properties, environment } = context;
    const deadline = new Deadline(deps.clock);
    const shared = { traceId, clock: [...clock], properties: new Map(properties), environment, deadline };
    const session = new LiveSession(shared, deps);
    session.#readDeadline();
    return session;
  }

  get traceId(): string {
    return this.#shared.traceId;
  }

  get signal(): AbortSignal {
    return this.#shared.deadline.signal;
  }

  /** The id of a span for a call from here. */
  newSpanId(): string {
    return this.#deps.newSpanId();
  }

  /** Whether `http://NAME/` means that service. */
  knowsService(name: string): boolean {
    return this.#deps.calls.knows(this.#shared.environment, name);
  }

  /** Whether the server of a URL may be sent the context. */
  mayTell(url: URL): boolean {
    return this.#deps.calls.isOurs(url);
  }

  /** Replaces the absolute deadline that came by what is left of it, which needs no equal clocks. */
  replaceDeadline(remainingMs: number): void {
    this.#shared.deadline.replace(remainingMs);
    this.#sayDeadline(remainingMs);
  }

  externalize(): string {
    const text = this.#write();
    this.#tick();
    return text;
  }

  inject(): string {
    return this.externalize();
  }

  critical(category: string, text: string): LoggedMessage {
    return this.#log("CRITICAL", category, text);
  }

  error(category: string, text: string): LoggedMessage {
    return this.#log("ERROR", category, text);
  }

  warn(category: string, text: string): LoggedMessage {
    return this.#log("WARN", category, text);
  }

  info(category: string, text: string): LoggedMessage {
    return this.#log("INFO", category, text);
  }

  debug(category: string, text: string): LoggedMessage {
    return this.#log("DEBUG", category, text);
  }

  trace(level: Level): void {
    this.#shared.properties.set("trace", parseLevel(level));
  }

  resolve(service: string, version: string | null = null, options: ResolveOptions = NO_OPTIONS): Promise<Node> {
    try {
      const choice = this.#pick(service, version, options);
      if (choice instanceof Promise) return choice.then(({ node }) => node);
      return Promise.resolve(choice.node);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  resolveUntil(service: string, version: string | null | undefined, seconds: number): Promise<Node> {
    return this.resolve(service, version ?? null, { timeout: seconds });
  }

  /** As `resolve`, with the breaker, and without a note: whoever calls it reports the outcome of the call itself. */
  async choose(service: string, version: string | null, options: ResolveOptions): Promise<Choice> {
    const choice = await this.#pick(service, version, options);
    this.#interactions.forget(choice);
    return choice;
  }

  /** A call failed, as whoever made it knows. */
  reportFailure({ node, breaker }: Choice): void {
    if (breaker.failed(this.#deps.clock.monotonicMs()) === "tripped") {
      const until = new Date(this.#deps.clock.nowMs() + this.#pauseMs(breaker)).toISOString();
      this.warn("mdk", `Circuit breaker of ${node.service} at ${node.address} has tripped: no calls until ${until}`);
    }
  }

  reportSuccess({ node, breaker }: Choice): void {
    if (breaker.succeeded() === "closed")
      this.info("mdk", `Circuit breaker of ${node.service} at ${node.address} has closed`);
  }

  startInteraction(): void {
    this.#interactions.start();
    this.info("MDK", "Starting interaction.");
  }

  finishInteraction(): void {
    const choices = this.#interactions.finish();
    this.info("MDK", "Finished interaction.");
    for (const choice of choices) this.reportSuccess(choice);
  }

  /** Ends the interaction without a word on what it resolved: nobody knows how that went. */
  abandonInteraction(): void {
    this.#interactions.finish();
    this.info("MDK", "Finished interaction.");
  }

  failInteraction(reason: unknown): void {
    const choices = this.#interactions.take();
    const addresses = choices.map(({ node }) => `${node.service} at ${node.address}`).join(", ");
    const involved = choices.length === 0 ? "no dependent services involved" : `involved: ${addresses}`;
    this.error("interaction failure", `${involved}\n\n${describe(reason)}`);
    for (const choice of choices) this.reportFailure(choice);
  }

  async interact<T>(run: (session: Session) => T | Promise<T>): Promise<T> {
    // A view of its own: what interactions at the same time resolve must not mix.
    const view = new LiveSession(this.#shared, this.#deps);
    for (const [name, value] of this.carried) view.carried.set(name, value);
    view.startInteraction();
    try {
      return await this.#deps.runWith(view, () => run(view));
    } catch (error) {
      if (isAbort(error)) view.#interactions.take(); // it was the caller's wish, and says nothing of the nodes
      else view.failInteraction(error);
      throw error;
    } finally {
      view.finishInteraction();
    }
  }

  setDeadline(seconds: number): void {
    if (!Number.isFinite(seconds) || seconds < 0) {
      const found = typeof seconds === "number" ? String(seconds) : JSON.stringify(seconds);
      throw new MdkError("invalid_argument", `Cannot set a deadline in ${found} s: wanted 0 or more seconds from now`);
    }
    this.#lowerTo(seconds * 1_000);
  }

  getRemainingTime(): number | null {
    const remainingMs = this.#shared.deadline.remainingMs();
    return remainingMs === null ? null : remainingMs / 1_000;
  }

  setProperty(key: string, value: Json): void {
    this.#put(key, requireProperty(key, value));
  }

  getProperty(key: string): Json | undefined {
    return this.#shared.properties.get(key);
  }

  hasProperty(key: string): boolean {
    return this.#shared.properties.has(key);
  }

  getEnvironment(): Environment {
    return { ...this.#shared.environment };
  }

  route(service: string, version: string, target: string, targetVersion: string): void {
    const routes = routesOf(this.#shared.properties.get("routes"));
    const one = { version, target, targetVersion };
    this.#put("routes", { ...Object.fromEntries(routes), [service]: [...(routes.get(service) ?? []), one] });
  }

  start_interaction(): void {
    this.startInteraction();
  }

  finish_interaction(): void {
    this.finishInteraction();
  }

  fail_interaction(reason: unknown): void {
    this.failInteraction(reason);
  }

  resolve_until(service: string, version: string | null | undefined, seconds: number): Promise<Node> {
    return this.resolveUntil(service, version, seconds);
  }

  resolve_async(service: string, version?: string | null): Promise<Node> {
    return this.resolve(service, version);
  }

  setTimeout(seconds: number): void {
    this.setDeadline(seconds);
  }

  #pick(service: string, version: string | null, options: ResolveOptions): Choice | Promise<Choice> {
    const { deadline, environment } = this.#shared;
    const remainingMs = deadline.remainingMs();
    if (remainingMs !== null && remainingMs <= 0) throw deadlineExceeded();
    const routed = this.#deps.experimental ? this.#routed(service, version) : null;
    const wanted = routed ?? { service, version };
    const { resolving } = this.#deps;
    const choice = resolving.pick(environment, wanted.service, wanted.version, options);
    if (choice !== null) {
      this.#interactions.note(choice);
      return choice;
    }
    return resolving.wait({ environment, ...wanted, options, remainingMs }).then((found) => {
      this.#interactions.note(found);
      return found;
    });
  }

  /** The first route of the session that is about what is asked for. */
  #routed(service: string, version: string | null): { service: string; version: string | null } | null {
    const routes = routesOf(this.#shared.properties.get("routes")).get(service) ?? [];
    const route = routes.find((one) => version === null || meetsRequirement(version, one.version));
    return route === undefined ? null : { service: route.target, version: route.targetVersion };
  }

  #put(key: string, value: Json): void {
    const { properties, traceId, clock, environment } = this.#shared;
    const next = new Map(properties).set(key, value);
    const text = writeContext({ traceId, clock, properties: next, environment });
    const bytes = utf8Length(text);
    if (bytes > CONTEXT_BYTES_MAX - RESERVE_BYTES) {
      const why = `the context would have ${bytes} bytes, wanted ${CONTEXT_BYTES_MAX - RESERVE_BYTES} at the most`;
      throw new MdkError("limit_exceeded", `Cannot set the property ${JSON.stringify(key.slice(0, 100))}: ${why}`);
    }
    if (depthOf(text) > CONTEXT_DEPTH_MAX) {
      const why = `the context would be nested deeper than ${CONTEXT_DEPTH_MAX}`;
      throw new MdkError("invalid_argument", `Cannot set the property ${JSON.stringify(key.slice(0, 100))}: ${why}`);
    }
    properties.set(key, value);
  }

  #lowerTo(ms: number): void {
    if (this.#shared.deadline.lower(ms)) this.#sayDeadline(ms);
  }

  #sayDeadline(ms: number): void {
    this.#shared.properties.set("timeout", Math.round(this.#deps.clock.nowMs() + ms) / 1_000);
  }

  /** Takes the deadline that came with the context; one that is no number is none. */
  #readDeadline(): void {
    const { properties, deadline } = this.#shared;
    const timeout = properties.get("timeout");
    if (timeout === undefined) return;
    if (typeof timeout === "number") deadline.lower(timeout * 1_000 - this.#deps.clock.nowMs());
    else properties.delete("timeout");
  }

  #write(): string {
    return writeContext(this.#shared);
  }

  #tick(): void {
    const { clock } = this.#shared;
    clock[clock.length - 1] = (clock.at(-1) ?? 0) + 1;
  }

  #log(level: Level, category: string, text: string): LoggedMessage {
    this.#tick();
    const { traceId, environment, properties } = this.#shared;
    const clock = [...this.#shared.clock];
    const asked = asLevel(properties.get("trace")) ?? DEFAULT_LEVEL;
    if (isLogged(level, asked)) {
      const { node, log } = this.#deps;
      const timestamp = this.#deps.clock.nowMs();
      const about = { category: categoryOf(category), text: textOf(text), environment: environment.name };
      log({ traceId, clock, timestamp, node, level, ...about });
    }
    return { traceId, clock: [...clock], environment: environment.name };
  }

  #pauseMs(breaker: Choice["breaker"]): number {
    return Math.max(0, (breaker.untilMs ?? 0) - this.#deps.clock.monotonicMs());
  }
}

/** The time to wait for a node: what was asked for in seconds, else 10 s, and no longer than the session has. */
export function waitMsOf({ options, remainingMs }: Pick<ResolveQuery, "options" | "remainingMs">): number {
  const { timeout } = options;
  if (timeout !== undefined && (Number.isNaN(timeout) || timeout < 0))
    throw new MdkError("invalid_argument", `Cannot wait for ${timeout} s: wanted 0 or more seconds`);
  return Math.min(timeout === undefined ? RESOLVE_MS_MAX : timeout * 1_000, remainingMs ?? Number.POSITIVE_INFINITY);
}

interface SessionRoute {
  readonly [key: string]: string;
  readonly version: string;
  readonly target: string;
  readonly targetVersion: string;
}

/** The routes of a session by service, as far as they can be read: they may have come from outside. */
function routesOf(value: Json | undefined): Map<string, SessionRoute[]> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return new Map();
  return new Map(
    Object.entries(value).map(([service, list]: [string, unknown]) => [
      service,
      Array.isArray(list) ? list.filter(isSessionRoute) : [],
    ]),
  );
}

function isSessionRoute(value: unknown): value is SessionRoute {
  if (typeof value !== "object" || value === null) return false;
  const { version, target, targetVersion } = value as Record<string, unknown>;
  return [version, target, targetVersion].every((part) => typeof part === "string");
}

/** Whether something ended because its caller wanted it to. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

function describe(reason: unknown): string {
  return reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason);
}
