import type { LogEvent } from "@datawire/api";
import { pathOf } from "../../core/address.ts";
import { Link } from "../../parts/link.tsx";
import { StateMark } from "../../parts/state-mark.tsx";

/** The messages of a trace, in their order. */
export function Messages({ events }: { readonly events: readonly LogEvent[] }) {
  return (
    <div className="table-frame" role="region" aria-label="Messages of this trace" tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            {["Time", "Level", "Service", "Text"].map((title) => (
              <th key={title} scope="col" className="plain-head">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {events.map(({ id, timestamp, level, service, node, text }) => (
            <tr
              key={id}
              data-testid="row"
              data-key={id}
              tabIndex={-1}
              data-failed={level === "ERROR" || level === "CRITICAL" ? "" : undefined}
            >
              <td data-col="time" data-value={timestamp}>
                <time dateTime={new Date(timestamp).toISOString()}>
                  {new Date(timestamp).toISOString().slice(11, 23)}
                </time>
              </td>
              <td data-col="level" data-value={level}>
                <StateMark state={level} />
              </td>
              <td data-col="service" data-value={service ?? node}>
                {service === null ? node : <Link to={pathOf("services", service)}>{service}</Link>}
              </td>
              <td data-col="text" data-value={text}>
                {text}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
