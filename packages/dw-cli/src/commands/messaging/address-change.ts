import { flag, type Input, operand, optionText } from "../../context/dw.ts";
import { misuse } from "../../context/operands.ts";
import type { Local, RunLocal } from "../../grammar/command.ts";
import { change, manage } from "./open-router.ts";

/** What is kept at an address. */
export type AddressKind = "queue" | "topic";

/** The options that say what is to hold, and the keys of router.yaml that they stand for. */
const KEYS: ReadonlyMap<string, string> = new Map([
  ["maxDeliveries", "max_deliveries"],
  ["maxMessages", "max_messages"],
  ["maxBytes", "max_bytes"],
  ["overflow", "overflow"],
  ["dedupe", "dedupe"],
  ["expired", "expired"],
  ["retentionAge", "retention.age"],
  ["retentionBytes", "retention.bytes"],
]);

/** Makes an address that stays until it is removed. */
export const create =
  (kind: AddressKind): RunLocal =>
  async (local, input) => {
    const address = operand(input, 0);
    const made = await manage(local, input, `${kind}-create`, { address, settings: settingsOf(input) });
    tell(local, input, { answer: made, said: "created" });
  };

/** Changes what holds for an address. */
export const set =
  (kind: AddressKind): RunLocal =>
  async (local, input) => {
    const settings = settingsOf(input);
    if (settings.size === 0)
      throw misuse(
        `Cannot change ${operand(input, 0)}: wanted an option that says what is to hold, as in --max-deliveries 5`,
      );
    const changed = await manage(local, input, `${kind}-set`, { address: operand(input, 0), settings });
    tell(local, input, { answer: changed, said: "changed" });
  };

/** Takes an address away, with its messages and its links. */
export const remove =
  (kind: AddressKind): RunLocal =>
  (local, input) =>
    change<{ readonly removed: string; readonly messages?: number }>(local, input, {
      operation: `${kind}-remove`,
      about: { address: operand(input, 0) },
      say: ({ removed, messages = 0 }) => ({
        done: `${removed} removed`,
        wouldBe: `${removed} would be removed with its links and ${messages} messages`,
      }),
    });

function settingsOf(input: Input): Map<string, string> {
  const settings = new Map<string, string>();
  for (const [option, key] of KEYS) {
    const text = optionText(input, option);
    if (typeof text === "string") settings.set(key, text);
  }
  return settings;
}

function tell(local: Local, input: Input, { answer, said }: { readonly answer: unknown; readonly said: string }): void {
  if (flag(input, "json")) return local.output.json(answer);
  local.output.note(`${(answer as { readonly address: string }).address} ${said}`);
}
