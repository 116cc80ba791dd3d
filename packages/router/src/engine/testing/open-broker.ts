import type { Clock } from "@datawire/runtime";
import {
  type AddressRule,
  AddressRules,
  type AddressSettings,
  DEFAULT_SETTINGS,
  type Kind,
} from "../../address/rules.ts";
import { parsePattern } from "@datawire/protocol";
import type { Disk } from "../../disk/disk.ts";
import type { LogConfig } from "../../log/log-deps.ts";
import { Broker } from "../broker.ts";

/** A rule as router.yaml has it. */
export const rule = (
  match: string,
  settings: Partial<AddressSettings> = {},
  kind: Kind | null = null,
): AddressRule => ({
  match: parsePattern(match),
  kind,
  settings: { ...DEFAULT_SETTINGS, ...settings },
});

/** Opens a broker for a test. */
export async function openBroker(
  disk: Disk,
  clock: Clock,
  {
    rules = [],
    log = {},
    ...bounds
  }: { readonly rules?: readonly AddressRule[]; readonly log?: LogConfig; readonly addressesMax?: number } = {},
): Promise<Broker & { readonly troubles: unknown[]; readonly crowds: () => number }> {
  const troubles: unknown[] = [];
  let crowds = 0;
  const broker = await Broker.open(
    { rules: new AddressRules(rules), log, ...bounds },
    {
      disk,
      clock,
      random32: () => 7,
      later: setImmediate,
      annotate: (payload, { reason, from }) => Buffer.concat([payload, Buffer.from(` [${from}: ${reason}]`)]),
      crowded: () => void crowds++,
      onTrouble: (error) => void troubles.push(error),
      onFault: (subject, error) => void troubles.push([subject, error]),
    },
  );
  return Object.assign(broker, { troubles, crowds: () => crowds });
}
