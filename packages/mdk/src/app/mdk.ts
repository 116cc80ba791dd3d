import { randomUUID } from "node:crypto";
import { isName } from "@datawire/protocol";
import { VERSION } from "@datawire/runtime";
import { CallCounts } from "../connection/call-counts.ts";
import { type Registration, Registrar } from "../connection/registrar.ts";
import { describeInstance, type RegisterOptions } from "../connection/registration.ts";
import { DirectorySource } from "../connection/sources/directory-source.ts";
import type { LinkGuest } from "../connection/sources/guests.ts";
import type { Source, SourceEvents } from "../connection/sources/source.ts";
import { createStaticSource } from "../connection/sources/static-source.ts";
import { SynapseSource } from "../connection/sources/synapse-source.ts";
import { Timers } from "../connection/timers.ts";
import { LogReaders, type LogsOptions } from "../logs/log-readers.ts";
import { LogSender } from "../logs/log-sender.ts";
import { Resolver } from "../resolve/resolver.ts";
import { CONTEXT_HEADER, SANDBOX } from "../session/context.ts";
import type { FinishedInteraction } from "../session/deps.ts";
import type { LogEvent } from "../session/log-event.ts";
import { MdkError } from "../session/mdk-error.ts";
import type { LiveSession } from "../session/session.ts";
import { type JoinOptions, Sessions } from "../session/sessions.ts";
import { isLoopbackHost, matchesHost } from "../headers/hosts.ts";
import { activeTraceId } from "./active-span.ts";
import { currentSession, withSession } from "./current-session.ts";
import { loadProof } from "./proof.ts";
import { Readiness } from "./readiness.ts";
import type { MdkSettings } from "./settings.ts";
import type { Mdk } from "./types.ts";

/** How long `stop` waits for what is on its way. */
const STOP_MS_MAX = 2_000;

/** Of a UUID, whose randomness is drawn in advance: 8 bytes of their own cost ten times as much. */
function newSpanId(): string {
  const uuid = randomUUID();
  // The digits of these places are random in every bit.
  return uuid.slice(0, 8) + uuid.slice(28);
}

/** Told of what goes on in all sessions of this process. */
export interface Observer {
  logged(event: LogEvent): void;
  interacted(interaction: FinishedInteraction): void;
  /** The library stops: what is not sent yet has to be sent now. */
  stopping(): Promise<void>;
}

type Life = "new" | "running" | "stopped";

/** The parts of the library, put together. */
export class Application implements Mdk {
  readonly id = randomUUID();
  readonly name: string;
  readonly CONTEXT_HEADER = CONTEXT_HEADER;
  readonly settings: MdkSettings;
  readonly sessions: Sessions;
  readonly resolver: Resolver;
  readonly observers = new Set<Observer>();
  readonly #timers = new Timers();
  readonly #registrar = new Registrar(this.#timers);
  readonly #sender: LogSender;
  readonly #readers = new LogReaders();
  readonly #counts: CallCounts;
  /** By environment. */
  readonly #sources = new Map<string, Source>();
  /** Counts the links beside that of the process's own environment. */
  #others = 0;
  readonly #main: Source;
  readonly #readiness: Readiness;
  #life: Life = "new";
  #stopping: Promise<void> | null = null;

  constructor(settings: MdkSettings) {
    const { name, zone, breaker, environment, experimental } = settings;
    this.settings = settings;
    this.name = name;
    this.#counts = new CallCounts(environment.name, this.#timers.background);
    this.resolver = new Resolver(
      { caller: { caller: name, zone }, breaker },
      {
        clock: this.#timers,
        random: Math.random,
        sourceOf: (one) => this.#sourceOf(one),
        release: (one) => this.#release(one),
      },
    );
    this.sessions = new Sessions(environment, {
      clock: this.#timers.background,
      node: this.id,
      log: (event) => this.#log(event),
      interacted: (interaction) => {
        for (const observer of this.observers) observer.interacted(interaction);
      },
      called: (outcome) => this.#counts.add(outcome),
      resolving: this.resolver,
      runWith: withSession,
      experimental,
      newTraceId: randomUUID,
      newSpanId,
      activeTraceId,
      calls: {
        knows: (environment, service) => this.resolver.knows(environment, service),
        isOurs: (url) => this.#isOurs(url),
      },
    });
    const own = this.sessions.create();
    this.#sender = new LogSender({ clock: this.#timers, tellDropped: (count) => this.#dropped(own, count) });
    this.#main = this.resolver.follow(environment.name) as Source;
    this.#readiness = new Readiness(this.#main);
  }

  get isStopped(): boolean {
    return this.#life === "stopped";
  }

