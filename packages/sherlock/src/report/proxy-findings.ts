import { type Clock, describeError, type Logger, type ProblemBoard, readResponseHead } from "@datawire/runtime";
import type { ServerCounts } from "../core/observe/statistics.ts";
import { problemsOfFinding } from "../core/observe/finding-problem.ts";
import { type Finding, Findings, type Observed, type Question } from "../core/observe/findings.ts";
import { parseRefusedAnswer } from "../core/observe/show-errors.ts";
import type { TlsTarget } from "../setup/tls-failure.ts";
import type { BackendNames } from "../haproxy/backend-names.ts";
import type { RuntimeApi } from "../haproxy/runtime-api.ts";
import type { Planning } from "../inputs/planning.ts";

/** What looking for unreachable instances works with. */
export interface ProxyFindingsDeps {
  readonly clock: Pick<Clock, "nowMs" | "monotonicMs">;
  readonly log: Logger;
  readonly runtime: Pick<RuntimeApi, "ask">;
  readonly planning: Pick<Planning, "current">;
  readonly names: Pick<BackendNames, "inUse">;
  readonly board: Pick<ProblemBoard, "set">;
  /** Told of a host at whose address nothing can be reached: its name may have another one by now. */
  readonly onUnreachable: (host: string) => void;
  /** Why no TLS comes about with a server; null when it does. */
  readonly findTlsFailure: (target: TlsTarget) => Promise<string | null>;
}

/** So many questions at one look; the others are asked at the next. */
const QUESTIONS_MAX = 8;
const EVENTS_MAX = 1_000;
/** Of the hosts that cannot be reached, at one look. */
const HOSTS_MAX = 8;
/** What is told of an answer that HAProxy refused when it has not kept it. */
const UNKNOWN_ANSWER = "it is no valid HTTP";

/**
 * Tells what HAProxy finds of instances that Watson believes live: the one sees them from where they are, the other from
 * where the requests come from, and with a parser and a verification of its own.
 */
export class ProxyFindings {
  readonly #deps: ProxyFindingsDeps;
  readonly #findings = new Findings();
  /** backend → the refused answer that was read last. */
  readonly #events = new Map<string, string>();
  readonly #asking = new Set<string>();
  #told = new Map<string, string>();

  constructor(deps: ProxyFindingsDeps) {
    this.#deps = deps;
  }

  /** Takes a look at HAProxy's statistics. */
  async look(counts: readonly ServerCounts[]): Promise<void> {
    const questions = this.#findings.look(counts, (backend, server) => this.#observe(backend, server), {
      wallMs: this.#deps.clock.nowMs(),
      monotonicMs: this.#deps.clock.monotonicMs(),
    });
    for (const question of questions.slice(0, QUESTIONS_MAX)) {
      if (question.about === "answer") await this.#readAnswer(question);
      // Not waited for: the look may be one that a reload waits for.
      else void this.#tryTls(question);
    }
    // A server is named for what `Host` says, with the port where it has one.
    const hosts = new Set(this.#unreachable().map(({ server }) => server.replace(/:\d+$/, "")));
    for (const host of [...hosts].slice(0, HOSTS_MAX)) this.#deps.onUnreachable(host);
    this.#tell();
  }

  #unreachable(): Finding[] {
    return this.#findings.list().filter(({ kind }) => kind === "unreachable");
  }

  /** The instances that get no request, by `SERVICE@INSTANCE`, with why. */
  unreachable(): Map<string, string> {
    const problems = this.#unreachable().flatMap(problemsOfFinding);
    return new Map(problems.map(({ subject, message }) => [subject.replace("//", ""), message]));
  }

  #observe(backend: string, server: string): Observed | null {
    const plan = this.#deps.planning.current;
    const structure = plan?.structure.backends.get(backend);
    const planned = plan?.servers.get(backend)?.get(server);
    if (structure === undefined || planned === undefined) return null;
    const { protocol, tls, tlsVerify } = structure;
    return { ...planned, isTcp: protocol === "tcp", tls: tls ? { verify: tlsVerify } : null };
  }

  async #readAnswer(question: Question): Promise<void> {
    const { backend, server } = question;
    const { names } = this.#deps;
    try {
      const refused = parseRefusedAnswer(await this.#deps.runtime.ask(`show errors ${names.inUse(backend)} response`));
      if (refused === null || refused.server !== server || refused.event === this.#events.get(backend)) return;
      if (this.#events.size >= EVENTS_MAX) this.#events.clear(); // those of backends that have gone, mostly
      this.#events.set(backend, refused.event);
      const head = readResponseHead(refused.bytes);
      this.#findings.explain(question, head.state === "invalid" ? head.reason : UNKNOWN_ANSWER);
    } catch (error) {
      this.#deps.log.debug("HAProxy does not say which answer it refused", { backend, error: describeError(error) });
    }
  }

  async #tryTls(question: Question): Promise<void> {
    const { backend, server, observed } = question;
    const { address, port, tlsName: name, tls } = observed;
    const id = `${backend}/${server}`;
    if (this.#asking.has(id)) return;
    this.#asking.add(id);
    try {
      const failure = await this.#deps.findTlsFailure({ address, port, name, verify: tls?.verify ?? true });
      const where = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
      if (failure !== null) this.#findings.explain(question, `no TLS with ${where}: ${failure}`);
      this.#tell();
    } catch (error) {
      this.#deps.log.debug("TLS was not tried", { server: id, error: describeError(error) });
    } finally {
      this.#asking.delete(id);
    }
  }

  #tell(): void {
    const { board, log } = this.#deps;
    const problems = this.#findings.list().flatMap(problemsOfFinding);
    board.set("instances", problems);
    const now = new Map(problems.map(({ subject, finding, message }) => [`${subject} ${finding?.kind}`, message]));
    for (const [key, message] of now) {
      if (!this.#told.has(key)) log.warn("HAProxy cannot use what is announced as live", { what: key, message });
    }
    for (const key of this.#told.keys()) {
      if (!now.has(key)) log.info("HAProxy can use it again, or it is no longer announced", { what: key });
    }
    this.#told = now;
  }
}
