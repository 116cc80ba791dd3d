import type { Command } from "../model/commands.ts";
import { commandWord } from "../model/escape.ts";
import type { BackendStructure, MapName } from "../model/plan.ts";
import { commonServerOptions, formatEndpoint, ownServerOptions } from "./server-options.ts";

/** What the text of commands refers to. */
export interface CommandContext {
  readonly backends: ReadonlyMap<string, BackendStructure>;
  readonly maps: Readonly<Record<MapName | "draw", string>>;
  readonly caFile: string;
}

/** What is said on the runtime socket for a command; some take several lines, a block's own bookkeeping none. */
export function commandText(command: Command, context: CommandContext): string[] {
  switch (command.kind) {
    case "add-server": {
      const { backend, server } = command;
      const structure = context.backends.get(backend);
      if (structure === undefined) throw new Error(`Cannot add ${server.name}: there is no backend ${backend}`);
      const id = `${backend}/${server.name}`;
      const options = [
        commonServerOptions(structure, context.caFile),
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
      const id = `${backend}/${name}`;
      const lines: string[] = [];
      if (change.address !== undefined) lines.push(`set server ${id} addr ${change.address} port ${change.port}`);
      if (change.weight !== undefined) lines.push(`set server ${id} weight ${change.weight}`);
      if (change.ready !== undefined) lines.push(`set server ${id} state ${change.ready ? "ready" : "maint"}`);
      return lines;
    }
    case "map": {
      const { map, action } = command;
      const verb = action.do === "delete" ? "del" : action.do;
      const words = [verb, "map", context.maps[map], commandWord(action.key)];
      if (action.do !== "delete") words.push(commandWord(action.value));
      return [words.join(" ")];
    }
    case "block":
      return [];
  }
}
