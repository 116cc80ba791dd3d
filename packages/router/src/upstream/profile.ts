import type { Open } from "@datawire/amqp";

/** What a broker lacks of AMQP 1.0: the router makes up for it, or refuses it. */
export interface Profile {
  /** What it calls itself, with its version. */
  readonly product: string;
  /** Whether a drain may be asked for. */
  readonly drains: boolean;
  /** Whether messages may have delivery annotations. */
  readonly takesDeliveryAnnotations: boolean;
  /** Whether receivers may wait for it to settle first. */
  readonly settlesSecond: boolean;
  /** How many messages beyond its credit it may send: it does not count what is on its way when it hears of credit. */
  readonly creditSlack: number;
  /** Whether a body of several sections comes back in its order. */
  readonly keepsSections: boolean;
}

/**
 * What a broker says of itself. The plugin of RabbitMQ 3 loses its session at a drain of a classic queue, hangs at delivery
 * annotations, refuses receivers that settle second, exceeds credit and turns the sections of a body round (tried with 3.10); Artemis takes
 * those receivers, and leaves them without an answer. All others are taken to be complete.
 */
export function profileOf({ properties, containerId }: Open): Profile {
  const [product, version] = [properties?.get("product"), properties?.get("version")].map((value) =>
    typeof value === "string" ? value : "",
  );
  const isOldRabbit = product === "RabbitMQ" && /^[0-3]\./.test(version ?? "");
  return {
    product: product ? `${product} ${version}`.trim() : containerId,
    drains: !isOldRabbit,
    takesDeliveryAnnotations: !isOldRabbit,
    settlesSecond: !isOldRabbit && product !== "apache-activemq-artemis",
    creditSlack: isOldRabbit ? 10_000 : 0,
    keepsSections: !isOldRabbit,
  };
}
