import { isUsable } from "@datawire/protocol";
import type { ServiceView } from "@datawire/catalog";
import { plainText } from "../model/escape.ts";

/**
 * Says why no instance of a service takes requests.
 * @param degraded why its primary does not, as the traffic split has it.
 */
export function downReason({ instances }: ServiceView, degraded: string | null): string {
  if (instances.length === 0) return "no instance is registered";
  const usable = instances.some(isUsable);
  const named = instances
    .slice(0, 3)
    .map(({ name, state, reason }) => `${name} is ${state}${reason ? `, ${reason}` : ""}`);
  const why = usable ? (degraded ?? "routes leave nothing") : named.join("; ");
  return plainText(why.replaceAll(";", ","));
}
