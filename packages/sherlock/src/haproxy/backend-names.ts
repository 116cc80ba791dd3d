import type { Carried } from "../core/model/plan.ts";
import { NOT_CARRIED, standsIn } from "../core/model/spares.ts";

/** More than workers of many reloads can still tell of. */
const KEPT_MAX = 4_096;

/**
 * What HAProxy calls the backends that stand in spare ones: it counts and logs by those names. A spare backend has a name
 * that no other ever has, so that what is known of those of earlier workers stays true.
 */
export class BackendNames {
  readonly #bySpare = new Map<string, string>();
  #carried: Carried = NOT_CARRIED;

  /** Takes what stands in spare backends from now on, before a request can come there. */
  note(carried: Carried): void {
    this.#carried = carried;
    for (const [backend, spare] of carried) this.#bySpare.set(spare, backend);
    for (const spare of this.#bySpare.keys()) {
      if (this.#bySpare.size <= KEPT_MAX) return;
      this.#bySpare.delete(spare);
    }
  }

  /** The own name of a backend that HAProxy names, in this worker or in an earlier one. */
  readonly own = (name: string): string => this.#bySpare.get(name) ?? name;

  /** The name by which HAProxy has a backend now. */
  readonly inUse = (backend: string): string => standsIn(this.#carried)(backend);
}
