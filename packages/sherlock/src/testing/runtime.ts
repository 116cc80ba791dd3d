import type { RuntimeApi } from "../haproxy/runtime-api.ts";

/** The socket of an HAProxy that answers as `ask` says, line by line where it is read so, and takes every command. */
export function runtimeOf(ask: RuntimeApi["ask"]): RuntimeApi {
  return {
    ask,
    async read(line, take) {
      for (const part of linesOf(await ask(line))) take(part);
    },
    run: async () => {},
  };
}

/** The lines of a text, each with its end. */
export function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
