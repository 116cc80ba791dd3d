import type { LogEvent } from "@datawire/api";
import { pathOf } from "../../core/address.ts";
import { Ago } from "../../parts/ago.tsx";
import { Link } from "../../parts/link.tsx";
import { StateMark } from "../../parts/state-mark.tsx";
import type { Column } from "../../parts/table.tsx";

/** The columns of a list of messages. */
export const MESSAGE_COLUMNS: readonly Column<LogEvent>[] = [
  { key: "time", title: "Time", value: ({ timestamp }) => timestamp, show: ({ timestamp }) => <Ago at={timestamp} /> },
  { key: "level", title: "Level", value: ({ level }) => level, show: ({ level }) => <StateMark state={level} /> },
  { key: "service", title: "Service", value: ({ service, node }) => service ?? node, show: Origin },
  { key: "text", title: "Text", value: ({ text }) => text, show: Text },
];

function Origin({ service, node }: LogEvent) {
  return service === null ? <>{node}</> : <Link to={pathOf("services", service)}>{service}</Link>;
}

function Text({ text, traceId, category }: LogEvent) {
  return (
    <>
      {category === "" ? null : <span className="quiet">{category} </span>}
      <bdi>{text}</bdi>{" "}
      {traceId === null ? null : (
        <Link to={pathOf("traces", traceId)} className="trace-link">
          trace
        </Link>
      )}
    </>
  );
}
