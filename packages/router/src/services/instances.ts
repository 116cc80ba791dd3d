import type { ServiceView } from "@datawire/catalog";
import { type Instance, parseInstanceUrl } from "@datawire/protocol";

/** Where an instance takes links itself. */
export interface Endpoint {
  readonly instance: Instance;
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** The address of it there: that of its URL, else its service, with the sub-address behind. */
  readonly address: string;
}

/** Whether some instance of a service takes links itself. */
export function takesLinks({ service, instances }: ServiceView): boolean {
  return service.protocol === "amqp" && instances.some(({ via }) => via === undefined);
}

/**
 * The instances of a service that take links themselves, and are live or about to go.
 * @param path what follows the name of the service in the address, such as `/eu`.
 */
export function endpointsOf({ instances }: ServiceView, path: string): Endpoint[] {
  return instances.flatMap((instance) => {
    if (instance.via !== undefined || instance.state === "down") return [];
    const { host, port, scheme, base } = parseInstanceUrl(instance.url, "amqp");
    const address = `${base === "" ? instance.service : decoded(base.slice(1))}${path}`;
    return [{ instance, host, port, isTls: scheme === "amqps", address }];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
