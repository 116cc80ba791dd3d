import type { DirectoryAddress } from "@datawire/protocol";
import type { LinkIdentity } from "@datawire/link";
import type { Proof } from "@datawire/link/client";
import type { Clock } from "@datawire/runtime";
import { MdkError } from "../../session/mdk-error.ts";
import { DirectoryLink } from "./directory-link.ts";
import type { LinkGuest } from "./guests.ts";
import { MergedTable } from "./merged-table.ts";
import type { Source, SourceEvents } from "./source.ts";

/** Which directories the nodes come from. */
export interface DirectorySourceConfig {
  /** Each inner list is one directory, with the addresses of its replicas. */
  readonly directories: readonly (readonly DirectoryAddress[])[];
  readonly identity: LinkIdentity;
  /** Where the last table of a directory is kept, by its place in the list; null keeps none. */
  readonly tableFile: ((directory: number) => string) | null;
}

/** What following directories works with. */
export interface DirectorySourceDeps {
  readonly clock: Clock;
  readonly events: SourceEvents;
  /** Asked before each attempt to connect that follows a refusal. */
  readonly proof: () => Promise<Proof>;
  readonly guests: readonly LinkGuest[];
}

/** Follows the table of one environment at all directories. */
export class DirectorySource implements Source {
  readonly table = new MergedTable();
  readonly #links: readonly DirectoryLink[];
  #started = false;

  constructor({ directories, identity, tableFile }: DirectorySourceConfig, deps: DirectorySourceDeps) {
    const { events } = deps;
    this.#links = directories.map(
      (replicas, i) =>
        new DirectoryLink(
          { replicas, identity, tableFile: tableFile === null ? null : tableFile(i) },
          {
            ...deps,
            onChanged: (services) => {
              this.table.set(this.#links.flatMap(({ table }) => table ?? []));
              events.changed(services);
              events.settled();
            },
            onSettled: () => events.settled(),
          },
        ),
    );
  }

  missing(): MdkError | null {
    if (this.#links.some(({ table }) => table !== null)) return null;
    if (!this.#started) return new MdkError("unavailable", "No table has come: the library is not started");
    const denial = this.denial();
    if (denial !== null) return denial;
    const reasons = this.#links.map(({ reason }) => reason).join("; ");
    return new MdkError("unavailable", `No table has come from a directory yet: ${reasons}`);
  }

  denial(): MdkError | null {
    const denials = this.#links.map(({ denial }) => denial);
    const [first = null] = denials;
    return denials.every((denial) => denial !== null) ? first : null;
  }

  start(): void {
    this.#started = true;
    for (const link of this.#links) link.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.stop()));
  }
}
