import type { Context, Environment } from "./context.ts";
import { deadlineExceeded } from "./deadline.ts";
import type { NodeAnswer, ResolveQuery, SessionDeps } from "./deps.ts";
import { type InteractionInfo, Interactions } from "./interactions.ts";
import type { Json } from "./json.ts";
import { type Level, parseLevel } from "./levels.ts";
import { MdkError } from "./mdk-error.ts";
import type { Choice, Node } from "./node.ts";
import { requireProperty } from "./properties.ts";
import { routed, withRoute } from "./session-routes.ts";
import { SessionState } from "./session-state.ts";
import type { LoggedMessage, ResolveOptions, Session } from "./types.ts";

const NO_OPTIONS: ResolveOptions = {};

type Picked =
  | { readonly choice: Choice; readonly query: null }
  | { readonly choice: null; readonly query: ResolveQuery };

/** A session: what belongs to one request, wherever it goes. */
export class LiveSession implements Session {
  readonly #state: SessionState;
  readonly #deps: SessionDeps;
  readonly #interactions: Interactions;
  /** Headers of other kinds of contexts that came with the request and go on with it, by their names. */
  readonly carried = new Map<string, string>();
  /** The span of whoever called, or of the interaction that this one is within; null where none is known. */
  parentSpanId: string | null = null;

  private constructor(state: SessionState, deps: SessionDeps) {
    this.#state = state;
    this.#deps = deps;
    this.#interactions = new Interactions(deps.clock.nowMs());
  }

  /** Makes a session that has this context, as it is. */
  static of(context: Context, deps: SessionDeps): LiveSession {
    return new LiveSession(new SessionState(context, deps), deps);
  }

  get traceId(): string {
    return this.#state.traceId;
  }

  get signal(): AbortSignal {
    return this.#state.deadline.signal;
  }

  /** The id of its trace as W3C has it; null where it has none. */
  get w3cTraceId(): string | null {
    return this.#state.w3cTraceId;
  }

  /** The span that a call from here belongs to. */
  callSpanId(): string {
    return this.#spanId() ?? this.#deps.newSpanId();
  }

  /** Whether `http://NAME/` means that service. */
  knowsService(name: string): boolean {
    return this.#deps.calls.knows(this.#state.environment, name);
  }

  /** Whether the server of a URL may be sent the context. */
  mayTell(url: URL): boolean {
    return this.#deps.calls.isOurs(url);
  }

  /** Replaces the absolute deadline that came by what is left of it, which needs no equal clocks. */
  replaceDeadline(remainingMs: number): void {
    this.#state.replaceDeadline(remainingMs);
  }

  externalize(): string {
    return this.#state.externalize();
  }

  inject(): string {
    return this.externalize();
  }

  critical(category: string, text: string): LoggedMessage {
    return this.#state.log("CRITICAL", category, text);
  }

  error(category: string, text: string): LoggedMessage {
    return this.#state.log("ERROR", category, text);
  }

  warn(category: string, text: string): LoggedMessage {
    return this.#state.log("WARN", category, text);
  }

  info(category: string, text: string): LoggedMessage {
    return this.#state.log("INFO", category, text);
  }

  debug(category: string, text: string): LoggedMessage {
    return this.#state.log("DEBUG", category, text);
  }

  trace(level: Level): void {
    this.#state.setLevel(parseLevel(level));
  }

