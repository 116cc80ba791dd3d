import type { Logger } from "@datawire/runtime";
import { findCulprits, serviceOfLine } from "../core/render/culprits.ts";
import type { Plan } from "../core/model/plan.ts";
import { type RenderSettings, viewOf } from "../core/render/render.ts";
import type { ConfigFiles, Refusal } from "../haproxy/config-files.ts";
import type { Template } from "../setup/template.ts";

/**
 * Makes the plan without some services, which are named with what HAProxy said of them.
 * @param kept those of them that may stay as they were before.
 */
export type MakePlan = (leftOut: ReadonlyMap<string, string>, kept: ReadonlySet<string>) => Plan;

/** A configuration that HAProxy accepts, validated and waiting to be installed. */
export interface Candidate {
  readonly plan: Plan;
  readonly text: string;
}

export interface ConfiguratorDeps {
  readonly template: Template;
  readonly files: ConfigFiles;
  readonly log: Logger;
}

/** HAProxy refuses the configuration, and no service can be blamed. */
export class ConfigurationRefused extends Error {
  override readonly name = "ConfigurationRefused";
}

const ROUNDS_MAX = 10;
const NONE: ReadonlySet<string> = new Set();

/** Renders and validates, leaving out the services whose part HAProxy refuses. */
export class Configurator {
  readonly #settings: RenderSettings;
  readonly #deps: ConfiguratorDeps;
  readonly #leftOut = new Map<string, string>();
  /** Those that were refused as they had been before, too. */
  readonly #dropped = new Set<string>();

  constructor(settings: RenderSettings, deps: ConfiguratorDeps) {
    this.#settings = settings;
    this.#deps = deps;
  }

  get leftOut(): ReadonlyMap<string, string> {
    return this.#leftOut;
  }

  /** Those of `leftOut` that may stay as they were before. */
  get kept(): ReadonlySet<string> {
    return new Set([...this.#leftOut.keys()].filter((service) => !this.#dropped.has(service)));
  }

  /** What changed may be accepted now. */
  release(services: Iterable<string>): void {
    for (const service of services) {
      this.#leftOut.delete(service);
      this.#dropped.delete(service);
    }
  }

  render(plan: Plan, generation: string): string {
    return this.#deps.template.render(viewOf(plan, this.#settings, generation));
  }

  /** @throws ConfigurationRefused, TemplateError */
  async prepare(makePlan: MakePlan, generation: string): Promise<Candidate> {
    const { files } = this.#deps;
    for (let round = 0; ; round++) {
      const plan = makePlan(this.#leftOut, this.kept);
      const text = this.render(plan, generation);
      await files.writeMaps(plan);
      const refusal = await files.validate(text);
      if (refusal === null) return { plan, text };
      const culprits = round < ROUNDS_MAX ? await this.#culprits(text, refusal, { makePlan, plan, generation }) : [];
      await files.keepRejected();
      if (culprits.length === 0) throw new ConfigurationRefused(this.#describe(text, refusal));
      for (const service of culprits) {
        this.#deps.log.error("Service left out, HAProxy refuses its part", { service, reason: refusal.message });
        if (this.#leftOut.has(service)) this.#dropped.add(service);
        this.#leftOut.set(service, `HAProxy refuses its part: ${refusal.message}`);
      }
    }
  }

  /** The lines that HAProxy names say it; where they do not, halving finds it. */
  async #culprits(
    text: string,
    refusal: Refusal,
    { makePlan, plan, generation }: { readonly makePlan: MakePlan; readonly plan: Plan; readonly generation: string },
  ): Promise<string[]> {
    const lines = text.split("\n");
    const named = new Set(refusal.lines.map((line) => serviceOfLine(lines, line)));
    if (named.size > 0 && !named.has(null)) return [...named] as string[];
    const services = [...new Set([...plan.structure.backends.values()].map(({ service }) => service))];
    const without = (kept: readonly string[]): ReadonlyMap<string, string> => {
      const keep = new Set(kept);
      return new Map(services.filter((service) => !keep.has(service)).map((service) => [service, "on trial"]));
    };
    const isRefused = async (kept: readonly string[]): Promise<boolean> => {
      const trial = makePlan(new Map([...this.#leftOut, ...without(kept)]), NONE);
      return (await this.#deps.files.validate(this.render(trial, generation))) !== null;
    };
    // When even a configuration without services is refused, none of them is to blame.
    return (await isRefused([])) ? [] : findCulprits(services, isRefused);
  }

  #describe(text: string, refusal: Refusal): string {
    const { path, lineOf } = this.#deps.template;
    if (path === null) return refusal.message;
    const lines = text.split("\n");
    const places = refusal.lines.map((number) => {
      const line = lines[number - 1] ?? "";
      const at = lineOf(line);
      return at === null ? JSON.stringify(line.trim()) : `${path}:${at}`;
    });
    return places.length === 0 ? refusal.message : `${[...new Set(places)].join(", ")}: ${refusal.message}`;
  }
}
