import type { Command } from "../model/commands.ts";
import { commandWord } from "../model/escape.ts";
import type { BackendStructure, Carried, MapName, Plan } from "../model/plan.ts";
import { renamedEntry, standsIn } from "../model/spares.ts";
import { checkSeconds } from "./check-interval.ts";
import { commonServerOptions, formatEndpoint, ownServerOptions } from "./server-options.ts";

/** What the text of commands refers to. */
export interface CommandContext {
  readonly backends: ReadonlyMap<string, BackendStructure>;
  readonly servers: Plan["servers"];
  readonly caFile: string;
  readonly maps: Readonly<Record<MapName | "draw", string>>;
  /** Backends that stand in spare ones, by which. */
  readonly carried: Carried;
}

/** What is said on the runtime socket for a command; some take several lines, a block's own bookkeeping none. */
export function commandText(command: Command, context: CommandContext): string[] {
  const named = standsIn(context.carried);
  switch (command.kind) {
    case "take-spare":
      return [`add map ${context.maps.carried} ${command.spare} ${command.backend}`];
    case "add-server": {
      const { backend, server } = command;
      const structure = context.backends.get(backend);
      if (structure === undefined) throw new Error(`Cannot add ${server.name}: there is no backend ${backend}`);
      const id = `${named(backend)}/${server.name}`;
      const options = [
        commonServerOptions(structure, { caFile: context.caFile, checkSeconds: checkSeconds(context.servers) }),
        ownServerOptions(structure, server),
        // Without it no connection to a dynamic server is ever used again (HAProxy issue fixed in 3.0).
        "pool-max-conn -1",
      ].join(" ");
      return [
        `add server ${id} ${formatEndpoint(server.address, server.port)} ${options}`,
        `enable health ${id}`,
        `enable server ${id}`,
      ];
    }
    case "set-server": {
      const { backend, name, change } = command;
      const id = `${named(backend)}/${name}`;
      const lines: string[] = [];
      if (change.address !== undefined) lines.push(`set server ${id} addr ${change.address} port ${change.port}`);
      if (change.weight !== undefined) lines.push(`set server ${id} weight ${change.weight}`);
      if (change.ready !== undefined) lines.push(`set server ${id} state ${change.ready ? "ready" : "maint"}`);
      return lines;
    }
    case "map": {
      const { map, action } = command;
      const verb = action.do === "delete" ? "del" : action.do;
      const [key, value] = renamedEntry(map, [action.key, action.do === "delete" ? "" : action.value], named);
      const words = [verb, "map", context.maps[map], commandWord(key)];
      if (action.do !== "delete") words.push(commandWord(value));
      return [words.join(" ")];
    }
    case "block":
      return [];
  }
}
