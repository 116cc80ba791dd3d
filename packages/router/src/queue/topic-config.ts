import type { SubscriptionSnapshot } from "./subscription.ts";

/** How a topic keeps its messages; null for no bound. */
export interface TopicConfig {
  readonly maxDeliveries: number;
  readonly retention: { readonly ageMs: number | null; readonly bytes: number | null };
  /**
   * Whether retention also drops what a durable subscription has not read, which is then told how many messages it
   * missed.
   */
  readonly dropsUnread: boolean;
  /** What becomes of a message whose time is over. */
  readonly expired: "drop" | "dead";
}

/** What of a topic outlives a restart, beside its messages. */
export interface TopicSnapshot {
  readonly next: number;
  readonly subscriptions: readonly SubscriptionSnapshot[];
}