  start(): this {
    if (this.#life === "stopped") throw new MdkError("stopped", "Cannot start the library again: make another one");
    if (this.#life === "running") return this;
    const { fallbackName } = this.settings.environment;
    if (fallbackName !== null) this.resolver.follow(fallbackName);
    // What is followed from here on is started as it comes.
    this.#life = "running";
    for (const source of this.#sources.values()) source.start();
    this.#readiness.look();
    return this;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async ready({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#readiness.wait(signal);
  }

  register(service: string, version: string | null, address: string, options: RegisterOptions = {}): Registration {
    if (this.#life === "stopped") throw new MdkError("stopped", `Cannot register ${service}: the library is stopped`);
    const { zone } = this.settings;
    const said = describeInstance({ service, version, address }, { ...(zone !== null && { zone }), ...options });
    const registration = this.#registrar.register(said);
    const denial = this.#main.denial() ?? this.#withoutDirectory("register");
    if (denial !== null) this.#registrar.fail(denial);
    return registration;
  }

  session(): LiveSession {
    return this.sessions.create();
  }

  join(context: string | null | undefined, options?: JoinOptions): LiveSession {
    return this.sessions.join(context, options);
  }

  derive(context: string | null | undefined): LiveSession {
    return this.sessions.derive(context);
  }

  setDefaultDeadline(seconds: number): void {
    this.sessions.setDefaultDeadline(seconds);
  }

  setDefaultTimeout(seconds: number): void {
    this.setDefaultDeadline(seconds);
  }

  setDeadline(seconds: number): void {
    const session = currentSession();
    if (session === undefined)
      throw new MdkError("invalid_argument", "Cannot set the deadline: there is no current session here");
    session.setDeadline(seconds);
  }

  logs(options?: LogsOptions): AsyncIterable<LogEvent> {
    const refusal = this.#withoutDirectory("read logs");
    if (refusal !== null) throw refusal;
    return this.#readers.read(options);
  }

  /** Why something cannot be done where the nodes come from elsewhere; null with a directory. */
  #withoutDirectory(what: string): MdkError | null {
    const { kind } = this.settings.source;
    if (kind === "directory") return null;
    return new MdkError("unsupported", `Cannot ${what}: the nodes come from ${kind}, and there is no directory`);
  }

  async #stop(): Promise<void> {
    const wasRunning = this.#life === "running";
    this.#life = "stopped";
    this.resolver.stop();
    this.#readiness.stop();
    this.#readers.stop();
    this.#counts.tell();
    const withdrawn = this.#registrar.withdraw();
    const told = [...this.observers].map((observer) => observer.stopping());
    if (wasRunning) await this.#timeLimited(Promise.all([withdrawn, this.#sender.flushed(), ...told]));
    await Promise.all([...this.#sources.values()].map((source) => source.stop()));
    this.#timers.end();
  }

  async #timeLimited(work: Promise<unknown>): Promise<void> {
    const done = new AbortController();
    await Promise.race([work, this.#timers.sleep(STOP_MS_MAX, done.signal)]);
    done.abort();
  }

  #sourceOf(environment: string): Source {
    const events: SourceEvents = {
      changed: (services) => this.resolver.changed(environment, services),
      settled: () => {
        this.#readiness.look();
        const denial = this.#main.denial();
        if (denial !== null) this.#refused(denial);
      },
    };
    const source = this.#createSource(environment, events);
    this.#sources.set(environment, source);
    if (this.#life === "running") source.start();
    return source;
  }

  #release(environment: string): void {
    const source = this.#sources.get(environment);
    this.#sources.delete(environment);
    void source?.stop();
  }

  #createSource(environment: string, events: SourceEvents): Source {
    const { source, directories, name, zone, table } = this.settings;
    const clock = this.#timers;
    if (source.kind === "static") return createStaticSource(source.nodes);
    if (source.kind === "synapse") return new SynapseSource(source.folder, { clock, events });
    const isOwn = environment === this.settings.environment.name;
    // Two links with one id would be taken for one program that is there twice.
    const id = isOwn ? this.id : `${this.id}.${++this.#others}`;
    const identity = { kind: "library" as const, name, id, version: VERSION, zone, environment };
    const fileOf = (i: number): string => [table, ...(isOwn ? [] : [environment]), ...(i === 0 ? [] : [i])].join(".");
    const guests: LinkGuest[] = isOwn ? [this.#registrar, this.#sender, this.#readers, this.#counts] : [];
    return new DirectorySource(
      { directories, identity, tableFile: table === null ? null : fileOf },
      { clock, events, guests, proof: () => loadProof(this.settings) },
    );
  }

  /** The directory does not take this program: nobody need wait for it. */
  #refused(denial: MdkError): void {
    this.#registrar.fail(denial);
    if (this.#main.missing() !== null) this.resolver.fail(denial);
  }

  /** Whether a host may be sent the context: an instance of the table, this machine, or one that the options name. */
  #isOurs({ hostname, host }: URL): boolean {
    if (isLoopbackHost(hostname) || matchesHost(hostname, this.settings.propagate)) return true;
    return this.resolver.hasHost(host);
  }

  #log(event: LogEvent): void {
    for (const observer of this.observers) observer.logged(event);
    const { node: _node, ...rest } = event;
    // The directory takes names alone, and the environment of a session may have come from outside.
    const environment = isName(rest.environment) ? rest.environment : SANDBOX.name;
    const isSent = this.#life !== "stopped" && this.settings.source.kind === "directory";
    if (isSent) this.#sender.add({ ...rest, clock: [...rest.clock], environment });
  }

  #dropped(session: LiveSession, count: number) {
    const { traceId, clock, environment } = session.debug("mdk", "Log events were dropped");
    const text = `${count} log events were dropped: the directory was away for longer than they can wait`;
    return { traceId, clock, environment, timestamp: Date.now(), level: "WARN" as const, category: "mdk", text };
  }
}
