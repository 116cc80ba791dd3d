import { serve } from "./service.ts";

/**
 * `transform` consumes `emitter` and is itself a service. It knows one address, that of Sherlock on its own machine,
 * and neither where `emitter` runs nor in which version.
 */
const sherlock = process.env["SHERLOCK"] ?? "http://localhost:5432";

serve(async ({ name, version }) => {
  const response = await fetch(`${sherlock}/emitter/`);
  if (!response.ok) throw new Error(`emitter answered ${response.status}`);
  const { text, instance } = (await response.json()) as { text: string; instance: string };
  return { service: "transform", instance: name, version, text: text.toUpperCase(), emittedBy: instance };
});
