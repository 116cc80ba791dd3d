import { type CatalogUpdate, type LinkSession, type Position, ReportPace } from "@datawire/link";
import { bucketOf, type Counter, toHistogram } from "@datawire/protocol";
import type { Clock } from "@datawire/runtime";
import type { CallOutcome } from "../session/deps.ts";
import type { Node } from "../session/node.ts";
import type { LinkGuest } from "./sources/guests.ts";

/** Nodes of which calls are counted within one report; of others they are not. */
const NODES_MAX = 5_000;
/** So many with full histograms fit into a frame. */
const MESSAGE_LINES_MAX = 500;

/** What calls to one node have come to. */
interface Line {
  requests: number;
  readonly responses: [number, number, number, number, number];
  failures: number;
  /** How many of the requests have a known time: those that `sumMs`, `maxMs` and `took` are of. */
  timed: number;
  sumMs: number;
  maxMs: number;
  /** How many took how long, by the first millisecond of the bucket. */
  readonly took: Map<number, number>;
}

/**
 * Counts calls for the directories, as a Sherlock counts those that go through it: by node, with their answers and how
 * long these took. What is counted while no directory is there is told to none.
 */
export class CallCounts implements LinkGuest {
  readonly #environment: string;
  readonly #clock: Pick<Clock, "monotonicMs" | "setTimer">;
  readonly #pace = new ReportPace();
  readonly #lines = new Map<Node, Line>();
  /** Which table of each directory calls go by; null for none of this link yet. */
  readonly #positions = new Map<LinkSession, Position | null>();
  /** The same when the first of these calls ended. */
  #since: ReadonlyMap<LinkSession, Position | null> = new Map();
  #fromMs = 0;
  #cancel: () => void = () => {};

  /** @param environment the one whose table the links bring */
  constructor(environment: string, clock: Pick<Clock, "monotonicMs" | "setTimer">) {
    this.#environment = environment;
    this.#clock = clock;
  }

  connected(link: LinkSession): void {
    this.#positions.set(link, null);
  }

  disconnected(link: LinkSession): void {
    this.#positions.delete(link);
  }

  message(): void {}

  followed(link: LinkSession, { position, routes }: CatalogUpdate): void {
    this.#positions.set(link, position);
    if (!routes) return;
    // What went by the routes before is told apart from what goes by these.
    this.tell();
    this.#pace.changed(this.#clock.monotonicMs());
  }

  add({ node, failed, status, ms }: CallOutcome): void {
    if (this.#positions.size === 0 || node.environment !== this.#environment) return;
    const line = this.#lines.get(node) ?? this.#begin(node);
    if (line === null) return;
    line.requests += 1;
    const known = status === null ? (failed ? null : 200) : status;
    const kind = known === null ? -1 : Math.floor(known / 100) - 1;
    if (kind >= 0 && kind < line.responses.length) line.responses[kind as 0] += 1;
    else line.failures += 1;
    if (ms === null) return;
    line.timed += 1;
    line.sumMs += ms;
    line.maxMs = Math.max(line.maxMs, ms);
    const bucket = bucketOf(ms);
    line.took.set(bucket, (line.took.get(bucket) ?? 0) + 1);
  }

  /** Tells what was counted by now. */
  tell(): void {
    this.#cancel();
    if (this.#lines.size === 0) return;
    const periodMs = Math.max(1, Math.ceil(this.#clock.monotonicMs() - this.#fromMs));
    const counters = [...this.#lines].map(([node, line]) => counterOf(node, line));
    this.#lines.clear();
    for (const link of this.#positions.keys()) {
      const since = this.#since.get(link) ?? null;
      for (let from = 0; from < counters.length; from += MESSAGE_LINES_MAX)
        link.send({ type: "counters", periodMs, since, counters: counters.slice(from, from + MESSAGE_LINES_MAX) });
    }
  }

  #begin(node: Node): Line | null {
    if (this.#lines.size >= NODES_MAX) return null;
    if (this.#lines.size === 0) {
      this.#fromMs = this.#clock.monotonicMs();
      this.#since = new Map(this.#positions);
      this.#cancel = this.#clock.setTimer(this.#pace.waitMs(this.#fromMs), () => this.tell());
    }
    const line: Line = {
      requests: 0,
      responses: [0, 0, 0, 0, 0],
      failures: 0,
      timed: 0,
      sumMs: 0,
      maxMs: 0,
      took: new Map(),
    };
    this.#lines.set(node, line);
    return line;
  }
}

function counterOf({ service, version, id }: Node, line: Line): Counter {
  const { requests, responses, failures, timed, sumMs, maxMs, took } = line;
  return {
    service,
    version,
    instance: id,
    requests,
    responses,
    failures,
    latencyMs: timed === 0 ? null : { average: sumMs / timed, max: maxMs },
    ...(took.size === 0 ? {} : { latencies: [...toHistogram(took)] }),
  };
}
