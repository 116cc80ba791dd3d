import type { ServiceView } from "@datawire/catalog";
import { generationOf, type Instance, isNumeric, isUsable } from "@datawire/protocol";
import { isNamed } from "@datawire/routing";

/**
 * Whether originals are told of an instance. They know no shares and no held versions: an original draws evenly from all
 * that it was sent, of the major version that it asks for. So of the primary's generation it is sent none that a route
 * names, which would get an equal share; and of the generations that are no numbers, which it takes for equal, the
 * primary's alone.
 */
export function isVisible(view: ServiceView, instance: Instance): boolean {
  if (!isUsable(instance)) return false;
  const generation = generationOf(instance.version);
  if (generation === view.service.primary) return !isNamed(view, instance);
  return isNumeric(generation);
}
