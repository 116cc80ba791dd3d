import type { Observer } from "../app/mdk.ts";
import type { FinishedInteraction } from "../session/deps.ts";
import type { LogEvent } from "../session/log-event.ts";
import { logsRequest, type OtlpResource, spansRequest } from "./otlp.ts";

/** Where spans and logs are sent, and as what. */
export interface OtlpExporterConfig {
  /** Where `/v1/logs` and `/v1/traces` are. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: OtlpResource;
  readonly hasLogs: boolean;
}

/** What waits to be exported, of each kind; then the oldest go. */
const QUEUE_MAX = 2_048;
const BATCH_MAX = 512;
const PERIOD_MS = 1_000;
const REQUEST_MS_MAX = 5_000;

/** Sends logs and interactions to an OTLP endpoint, in batches. What it does not take in time is dropped. */
export class OtlpExporter implements Observer {
  readonly #config: OtlpExporterConfig;
  readonly #events: LogEvent[] = [];
  readonly #interactions: FinishedInteraction[] = [];
  #timer: NodeJS.Timeout | null = null;
  #sending: Promise<void> = Promise.resolve();

  constructor(config: OtlpExporterConfig) {
    this.#config = config;
  }

  logged(event: LogEvent): void {
    if (!this.#config.hasLogs) return;
    keep(this.#events, event);
    this.#schedule();
  }

  interacted(interaction: FinishedInteraction): void {
    keep(this.#interactions, interaction);
    this.#schedule();
  }

  async stopping(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#sending;
    await this.#flush();
  }

  #schedule(): void {
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#sending = this.#flush();
    }, PERIOD_MS).unref();
  }

  async #flush(): Promise<void> {
    const { resource } = this.#config;
    while (this.#events.length > 0) {
      const body = logsRequest(resource, this.#events.splice(0, BATCH_MAX));
      if (!(await this.#post("/v1/logs", body))) break;
    }
    while (this.#interactions.length > 0) {
      const body = spansRequest(resource, this.#interactions.splice(0, BATCH_MAX));
      if (!(await this.#post("/v1/traces", body))) break;
    }
  }

  /** Posts a batch once. @returns whether the endpoint took it; a batch that it did not take is lost, and the next one comes soon */
  async #post(path: string, body: object): Promise<boolean> {
    const { endpoint, headers } = this.#config;
    try {
      const response = await fetch(endpoint.replace(/\/$/, "") + path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(REQUEST_MS_MAX),
      });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }
}

function keep<T>(queue: T[], one: T): void {
  if (queue.length >= QUEUE_MAX) queue.shift();
  queue.push(one);
}
