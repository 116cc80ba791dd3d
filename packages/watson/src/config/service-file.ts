import { formatServiceAddress } from "@datawire/protocol";
import { firstProblems, parseYamlFile, type Path, type Place, type Problem } from "@datawire/runtime";
import { isOwnVariable } from "../model/environment.ts";
import type { ServiceDefinition } from "../model/service-definition.ts";
import { createDefinition } from "./create-definition.ts";
import type { FileSchema, ServiceContext } from "./service-schema.ts";

/** The instances that a service file defines, or all that is wrong with it. */
export type ServicesRead =
  | { readonly ok: true; readonly instances: readonly ServiceDefinition[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads the text of a service file: one service or a list of them. Everything that is wrong is reported at once. */
export function readServices(
  text: string,
  file: string,
  { schema, ...context }: ServiceContext & { readonly schema: FileSchema },
): ServicesRead {
  const refuse = (name: string): string | null =>
    context.noEnv ?? (isOwnVariable(name) ? "it is Watson's own, and no service's" : null);
  const parsed = parseYamlFile(text, file, { schema, env: context.env, refuse });
  if (!parsed.ok) return parsed;
  const isList = Array.isArray(parsed.value);
  const sources = Array.isArray(parsed.value) ? parsed.value : [parsed.value];
  const instances: ServiceDefinition[] = [];
  const problems: Problem[] = [];
  for (const [index, source] of sources.entries()) {
    const whole = (path: Path): Path => [...(isList ? [index] : []), ...path];
    const at = (...path: Path): Place => parsed.locate(whole(path));
    const made = createDefinition(source, context, at, (path) => parsed.templateAt(whole(path)));
    if ("key" in made) instances.push(made);
    else problems.push(...made);
  }
  problems.push(...duplicates(instances));
  return problems.length === 0 ? { ok: true, instances } : { ok: false, problems: firstProblems(problems) };
}

function duplicates(instances: readonly ServiceDefinition[]): Problem[] {
  const first = new Map<string, ServiceDefinition>();
  return instances.flatMap((instance) => {
    const other = first.get(instance.key);
    if (other === undefined) {
      first.set(instance.key, instance);
      return [];
    }
    const address = formatServiceAddress({ service: instance.service, instance: instance.name, version: null });
    const message = `Cannot register ${address} twice: line ${other.source.line ?? 1} of this file claims the same instance; give one of them another \`instance\``;
    return [{ ...instance.source, message }];
  });
}