  resolve(service: string, version: string | null = null, options: ResolveOptions = NO_OPTIONS): Promise<Node> {
    try {
      const { choice, query } = this.#pick(service, version, options);
      if (choice !== null) return Promise.resolve(this.#noted(choice));
      return this.#deps.resolving.wait(query).then((found) => this.#noted(found));
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  resolveUntil(service: string, version: string | null | undefined, seconds: number): Promise<Node> {
    return this.resolve(service, version ?? null, { timeout: seconds });
  }

  /**
   * A node for a call that its maker reports the outcome of itself, with its breaker: at once where there is one. Unlike
   * `resolve` it ends at the deadline with `deadline_exceeded`, as the call would. @throws MdkError
   */
  choose(service: string, version: string | null, options: ResolveOptions): Choice | Promise<Choice> {
    const found = this.#pick(service, version, options);
    if (found.choice !== null) return found.choice;
    const { deadline } = this.#state;
    const signals = options.signal === undefined ? [] : [options.signal];
    const signal = deadline.remainingMs() === null ? options.signal : AbortSignal.any([deadline.signal, ...signals]);
    const bounded = { ...options, ...(signal !== undefined && { signal }) };
    return this.#deps.resolving.wait({ ...found.query, options: bounded, remainingMs: null });
  }

  /**
   * A call failed, as whoever made it knows.
   * @param answer null for a call that was reported already
   */
  reportFailure({ node, breaker }: Choice, answer: NodeAnswer | null = UNSAID): void {
    if (answer !== null) this.#deps.called({ node, failed: true, ...answer });
    if (breaker.failed(this.#deps.clock.monotonicMs()) === "tripped") {
      const until = new Date(this.#deps.clock.nowMs() + this.#pauseMs(breaker)).toISOString();
      this.warn("mdk", `Circuit breaker of ${node.service} at ${node.address} has tripped: no calls until ${until}`);
    }
  }

  reportSuccess({ node, breaker }: Choice, answer: NodeAnswer | null = UNSAID): void {
    if (answer !== null) this.#deps.called({ node, failed: false, ...answer });
    if (breaker.succeeded() === "closed")
      this.info("mdk", `Circuit breaker of ${node.service} at ${node.address} has closed`);
  }

  startInteraction(info?: InteractionInfo): void {
    this.#interactions.start(this.#deps.clock.nowMs(), info);
    this.info("MDK", "Starting interaction.");
  }

  finishInteraction(): void {
    for (const choice of this.#finish()) this.reportSuccess(choice);
  }

  /** Ends the interaction without a word on what it resolved: nobody knows how that went. */
  abandonInteraction(): void {
    this.#finish();
  }

  failInteraction(reason: unknown): void {
    const choices = this.#interactions.take();
    const addresses = choices.map(({ node }) => `${node.service} at ${node.address}`).join(", ");
    const involved = choices.length === 0 ? "no dependent services involved" : `involved: ${addresses}`;
    const why = describe(reason);
    this.#interactions.fail(why);
    this.error("interaction failure", `${involved}\n\n${why}`);
    for (const choice of choices) this.reportFailure(choice);
  }

  async interact<T>(run: (session: Session) => T | Promise<T>): Promise<T> {
    // A view of its own: what interactions at the same time resolve must not mix.
    const view = new LiveSession(this.#state, this.#deps);
    for (const [name, value] of this.carried) view.carried.set(name, value);
    view.parentSpanId = this.#spanId();
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
    this.#state.lowerDeadline(seconds * 1_000);
  }

  getRemainingTime(): number | null {
    const remainingMs = this.#state.deadline.remainingMs();
    return remainingMs === null ? null : remainingMs / 1_000;
  }

  setProperty(key: string, value: Json): void {
    this.#state.put(key, requireProperty(key, value));
  }

  getProperty(key: string): Json | undefined {
    return this.#state.property(key);
  }

  hasProperty(key: string): boolean {
    return this.#state.hasProperty(key);
  }

  getEnvironment(): Environment {
    return { ...this.#state.environment };
  }

  route(service: string, version: string, target: string, targetVersion: string): void {
    this.#state.put("routes", withRoute(this.#state.property("routes"), service, { version, target, targetVersion }));
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

  /** What there is now, and what to wait for where that is nothing. */
  #pick(service: string, version: string | null, options: ResolveOptions): Picked {
    const { deadline, environment } = this.#state;
    const remainingMs = deadline.remainingMs();
    if (remainingMs !== null && remainingMs <= 0) throw deadlineExceeded();
    const { experimental, resolving } = this.#deps;
    const elsewhere = experimental ? routed(this.#state.property("routes"), service, version) : null;
    const wanted = elsewhere ?? { service, version };
    const choice = resolving.pick(environment, wanted.service, wanted.version, options);
    if (choice !== null) return { choice, query: null };
    return { choice, query: { environment, ...wanted, options, remainingMs } };
  }

  #finish(): readonly Choice[] {
    const own = this.#interactions.spanId(this.#deps.newSpanId);
    const { choices, startedMs, failure, info } = this.#interactions.finish();
    this.info("MDK", "Finished interaction.");
    const { traceId, environment } = this.#state;
    const endedMs = this.#deps.clock.nowMs();
    const ids = { traceId, spanId: own ?? this.#deps.newSpanId(), parentId: this.#spanId() };
    this.#deps.interacted({ ...info, ...ids, startedMs, endedMs, failure, environment: environment.name });
    return choices;
  }

  #spanId(): string | null {
    return this.#interactions.spanId(this.#deps.newSpanId) ?? this.parentSpanId;
  }

  #noted(choice: Choice): Node {
    this.#interactions.note(choice);
    return choice.node;
  }

  #pauseMs(breaker: Choice["breaker"]): number {
    return Math.max(0, (breaker.untilMs ?? 0) - this.#deps.clock.monotonicMs());
  }
}

/** Of an interaction it is known how it went, and no more. */
const UNSAID: NodeAnswer = { status: null, ms: null };

/** Whether something ended because its caller wanted it to. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

function describe(reason: unknown): string {
  return reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason);
}
