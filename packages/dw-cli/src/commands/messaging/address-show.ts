import { formatDuration } from "@datawire/protocol";
import { flag, operand } from "../../context/dw.ts";
import type { RunLocal } from "../../grammar/command.ts";
import type { AddressKind } from "./address-change.ts";
import { manage } from "./open-router.ts";

/** One address with all that the router knows of it. */
interface AddressView {
  readonly address: string;
  readonly kind: AddressKind;
  readonly state: string;
  readonly reason: string | null;
  readonly messages: number;
  readonly bytes: number;
  readonly unsettled: number;
  readonly oldestMs: number | null;
  readonly senders: number;
  readonly consumers: number;
  readonly dead: number;
  /** What holds; null stands for no bound. */
  readonly settings: {
    readonly persist: boolean;
    /** Null: for ever, of dead letters. */
    readonly maxDeliveries: number | null;
    readonly maxMessages: number | null;
    readonly maxBytes: number | null;
    readonly overflow: string;
    readonly dedupeMs: number | null;
    readonly expired: string;
    readonly retention: { readonly ageMs: number | null; readonly bytes: number | null };
  };
  readonly subscriptions?: readonly {
    readonly container: string;
    readonly name: string;
    readonly isAttached: boolean;
    readonly lag: number;
    readonly unsettled: number;
  }[];
}

/** All that there is to say of one address. */
export const show =
  (kind: AddressKind): RunLocal =>
  async (local, input) => {
    const view = (await manage(local, input, `${kind}-show`, { address: operand(input, 0) })) as AddressView;
    if (flag(input, "json")) return local.output.json(view);
    const { settings } = view;
    local.output.table({
      columns: [{ title: "KEY" }, { title: "VALUE", shrink: 1 }],
      rows: [
        ["address", view.address],
        ["state", view.reason === null ? view.state : `${view.state}: ${view.reason}`],
        ["messages", `${view.messages}, ${view.bytes} bytes`],
        ["unsettled", String(view.unsettled)],
        ["oldest", view.oldestMs === null ? "-" : formatDuration(Math.floor(view.oldestMs / 1_000) * 1_000)],
        ["senders", String(view.senders)],
        ["consumers", String(view.consumers)],
        ["dead letters", String(view.dead)],
        ["max_deliveries", String(settings.maxDeliveries ?? "none")],
        ...(kind === "queue"
          ? [
              ["max_messages", String(settings.maxMessages ?? "none")],
              ["max_bytes", String(settings.maxBytes ?? "none")],
            ]
          : [
              ["retention.age", ofDuration(settings.retention.ageMs)],
              ["retention.bytes", String(settings.retention.bytes ?? "none")],
            ]),
        ["overflow", settings.overflow],
        ["dedupe", ofDuration(settings.dedupeMs)],
        ["expired", settings.expired],
        ["persist", String(settings.persist)],
        ...(view.subscriptions ?? []).map(({ container, name, isAttached, lag, unsettled }) => [
          "subscription",
          `${container} ${name}: ${lag} to read, ${unsettled} unsettled${isAttached ? "" : ", nobody attached"}`,
        ]),
      ],
    });
  };

const ofDuration = (ms: number | null): string => (ms === null ? "none" : formatDuration(ms));
