import type { Fields, Value } from "@datawire/amqp";
import { MicroserverError } from "./microserver-error.ts";

/** What a microserver says of itself when it connects: routes go by it. */
export interface SelfDescription {
  /** The version of the service that this process is: what it listens for comes by the routes of that version. */
  readonly version?: string;
  /** Which instance of the service this process is. Default: what is made of `name`. */
  readonly instance?: string;
  /** As whom routes know what is sent. Default: `name`. */
  readonly caller?: string;
  /** What else the properties of the connection say, for whoever looks at it. */
  readonly properties?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * The connection properties of a description; undefined for none.
 * @throws MicroserverError `invalid_argument` for one that is empty, or no value.
 */
export function openProperties({ properties = {}, version, instance, caller }: SelfDescription): Fields | undefined {
  const said = new Map<string, Value>();
  for (const [key, value] of [...Object.entries(properties), ...Object.entries({ version, instance, caller })]) {
    if (value === undefined) continue;
    if (value === "" || !["string", "number", "boolean"].includes(typeof value)) {
      const shown = JSON.stringify(value) ?? typeof value;
      const why = `Cannot use ${shown} as the ${key} of a connection: wanted a text that is not empty, a number or a boolean`;
      throw new MicroserverError("invalid_argument", why);
    }
    said.set(key, value);
  }
  return said.size === 0 ? undefined : said;
}
