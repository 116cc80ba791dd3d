import { nearest, type ReportedProblem } from "@datawire/protocol";
import type { ProblemBoard } from "@datawire/runtime";
import type { SherlockSettings } from "../config/settings.ts";

/** What is looked at of the services that there are. */
interface Services {
  readonly size: { readonly services: number };
  service(name: string): unknown;
  serviceNames(): Iterable<string>;
}

/**
 * Tells of services in sherlock.yaml that are not there while one of nearly the same name is: that of a typing mistake
 * would have settings, or a port, that nothing uses. Others may be registered yet.
 */
export class MisspeltServices {
  readonly #names: readonly (readonly [key: string, name: string])[];
  readonly #board: Pick<ProblemBoard, "set">;
  #looked = "";

  constructor({ overrides, tcp }: Pick<SherlockSettings, "overrides" | "tcp">, board: Pick<ProblemBoard, "set">) {
    this.#names = [
      ...[...overrides.keys()].map((name) => ["services", name] as const),
      ...[...tcp.listen.keys()].map((name) => ["tcp", name] as const),
    ];
    this.#board = board;
  }

  look(services: Services): void {
    const missing = this.#names.filter(([, name]) => services.service(name) === null);
    // Comparing with every name there is takes long where there are thousands, and changes come many a second.
    const state = `${services.size.services} ${missing.map((one) => one.join(".")).join(" ")}`;
    if (state === this.#looked) return;
    this.#looked = state;
    this.#board.set(
      "misspelt services",
      missing.flatMap(([key, name]): ReportedProblem[] => {
        const near = nearest(name, services.serviceNames());
        if (near === undefined || this.#names.some(([other, known]) => other === key && known === near)) return [];
        const message = `no service of that name is registered: did you mean ${near}?`;
        return [{ subject: `${key}.${name} of sherlock.yaml`, message, remedy: "correct the name in sherlock.yaml" }];
      }),
    );
  }
}
