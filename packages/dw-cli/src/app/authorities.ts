import { ProtocolError } from "@datawire/protocol";
import type { Dw, Input } from "../context/dw.ts";
import { misuse } from "../context/operands.ts";
import type { OperandGrammar } from "../grammar/command.ts";

/** `//services/barker(2)`: its authority with its name. */
const LONG = /^\/\/[^/]+\/[^/@(:]+/;
/** Sources and targets of routes go to the directory as typed, and are looked at there. */
const LOOKED_AT_HERE = new Set(["service", "versions", "instance"]);

/**
 * Asks the directory about each `services` in `//services/barker`: which names are its own, it alone can say.
 * @throws ExitError 64 that names those in use.
 */
export async function requireAuthorities(dw: Dw, operands: readonly OperandGrammar[], input: Input): Promise<void> {
  const texts = operands.map(({ kind }, i) => (LOOKED_AT_HERE.has(kind) ? input.operands[i] : undefined));
  for (const text of texts) {
    const [service] = (text === undefined ? null : LONG.exec(text)) ?? [];
    if (service === undefined) continue;
    const { endpoints } = await import("@datawire/api");
    await dw.client.ask(endpoints.showService, { params: { service } }).catch((error: unknown) => {
      if (!(error instanceof ProtocolError)) throw error;
      if (error.code === "invalid_argument") throw misuse(error.message);
      // A service that is not there is for the command to say, which may be about to add it.
      if (error.code !== "not_found") throw error;
    });
  }
}
