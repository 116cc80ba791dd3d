import { formatCount, formatMs, formatRate } from "../../core/format.ts";
import { StateMark } from "../../parts/state-mark.tsx";
import type { Column } from "../../parts/table.tsx";
import { type LinkRow, type QueueRow, reasonText } from "./data.ts";

/** The columns of a list of addresses. */
export const QUEUE_COLUMNS: readonly Column<QueueRow>[] = [
  {
    key: "address",
    title: "Address",
    value: ({ address }) => address,
    show: ({ address, router }) => (
      <span className="two-lines">
        <strong>{address}</strong>
        <span className="quiet">{router}</span>
      </span>
    ),
  },
  { key: "kind", title: "Kind", value: ({ kind }) => kind },
  { key: "state", title: "State", value: ({ state }) => state, show: Stuck },
  count("messages", "Messages", ({ messages }) => messages),
  count("unsettled", "Unsettled", ({ unsettled }) => unsettled),
  {
    key: "oldest",
    title: "Oldest",
    isNumber: true,
    value: ({ oldestMs }) => oldestMs,
    show: ({ oldestMs }) => formatMs(oldestMs),
  },
  rate("in", "In", ({ inPerS }) => inPerS),
  rate("out", "Out", ({ outPerS }) => outPerS),
  count("senders", "Senders", ({ senders }) => senders),
  count("consumers", "Consumers", ({ consumers }) => consumers),
  {
    key: "dead",
    title: "Dead",
    isNumber: true,
    value: ({ dead }) => dead,
    show: ({ dead }) => <span className={dead > 0 ? "text-bad" : undefined}>{formatCount(dead)}</span>,
  },
];

/** The columns of a list of links. */
export const LINK_COLUMNS: readonly Column<LinkRow>[] = [
  {
    key: "address",
    title: "Address",
    value: ({ address }) => address,
    show: ({ address }) => address ?? <span className="quiet">as each message says</span>,
  },
  {
    key: "direction",
    title: "Link",
    value: ({ direction }) => direction,
    show: ({ direction }) => (direction === "in" ? "sends" : "receives"),
  },
  { key: "state", title: "State", value: ({ state }) => state, show: Stuck },
  { key: "container", title: "Container", value: ({ container }) => container },
  { key: "user", title: "User", value: ({ user }) => user },
  { key: "peer", title: "Peer", value: ({ peer }) => peer },
  count("credit", "Credit", ({ credit }) => credit),
  count("unsettled", "Unsettled", ({ unsettled }) => unsettled),
  {
    key: "settling",
    title: "Unsettled for",
    isNumber: true,
    value: ({ oldestUnsettledMs }) => oldestUnsettledMs,
    show: ({ oldestUnsettledMs }) => formatMs(oldestUnsettledMs),
  },
  count("delivered", "Delivered", ({ delivered }) => delivered),
];

function Stuck({ state, reason }: { readonly state: string; readonly reason: string | null }) {
  const text = reasonText(reason);
  return (
    <>
      <StateMark state={state} />
      {text === null ? null : <span className="quiet"> {text}</span>}
    </>
  );
}

function count<Row>(key: string, title: string, value: (row: Row) => number): Column<Row> {
  return { key, title, isNumber: true, value, show: (row) => formatCount(value(row)) };
}

function rate<Row>(key: string, title: string, value: (row: Row) => number): Column<Row> {
  return { key, title, isNumber: true, value, show: (row) => formatRate(value(row)) };
}
