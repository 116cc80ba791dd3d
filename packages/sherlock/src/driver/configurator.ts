import { describeError, ExitError, exitCodes } from "@datawire/runtime";
import type { Plan } from "../core/model/plan.ts";
import { findCulprits, serviceOfLine } from "../core/render/culprits.ts";
import { viewOf } from "../core/render/render.ts";
import type { RenderSettings } from "../core/render/template-view.ts";
import type { ConfigFiles, Refusal } from "../haproxy/config-files.ts";
import type { Template } from "../setup/template.ts";
import { TemplateError } from "../setup/template-error.ts";

/** HAProxy does not take a configuration. */
export interface Rejection {
  readonly reason: string;
  /** The services whose part it refuses; none where no service can be blamed. */
  readonly services: readonly string[];
  /** Whether it will be refused again as long as nobody changes something. */
  readonly isSaid: boolean;
}

/** A plan on trial. */
export interface ValidateOptions {
  readonly configVersion: string;
  /** The same plan without some services, to find whom to blame. */
  readonly without: (services: Iterable<string>) => Plan;
}

/** What a configurator works with. */
export interface ConfiguratorDeps {
  readonly template: Template;
  readonly files: ConfigFiles;
}

const PLACES_MAX = 3;

/** HAProxy refuses the configuration, and no service can be blamed: where it says so itself, that ends a program with 78. */
export class ConfigurationRefused extends ExitError {
  override readonly name = "ConfigurationRefused";

  constructor({ reason, services, isSaid }: Rejection) {
    const isFault = isSaid && services.length === 0;
    super(isFault ? exitCodes.badConfiguration : exitCodes.failed, `Cannot configure HAProxy: ${reason}`);
  }
}

/** Renders plans, and asks HAProxy whether it would take them. */
export class Configurator {
  readonly #settings: RenderSettings;
  readonly #deps: ConfiguratorDeps;

  constructor(settings: RenderSettings, deps: ConfiguratorDeps) {
    this.#settings = settings;
    this.#deps = deps;
  }

  /** The configuration of a plan, as text. @throws TemplateError */
  render(plan: Plan, configVersion: string): string {
    return this.#deps.template.render(viewOf(plan, this.#settings, configVersion));
  }

  /** Writes a plan where `ConfigFiles.install` finds it. @returns null when HAProxy would take it. */
  async validate(plan: Plan, options: ValidateOptions): Promise<Rejection | null> {
    const { files } = this.#deps;
    try {
      const text = this.render(plan, options.configVersion);
      await files.writeMaps(plan);
      const refusal = await files.validate(text);
      if (refusal === null) return null;
      const services = await this.#culprits(text, refusal, { plan, ...options });
      await files.keepRejected();
      return { services, reason: this.#describe(text, refusal), isSaid: refusal.isSaid };
    } catch (error) {
      if (error instanceof TemplateError) return { services: [], reason: describeError(error), isSaid: true };
      throw error;
    }
  }

  /** The lines that HAProxy names say it; where they do not, halving finds it. */
  async #culprits(
    text: string,
    refusal: Refusal,
    { plan, configVersion, without }: ValidateOptions & { readonly plan: Plan },
  ): Promise<string[]> {
    const lines = text.split("\n");
    const named = new Set(refusal.lines.map((line) => serviceOfLine(lines, line)));
    if (named.size > 0 && !named.has(null)) return [...named] as string[];
    const services = [...new Set([...plan.structure.backends.values()].map(({ service }) => service))];
    const isRefused = async (kept: readonly string[]): Promise<boolean> => {
      const keep = new Set(kept);
      const trial = without(services.filter((service) => !keep.has(service)));
      return (await this.#deps.files.validate(this.render(trial, configVersion))) !== null;
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
    // One line of a template is one for each service.
    const first = [...new Set(places)].slice(0, PLACES_MAX);
    return first.length === 0 ? refusal.message : `${first.join(", ")}: ${refusal.message}`;
  }
}
