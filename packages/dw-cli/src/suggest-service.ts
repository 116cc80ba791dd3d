import { ProtocolError } from "@datawire/protocol";
import { nearest } from "@datawire/runtime";
import type { ServicesAnswer } from "./api-shapes.ts";
import type { Client } from "./dw.ts";

/** Asks something about a service; where the directory knows none of that name, a name that is near is offered. */
export async function withSuggestion<T>(client: Client, service: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.code !== "not_found") throw error;
    const { services } = (await client.get("/v1/services")) as ServicesAnswer;
    const names = services.map((listing) => listing.service);
    const near = names.includes(service) ? undefined : nearest(service, names);
    if (near === undefined) throw error;
    throw new ProtocolError(error.code, `${error.message}; did you mean //${near}?`, { cause: error });
  }
}
